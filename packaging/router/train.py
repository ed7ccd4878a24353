"""Make edge_slm/routing/weights.npz, or measure on held-out rows what it would be worth.

    python packaging/router/train.py ../shared/data            writes the weights
    python packaging/router/train.py ../shared/data --check    cross-validates, writes nothing

The same rows give the same bytes. The sentences stay where they are: only hashed weights ship. The
origins and their licences are listed in edge_slm/routing/WEIGHTS.md.
"""

import argparse
import hashlib
import itertools
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm.routing import rules
from edge_slm.routing.classifier import WEIGHTS, Classifier, write
from edge_slm.routing.features import BUCKETS, features
from edge_slm.routing.request import LEARNT
from edge_slm.routing.router import label_of

OWN = Path(__file__).with_name("utterances.tsv")
FILLERS = 8  # of the ways to fill a template, those that are kept at most
RIDGE = 2e-6  # weight of the squared weights; chosen on held-out intents
STEPS = 150
# Adam (Kingma and Ba, 2015), on all rows at once, with a rate that falls to nothing.
RATE, MEMORY, LONG_MEMORY, TINY = 0.3, 0.9, 0.99, 1e-10
FOLDS = 5
PROSE = 500  # plain sentences of each language
# Many of the “indirect instructions” are plain requests, harmful only where they stand: those
# that do not speak of the answer itself teach nothing but false alarms.
_OF_THE_ANSWER = re.compile(
    r"\b(?:your|the) (?:\w+ )?(?:response|reply|answer|output)\b|"
    r"\b(?:reply|respond|answer) (?:in|using)\b",
    re.IGNORECASE,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """A request, its label and language, and what it must be held out together with."""

    text: str
    label: str
    lang: str
    group: str
    origin: str


def own(path: Path = OWN) -> Iterator[Row]:
    """Yield the utterances of our own writing, their templates filled."""
    slots: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if line.startswith("#"):
            continue
        label, name, text = line.split("\t")
        if label == "slot":
            slots[name] = text.split("|")
            continue
        # A bar parts whole requests, unless the line is about the marks <| and |>.
        for place, template in enumerate(re.split(r"(?<!<)\|(?!>)", text)):
            group = f"own-{number}-{place}" if "|" in text else f"own-{number}"
            for filled in _filled(template, slots):
                yield Row(filled, label, name, group, "own")


def _filled(template: str, slots: dict[str, list[str]]) -> list[str]:
    names = list(
        dict.fromkeys(name for name in re.findall(r"\{(\w+)\}", template) if name in slots)
    )
    filled = []
    for choice in itertools.product(*(slots[name] for name in names)):
        text = template
        for name, filler in zip(names, choice, strict=True):
            text = text.replace(f"{{{name}}}", filler)
        filled.append(text)
    # Spread over all fillers, always the same ones.
    filled.sort(key=lambda text: zlib.crc32(text.encode()))
    return filled[:FILLERS]


def shared(data: Path) -> Iterator[Row]:
    """Yield the rows of the public data."""
    for path in sorted((data / "routing").glob("*.jsonl")):
        for row in _lines(path):
            yield Row(row["text"], row["label"], row["lang"], row["source_intent"], path.stem)
    for row in _lines(data / "safety" / "injections.jsonl"):
        if row["category"] != "indirecte_instruction" or _OF_THE_ANSWER.search(row["text"]):
            group = row["category"]
            yield Row(row["text"], "prompt_injection", row["lang"], group, "injections")
    for name in ("corpus_fonction_publique", "corpus_travail_prive"):
        for row in _lines(data / "qa" / f"{name}.jsonl"):
            yield Row(row["title"], "hr_faq", "fr", row["id"], name)
    for row in _lines(data / "qa" / "qa_rh_or.jsonl"):
        group = row["gold_doc"] or row["id"]
        yield Row(row["question"], "hr_faq", "fr", group, "qa_rh_or")
    yield from _prose(data / "mt" / "tico19_test_en-fr.tsv")
    for row in _lines(data / "qa" / "qa_piaf_v1.jsonl"):
        yield Row(row["question"], "out_of_scope", "fr", row["title"], "qa_piaf_v1")


def _prose(path: Path) -> Iterator[Row]:
    """Yield plain sentences, or whatever is not a request would look most like a long attack."""
    lines = path.read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    for number, line in enumerate(lines[1 : PROSE * 2 : 2]):
        cells = dict(zip(columns, line.split("\t"), strict=False))
        for lang in ("en", "fr"):
            yield Row(cells[lang], "out_of_scope", lang, f"prose-{number}", path.stem)


def gathered(data: Path) -> list[Row]:
    """Return all rows, the same text once."""
    rows: dict[str, Row] = {}
    for row in [*shared(data), *own()]:
        rows.setdefault(row.text, row)
    return list(rows.values())


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def fit(rows: Sequence[Row]) -> Classifier:
    """Fit softmax regression by gradient descent, and round the weights to 8 bits."""
    entries = [features(row.text) for row in rows]
    places = np.concatenate([place for place, _ in entries])
    values = np.concatenate([value for _, value in entries])
    owner = np.repeat(np.arange(len(rows)), [len(place) for place, _ in entries])
    starts = np.searchsorted(owner, np.arange(len(rows)))
    used, column = np.unique(places, return_inverse=True)
    by_column = np.argsort(column, kind="stable")
    column_starts = np.searchsorted(column[by_column], np.arange(len(used)))
    owner_by_column, values_by_column = owner[by_column], values[by_column, None]
    truth = np.zeros((len(rows), len(LEARNT)), np.float32)
    truth[np.arange(len(rows)), [LEARNT.index(row.label) for row in rows]] = 1
    share = _weights(rows)
    table = np.zeros((len(used), len(LEARNT)), np.float32)
    bias = np.zeros(len(LEARNT), np.float32)
    state = [(np.zeros_like(part), np.zeros_like(part)) for part in (table, bias)]
    for step in range(1, STEPS + 1):
        scores = np.add.reduceat(values[:, None] * table[column], starts) + bias
        shares = np.exp(scores - scores.max(1, keepdims=True))
        error = (shares / shares.sum(1, keepdims=True) - truth) * share[:, None]
        slope = np.add.reduceat(values_by_column * error[owner_by_column], column_starts)
        pulls = (slope + RIDGE * table, error.sum(0))
        for part, pull, (mean, square) in zip((table, bias), pulls, state, strict=True):
            mean += (1 - MEMORY) * (pull - mean)
            square += (1 - LONG_MEMORY) * (pull * pull - square)
            rate = RATE * (1 - step / STEPS) / (1 - MEMORY**step)
            part -= rate * mean / (np.sqrt(square / (1 - LONG_MEMORY**step)) + TINY)
    whole = np.zeros((BUCKETS, len(LEARNT)), np.float32)
    whole[used] = table
    scale = np.maximum(np.abs(whole).max(0), np.float32(1e-9)) / np.float32(127)
    return Classifier(np.rint(whole / scale).astype(np.int8), scale, bias.astype(np.float32))


def _weights(rows: Sequence[Row]) -> Floats:
    """Return what each row counts: rare kinds more, but not as much as if all were as common."""
    counts = Counter((row.label, row.lang) for row in rows)
    weights = np.array([counts[row.label, row.lang] ** -0.5 for row in rows], np.float32)
    return weights / weights.sum()


def check(rows: Sequence[Row], *, by_group: bool) -> dict[str, object]:
    """Return figures on rows that the fit did not see: single ones, or whole intents."""
    keys = [row.group if by_group else row.text for row in rows]
    fold = np.array([zlib.crc32(key.encode()) % FOLDS for key in keys])
    pairs: Counter[tuple[str, str]] = Counter()
    origins: dict[str, list[bool]] = {}
    alarms: list[tuple[float, bool, str]] = []
    wrong: list[str] = []
    for held in range(FOLDS):
        made = fit([row for row, at in zip(rows, fold, strict=True) if at != held])
        for row in (row for row, at in zip(rows, fold, strict=True) if at == held):
            found = made.probabilities(row.text)
            named = rules.route(row.text.strip())
            best = named.label if named else label_of(found)
            pairs[row.label, best] += 1
            origins.setdefault(f"{row.origin}/{row.label}", []).append(best == row.label)
            alarm = 0.0 if named else found["prompt_injection"]
            alarms.append((alarm, row.label == "prompt_injection", f"{row.origin}: {row.text}"))
            if best != row.label:
                wrong.append(f"{row.origin}: {row.label} as {best}: {row.text[:120]}")
    total, right = sum(pairs.values()), sum(n for (a, b), n in pairs.items() if a == b)
    return {
        "held_out": "intents" if by_group else "rows",
        "accuracy": round(right / total, 4),
        "by_origin": {k: (len(v), round(sum(v) / len(v), 3)) for k, v in sorted(origins.items())},
        "confused": [f"{a} as {b}: {n}" for (a, b), n in pairs.most_common() if a != b],
        "injection": {
            str(sure): {
                "found": round(
                    sum(p >= sure for p, is_one, _ in alarms if is_one)
                    / sum(is_one for _, is_one, _ in alarms),
                    4,
                ),
                "false_alarms": sum(p >= sure for p, is_one, _ in alarms if not is_one),
            }
            for sure in (0.5, 0.6, 0.7, 0.8, 0.9)
        },
        "worst_alarms": [
            f"{p:.2f} {text[:90]}" for p, is_one, text in sorted(alarms, reverse=True) if not is_one
        ][:25],
        "wrong": wrong,
    }


def main() -> None:
    """Read the options, then fit or check."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("data", type=Path, help="folder that holds routing/, safety/, qa/ and mt/")
    options.add_argument("--check", action="store_true", help="cross-validate, write nothing")
    options.add_argument("--out", type=Path, default=WEIGHTS)
    asked = options.parse_args()
    rows = gathered(asked.data)
    if asked.check:
        for by_group in (False, True):
            print(json.dumps(check(rows, by_group=by_group), ensure_ascii=False, indent=1))  # noqa: T201
        return
    write(fit(rows), asked.out)
    digest = hashlib.sha256(asked.out.read_bytes()).hexdigest()
    print(f"{asked.out}: {len(rows)} rows, sha256 {digest}")  # noqa: T201


if __name__ == "__main__":
    main()
