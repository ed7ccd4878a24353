"""The speech part: our engine and whisper.cpp, on the sample recordings, both with five beams.

Both get the same sound, decoded beforehand to 16 kHz. Ours also looks for stretches without speech
first; that is part of its time.
"""

import os
import statistics
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edge_slm.answer import Usage
from edge_slm.bench.measure import Runs, case_of
from edge_slm.bench.peers import catalogue
from edge_slm.bench.peers.contenders import OURS, asked, work_folder
from edge_slm.bench.peers.rounds import Asked, child_since, rounds
from edge_slm.bench.peers.runner import Runner
from edge_slm.bench.peers.suite import SUITE, Say, spread
from edge_slm.bench.record import Case
from edge_slm.bench.runtime.timing import Timed
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.remote import RemoteTranscriber
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.evaluation.text_scores import word_error_rate
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm.paths import examples_dir
from edge_slm.process_tree import descendants
from edge_slm.progress import progress

LANGUAGE = "fr"
_Hear = Callable[[Path], Timed]
_Present = list[tuple[str, int | None, _Hear, dict[str, Any]]]


def speech(names: Sequence[str], repeats: int, leave_out: Say) -> list[Case]:
    """Measure the speech model in our engine and in peers.

    Args:
        names: peers of the catalogue.
        repeats: timed rounds of each recording.
        leave_out: called with a sentence for a peer that is absent or fails.
    Returns:
        a line for each recording and contender, ours first; its quality is the word error rate.
    Raises:
        MissingError: no speech model is installed, or the sample recordings are not there.
    """
    recordings = _recordings()
    with TemporaryDirectory() as folder, _all(names, leave_out) as (present, model):
        total = (repeats + 1) * len(recordings) * len(present)
        with progress(t("Peers", "Témoins"), total) as advance:
            cases: list[Case] = []
            for path in recordings:
                sound = _decoded(path, Path(folder))
                those = [_asked(one, sound) for one in present]
                done = rounds(those, repeats, leave_out, advance)
                said = path.with_suffix(".txt").read_text("utf-8")
                cases += [
                    _line(path.stem, name, done[name], about, model, said)
                    for name, _, _, about in present
                    if name in done
                ]
                present = [one for one in present if one[0] in done]
        return cases


def _recordings() -> list[Path]:
    found = sorted((examples_dir() / "audio").glob("*.flac"))
    if not found:
        raise MissingError(
            t(
                "The sample recordings are not there: reinstall Edge-SLM.",
                "Les enregistrements d'exemple manquent : réinstallez Edge-SLM.",
            )
        )
    return found


def _asked(one: tuple[str, int | None, _Hear, dict[str, Any]], sound: Path) -> Asked[Timed]:
    name, pid, hear, _ = one
    return Asked(name, pid, lambda _: hear(sound))


@contextmanager
def _all(names: Sequence[str], leave_out: Say) -> Iterator[tuple[_Present, str]]:
    """Yield all contenders that start, and the model's id."""
    with closing(Engines()) as engines, ExitStack() as stack:
        model = engines.speech()[1].id
        spec = next(spec for spec in engines.specs() if spec.model == model)
        before = descendants(os.getpid())
        engines.pool.load(spec)
        ours = RemoteTranscriber(engines.pool, spec)
        present: _Present = [(OURS, child_since(before), lambda path: _heard(ours, path), {})]
        for name in names:
            peer = catalogue.made(name)
            if peer is None:
                leave_out(catalogue.absent(name))
                continue
            try:
                with progress(t("Starting {name}", "Démarrage de {name}", name=name), 0):
                    runner = stack.enter_context(closing(_runner(name, spec)))
            except EdgeSlmError as error:
                leave_out(str(error))
                continue
            about = {
                "peer_version": peer.version,
                "peer_build": peer.build,
                "weights": runner.note,
            }
            present.append((name, runner.pid, _hearer(runner), about))
        yield present, model


def _runner(name: str, spec: Spec) -> Runner:
    kind, peer = catalogue.KINDS[name], catalogue.made(name)
    assert peer
    work = work_folder(kind, spec)
    return Runner(peer, spec.path, threads=compute_threads(), context=0, work=work)


def _hearer(runner: Runner) -> _Hear:
    return lambda path: asked(runner, {"audio": str(path), "language": LANGUAGE})


def _heard(ours: RemoteTranscriber, path: Path) -> Timed:
    import time

    begin = time.perf_counter()
    segments, _, _ = ours.transcribe(path, LANGUAGE)
    first: float | None = None
    texts = []
    for segment in segments:
        first = first or time.perf_counter()
        texts.append(segment.text.strip())
    end = time.perf_counter()
    return Timed(" ".join(texts), (first or end) - begin, end - begin, Usage())


def _decoded(path: Path, folder: Path) -> Path:
    """Write a recording as the 16-bit sound that Whisper hears; return its path."""
    import numpy as np

    from edge_slm.engines import recording

    to = folder / f"{path.stem}.wav"
    samples = np.concatenate([block.samples for block in recording.blocks(path)])
    with wave.open(str(to), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(recording.RATE)
        file.writeframes((samples * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16).tobytes())
    return to


def _line(
    case: str, name: str, runs: Runs[Timed], about: dict[str, Any], model: str, said: str
) -> Case:
    texts = [reply.text for reply in runs.outcomes]
    return case_of(
        SUITE,
        f"speech-{case}",
        runs,
        contender=name,
        model=model,
        quality=word_error_rate(texts, [said] * len(texts)),
        quality_name="wer",
        first_token_s=statistics.median(reply.first_s for reply in runs.outcomes),
        more={**about, "sound": any(texts), "heard": texts[0], **spread(runs)},
    )
