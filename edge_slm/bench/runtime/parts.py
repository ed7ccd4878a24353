"""The parts of the long run of `edge-slm bench runtime`, each a row of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from edge_slm.bench.record import Case
from edge_slm.bench.runtime import peer as peers
from edge_slm.bench.runtime.cancels import cancels
from edge_slm.bench.runtime.cases import billed
from edge_slm.bench.runtime.crashes import SIGNALS, crashes
from edge_slm.bench.runtime.draft_model import drafting
from edge_slm.bench.runtime.first_token import conversation, first_token
from edge_slm.bench.runtime.lookup import CITE, COPY, FIRST_PASSAGE, REPLY_TOKENS, lookup
from edge_slm.bench.runtime.passages import passage
from edge_slm.bench.runtime.peer_chat import PeerChat
from edge_slm.bench.runtime.restarted import Restarted, ask_restarted
from edge_slm.bench.runtime.roofline import decoding
from edge_slm.bench.runtime.states import own_states
from edge_slm.bench.runtime.switches import BUDGET, switches
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.budget import KV_BYTES
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import MissingError
from edge_slm.i18n import t
from edge_slm.profiles import PROFILES
from edge_slm.progress import progress

Row = dict[str, Any]

LENGTHS = (500, 1000, 2000)  # tokens of the passages
QUOTED_TOKENS = 500


@dataclass(frozen=True)
class Plan:
    """What to measure: the chat model's id (None for the best), and how often.

    `peer` asks for a llama.cpp server beside ours, where one was made.
    """

    model: str | None = None
    repeats: int = 5
    peer: bool = True
    switches: int = 1000
    cancels: int = 500


def first_tokens(plan: Plan) -> Row:
    """Measure the first word on passages of each length, and how flat it is in the length."""
    rows: dict[int, Row] = {}
    with _chat(plan) as (chat, spec), _peer(plan, spec) as server:

        def restart(*asked: Any) -> Restarted:
            chat.close()  # one copy in memory at a time
            return ask_restarted(spec.model, *asked)

        label = t("First words", "Premiers mots")
        with progress(label, plan.repeats * len(LENGTHS)) as advance:
            for tokens in LENGTHS:
                rows[tokens] = first_token(
                    chat, tokens, plan.repeats, server, restart, advance=advance
                )
    flat = {
        f"first_token_{tokens}_{key}": value
        for tokens, row in rows.items()
        for key, value in row.items()
    }
    shortest, longest = (rows[tokens]["restored_s"] for tokens in (LENGTHS[0], LENGTHS[-1]))
    return {
        "first_token_model": spec.model,
        "first_token_ratio": rows[LENGTHS[0]]["ratio"],
        "first_token_identical": all(row["identical"] for row in rows.values()),
        "first_token_longest_to_shortest": round(longest / shortest, 2),
        **flat,
    }


def lookups(plan: Plan) -> Row:
    """Measure answers that cite their passage, and answers that copy it whole."""
    flat: Row = {}
    with _chat(plan) as (chat, spec), _peer(plan, spec) as server:
        label = t("Copied answers", "Réponses qui citent")
        with progress(label, 2 * plan.repeats) as advance:
            for name, question in (("cite", CITE), ("copy", COPY)):
                row = lookup(chat, QUOTED_TOKENS, plan.repeats, server, question, advance)
                flat |= {f"lookup_{name}_{key}": value for key, value in row.items()}
    return {
        "lookup_model": spec.model,
        "lookup_ratio": flat["lookup_copy_ratio"],
        "lookup_identical": flat["lookup_cite_identical"] and flat["lookup_copy_identical"],
        **flat,
    }


def drafts(plan: Plan) -> Row:
    """Measure the small model drafting for the larger one, on the prompts of `lookups`."""
    small = PROFILES["lite"][0]
    with _chat(plan) as (chat, spec), closing(Engines()) as engines:
        if spec.model == small:
            raise MissingError(
                t(
                    "Drafting needs a larger model than {small}: run edge-slm models pull "
                    "standard.",
                    "L'ébauche demande un modèle plus grand que {small} : lancez edge-slm models "
                    "pull standard.",
                    small=small,
                )
            )
        prompts = [
            conversation(passage(QUOTED_TOKENS, chat.count_tokens, FIRST_PASSAGE + number), CITE)
            for number in range(plan.repeats)
        ]
        chat.close()
        with progress(t("Drafts by {small}", "Ébauches de {small}", small=small), 0):
            row = drafting(spec, engines.chat_spec(small), prompts, REPLY_TOKENS)
    return {"draft_model": spec.model, **{f"draft_{key}": value for key, value in row.items()}}


def rooflines(plan: Plan) -> Row:
    """Measure writing against the memory's bandwidth."""
    with _chat(plan) as (chat, spec):
        settings = spec.load.settings
        with progress(t("Memory bandwidth", "Débit de la mémoire"), 0):
            row = decoding(
                chat,
                spec.path,
                KV_BYTES[settings.kv_type],
                plan.repeats,
                settings.thread_count,
            )
    return {"roofline_model": spec.model, **{f"roofline_{k}": value for k, value in row.items()}}


