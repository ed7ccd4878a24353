"""The same tokens whatever was read before, kept, restored, damaged or drafted."""

from pathlib import Path

import msgspec
import pytest

from edge_slm.engines import Message, Options
from edge_slm.engines.llama.lookup import MOST_ROWS
from edge_slm.engines.llama.prefix_store import PrefixStore
from tests.engines.llama.conftest import Engine, OpenEngine

pytestmark = pytest.mark.model

LEAVE = (
    "Réponds en citant le règlement. Règlement : l'agent adresse sa demande au service des "
    "ressources humaines deux mois avant la date. Le chef de service rend son avis par écrit sous "
    "quinze jours et en donne les raisons. Les pièces à joindre sont le formulaire signé, la copie "
    "du livret de famille et le certificat médical."
)
MEALS = LEAVE.replace("deux mois", "trois semaines").replace("Règlement", "Consigne")
ASKED = "Recopie la phrase du règlement sur le délai de la demande."
KEPT = Options(keep_prefix=True)
DRAFTED = Options(keep_prefix=True, lookup=True)


def _about(document: str, question: str = ASKED) -> list[Message]:
    return [Message("system", document), Message("user", question)]


def test_cold_kept_and_drafted_give_the_same_tokens(open_engine: OpenEngine) -> None:
    engine = open_engine()
    cold = engine.say(_about(LEAVE), options=KEPT)
    assert cold.usage.cached_tokens == 0
    in_memory = engine.say(_about(LEAVE), options=KEPT)
    prefix = in_memory.usage.cached_tokens
    assert 64 < prefix < cold.usage.prompt_tokens
    assert len(engine.files()) == 1
    other = engine.say(_about(MEALS), options=KEPT)
    assert other.usage.cached_tokens == 0
    from_disk = engine.say(_about(LEAVE), options=KEPT)
    drafted = engine.say(_about(LEAVE), options=DRAFTED)
    again = open_engine(engine.root)
    restarted = again.say(_about(LEAVE), options=KEPT)
    never_kept = open_engine().say(_about(LEAVE))
    for reply in (in_memory, from_disk, drafted, restarted):
        assert reply.usage.cached_tokens == prefix
        assert reply.same == cold.same
    assert never_kept.same == cold.same
    assert again.say(_about(MEALS), options=DRAFTED).same == other.same


@pytest.mark.parametrize("kv_type", ["f16", "bf16", "q8_0"])
def test_every_kind_of_keys_and_values_answers(open_engine: OpenEngine, kv_type: str) -> None:
    # Long enough for the attention to be split where it ever is.
    prompt = _about(" ".join([LEAVE, MEALS] * 3))
    engine = open_engine(kv_type=kv_type)
    cold = engine.say(prompt, 12, KEPT)
    assert cold.usage.prompt_tokens > 512
    assert cold.text
    # Whatever the proof finds, and once it has been found.
    for _ in range(2):
        assert engine.say(prompt, 12, DRAFTED).same == cold.same
    assert engine.say(prompt, 12, KEPT).same == cold.same


def test_where_the_longest_batch_is_exact_shorter_ones_are(open_engine: OpenEngine) -> None:
    engine = open_engine()
    engine.say(_about(LEAVE), 1 + MOST_ROWS, DRAFTED)
    context = engine.chat._context
    held = len(context.tokens) - MOST_ROWS
    tokens = context.tokens[held:]
    alone = []
    context.rewind(held)
    for token in tokens:
        context.read([token])
        alone.append(context.logits().tobytes())
    exact = []
    for rows in range(2, MOST_ROWS + 1):
        context.rewind(held)
        context.read(tokens[:rows], every=True)
        exact.append([context.logits(row).tobytes() for row in range(rows)] == alone[:rows])
    assert all(exact) or not exact[-1]


def test_nothing_is_drafted_where_batches_are_known_to_differ(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = engine.say(_about(LEAVE), options=KEPT)
    monkeypatch.setattr(engine.chat._proofs, "known", lambda length: False)
    read = engine.chat._context.read
    batches: list[bool] = []

    def tell_and_read(tokens: list[int], *, every: bool = False) -> None:
        batches.append(every)
        read(tokens, every=every)

    monkeypatch.setattr(engine.chat._context, "read", tell_and_read)
    assert engine.say(_about(LEAVE), options=DRAFTED).same == plain.same
    assert batches
    assert not any(batches)


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_flipped, _halved, _emptied])
def test_a_damaged_state_is_made_again(engine: Engine, damage: object) -> None:
    assert callable(damage)
    cold = engine.say(_about(LEAVE), options=KEPT)
    engine.say(_about(MEALS), options=KEPT)
    (path,) = [path for path in engine.files() if _holds(engine, path)]
    whole = path.read_bytes()
    damage(path)
    damaged = engine.say(_about(LEAVE), options=KEPT)
    assert damaged.usage.cached_tokens == 0
    assert damaged.same == cold.same
    assert path.read_bytes()[:200] == whole[:200]
    engine.say(_about(MEALS), options=KEPT)
    assert engine.say(_about(LEAVE), options=KEPT).usage.cached_tokens > 0


