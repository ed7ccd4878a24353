"""A Whisper model in ONNX that writes down what is said: greedily, half a minute at a time.

No beams, no second try at another temperature, no time stamps: enough to tell whether a recipe
hears worse than the source, less than an assistant uses. Prompt and tokens that are not allowed:
A. Radford et al., “Robust Speech Recognition via Large-Scale Weak Supervision”, 2022, 2.3, and the
model's generation_config.json.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.json_files import read_json_if_there

RATE = 16_000
WINDOW = 30  # seconds that the encoder takes
LONGEST = 224  # tokens of one window: half of the decoder's 448 places
_LOWEST = -1e9


class Transcriber:
    """Encoder, decoder and tokenizer of one folder."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Load them.

        Raises:
            MissingError: a package of the extra is not installed.
            EdgeSlmError: a graph is missing or does not load.
        """
        self._encoder = session(folder / "encoder_model.onnx", threads)
        self._decoder = session(folder / "decoder_model_merged.onnx", threads)
        self._tokenizer = tokenizers.load(folder / tokenizers.FILE)
        self._outputs = [one.name for one in self._decoder.get_outputs()]
        self._past = {
            one.name: [1, one.shape[1], 1, one.shape[3]]
            for one in self._decoder.get_inputs()
            if one.name.startswith("past_key_values")
        }
        told = read_json_if_there(folder / "generation_config.json")
        self._never = [int(token) for token in told.get("suppress_tokens") or []]
        self._mels = self._encoder.get_inputs()[0].shape[1]
        self._end = self._token("<|endoftext|>")

    def transcribe(self, audio: Path) -> str:
        """Return what is said in a sound file; the first half minute tells the language."""
        samples = need("faster_whisper.audio").decode_audio(str(audio), sampling_rate=RATE)
        width = RATE * WINDOW
        language: int | None = None
        written = []
        for start in range(0, max(1, len(samples)), width):
            hidden = self._heard(samples[start : start + width])
            language = language or self._language(hidden)
            written.append(self._write(hidden, language))
        return " ".join(text for text in written if text)

    def _heard(self, samples: np.ndarray) -> np.ndarray:
        extractor = need("faster_whisper.feature_extractor").FeatureExtractor(
            feature_size=self._mels
        )
        full = np.zeros(RATE * WINDOW, np.float32)
        full[: len(samples)] = samples
        features = extractor(full)[:, : WINDOW * 100]  # 100 columns a second
        return np.asarray(
            self._encoder.run(None, {"input_features": features[None].astype(np.float32)})[0]
        )

    def _language(self, hidden: np.ndarray) -> int:
        start = self._token("<|startoftranscript|>")
        first, last = start + 1, self._token("<|translate|>")
        if last <= first:
            raise EdgeSlmError(
                t(
                    "This Whisper model knows one language only, which is not supported here.",
                    "Ce modèle Whisper ne connaît qu'une langue, ce qui n'est pas pris en charge.",
                )
            )
        scores, _ = self._step([start], hidden, {})
        return first + int(scores[first:last].argmax())

    def _write(self, hidden: np.ndarray, language: int) -> str:
        prompt = [self._token("<|startoftranscript|>"), language]
        prompt += [self._token("<|transcribe|>"), self._token("<|notimestamps|>")]
        scores, past = self._step(prompt, hidden, {})
        written: list[int] = []
        while len(written) < LONGEST:
            scores[self._never] = _LOWEST
            scores[self._end + 1 :] = _LOWEST  # control tokens come after it
            token = int(scores.argmax())
            if token == self._end:
                break
            written.append(token)
            scores, past = self._step([token], hidden, past)
        return str(self._tokenizer.decode(written)).strip()

    def _step(
        self, tokens: list[int], hidden: np.ndarray, past: dict[str, Any]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the scores after the last token, and keys and values for the next step."""
        first = not past
        feed = past or {name: np.zeros(shape, np.float32) for name, shape in self._past.items()}
        given = {
            **feed,
            "input_ids": np.array([tokens], np.int64),
            "encoder_hidden_states": hidden,
            "use_cache_branch": np.array([not first]),
        }
        found = dict(zip(self._outputs, self._decoder.run(self._outputs, given), strict=True))
        # With a past, the graph does not compute the encoder's keys again: those of the first stay.
        after = {
            name: found[name.replace("past_key_values", "present")]
            if first or ".decoder." in name
            else feed[name]
            for name in self._past
        }
        return found["logits"][0, -1].astype(np.float32), after

    def _token(self, name: str) -> int:
        found = self._tokenizer.token_to_id(name)
        if found is None:
            raise EdgeSlmError(
                t(
                    "The tokenizer has no {name}: this is no Whisper model.",
                    "Le tokenizer n'a pas {name} : ce n'est pas un modèle Whisper.",
                    name=name,
                )
            )
        return int(found)