def switched(plan: Plan) -> Row:
    """Measure random switches between all models that are installed, under 3 GiB."""
    with own_states(), closing(Engines()) as engines:
        label = t("Switches between models", "Changements de modèle")
        with progress(label, plan.switches) as advance:
            return switches(Pool(BUDGET), engines.specs(), plan.switches, advance)


def cancelled(plan: Plan) -> Row:
    """Measure stops at random moments."""
    with own_states(), closing(Engines(plan.model)) as engines:
        chat = engines.chat_spec(engines.chat()[1].id)
        speech = _of_kind(engines.specs(), "speech")
        with progress(t("Stops", "Arrêts"), plan.cancels) as advance:
            row = cancels(Pool(), chat, speech, plan.cancels, advance)
    return {"cancel_model": chat.model, **row}


def crashed(plan: Plan) -> Row:
    """Strike a worker of each kind with signals."""
    with own_states(), closing(Engines(plan.model)) as engines:
        chat = engines.chat_spec(engines.chat()[1].id)
        others = (_of_kind(engines.specs(), kind) for kind in ("embed", "speech"))
        specs = [chat, *(spec for spec in others if spec)]
        label = t("Crash drill", "Exercice de panne")
        with progress(label, len(specs) * len(SIGNALS)) as advance:
            return {"crash_model": chat.model, **crashes(Pool, specs, advance)}


PARTS: dict[str, Callable[[Plan], Row]] = {
    "first-token": first_tokens,
    "lookup": lookups,
    "drafting": drafts,
    "roofline": rooflines,
    "switches": switched,
    "cancels": cancelled,
    "crashes": crashed,
}


def run(
    names: Sequence[str],
    plan: Plan,
    show: Callable[[Row, Case], object],
    leave_out: Callable[[str], object],
) -> Row:
    """Run parts one after the other.

    Args:
        names: of `PARTS`.
        plan: what to measure.
        show: called with the row of each part when it is done, and with its case.
        leave_out: called with a sentence for a part that lacks a model, and for a missing peer.
    Returns:
        all rows as one, and whether all ways of all parts wrote the same tokens.
    """
    whole: Row = {}
    if plan.peer and not peers.find() and {"first-token", "lookup"} & set(names):
        leave_out(peers.absent())
    for name in names:
        try:
            row, case = billed(name, partial(PARTS[name], plan))
        except MissingError as error:
            leave_out(f"{name}: {error}")
            continue
        show(row, case)
        whole |= row
    same = [value for key, value in whole.items() if _is_ours(key)]
    return {**whole, **({"identical": all(same)} if same else {})}


def _is_ours(key: str) -> bool:
    return key.endswith("_identical") and not key.endswith("_peer_identical")


@contextmanager
def _chat(plan: Plan) -> Iterator[tuple[RemoteChat, Spec]]:
    with own_states(), closing(Engines(plan.model)) as engines:
        spec = engines.chat_spec(engines.chat()[1].id)
        yield RemoteChat(engines.pool, spec), spec


@contextmanager
def _peer(plan: Plan, spec: Spec) -> Iterator[PeerChat | None]:
    found = peers.find() if plan.peer else None
    if found is None:
        yield None
        return
    settings = spec.load.settings
    with peers.serving(found, spec.path, settings.thread_count, settings.context) as chat:
        yield chat


def _of_kind(specs: Sequence[Spec], kind: str) -> Spec | None:
    return next((spec for spec in specs if spec.kind == kind), None)