def _holds(engine: Engine, path: Path) -> bool:
    prefix = engine.chat._format.tokens(_about(LEAVE)).prefix
    return path == engine.chat._reader._store._path(prefix)


def test_a_foreign_state_is_made_again(engine: Engine) -> None:
    cold = engine.say(_about(LEAVE), options=KEPT)
    engine.say(_about(MEALS), options=KEPT)
    store = engine.chat._reader._store
    prefix = engine.chat._format.tokens(_about(LEAVE)).prefix
    state = store.load(prefix)
    assert state is not None
    foreign = PrefixStore(
        msgspec.structs.replace(store._maker, engine="another"), engine.root / "other"
    )
    assert foreign.save(prefix, state)
    store._path(prefix).write_bytes(foreign._path(prefix).read_bytes())
    reply = engine.say(_about(LEAVE), options=KEPT)
    assert reply.usage.cached_tokens == 0
    assert reply.same == cold.same


@pytest.mark.parametrize("kind", ["noise", "half", "nothing", "longer", "of-others"])
def test_a_state_that_only_llama_can_refuse_is_made_again(engine: Engine, kind: str) -> None:
    cold = engine.say(_about(LEAVE), options=KEPT)
    engine.say(_about(MEALS), options=KEPT)
    store = engine.chat._reader._store
    prefix = engine.chat._format.tokens(_about(LEAVE)).prefix
    state = store.load(prefix)
    assert state is not None
    held = engine.chat._context.state()  # what was read last: a sound state, but of other tokens
    bad = {
        "of-others": held,
        "noise": bytes(range(256)) * 100,
        "half": state[: len(state) // 2],
        "nothing": b"",
        "longer": state + b"more",
    }
    assert store.save(prefix, bad[kind])
    reply = engine.say(_about(LEAVE), options=KEPT)
    assert reply.usage.cached_tokens == 0
    assert reply.same == cold.same
    assert store.load(prefix) == state


def test_a_personal_text_never_reaches_the_disk(open_engine: OpenEngine) -> None:
    engine = open_engine()
    engine.say(_about(LEAVE), 4)
    engine.say([*_about(LEAVE), Message("assistant", "Oui."), Message("user", "Et ?")], 4)
    engine.say(_about(MEALS), 4)
    engine.say(LEAVE, 4)
    assert engine.files() == []
    engine.say(_about(MEALS), 4, KEPT)
    engine.say(_about(LEAVE), 4, KEPT)
    store = engine.chat._reader._store
    allowed = {store._path(engine.chat._format.tokens(_about(d)).prefix) for d in (LEAVE, MEALS)}
    assert set(engine.files()) <= allowed


def test_two_conversations_in_turns_reuse_their_own_beginning(open_engine: OpenEngine) -> None:
    engine = open_engine()
    talks = [_about(LEAVE), _about(MEALS)]
    cached: list[list[int]] = [[], []]
    for _ in range(3):
        for place, talk in enumerate(talks):
            reply = engine.say(talk, 8)
            cached[place].append(reply.usage.cached_tokens)
            talk += [Message("assistant", reply.text), Message("user", "Et ensuite ?")]
    for first, second, third in cached:
        assert first < 64 < second < third
    assert engine.files() == []


def test_what_was_prepared_is_not_read_again(open_engine: OpenEngine) -> None:
    engine = open_engine()
    assert engine.chat.prepare(_about(LEAVE))
    assert not engine.chat.prepare(_about(LEAVE))
    later = open_engine(engine.root)
    reply = later.say(_about(LEAVE), options=KEPT)
    assert reply.usage.cached_tokens > 64
    assert reply.same == open_engine().say(_about(LEAVE), options=KEPT).same


def test_a_model_without_a_name_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_slm.engines.llama.chat import LlamaChat
    from edge_slm.engines.settings import Settings
    from edge_slm.store import Store
    from tests.engines.llama.conftest import MODEL

    path = Store().path(MODEL)
    monkeypatch.setenv("EDGE_SLM_HOME", str(tmp_path))
    chat = LlamaChat(path, settings=Settings(context=512))
    assert list(chat.stream(_about(LEAVE), 1, KEPT))
    chat.close()
    assert [*tmp_path.rglob("*.kv")] == []
