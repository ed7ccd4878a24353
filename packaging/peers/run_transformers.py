"""Runner of transformers on the processor: the weights of a GGUF file, taken out of their blocks.

16-bit floats (bfloat16) where the processor computes with them, else 32-bit ones.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

from pathlib import Path
from typing import Any

import torch
from lines import Given, Loaded, Reply, Said, apart, linked, made, run
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation.streamers import BaseStreamer


class _First(BaseStreamer):
    """Calls `said` at the first token; the first `put` brings the prompt."""

    def __init__(self, said: Said) -> None:
        self._said, self._puts = said, 0

    def put(self, value: Any) -> None:
        self._puts += 1
        if self._puts == 2:
            self._said()

    def end(self) -> None:
        pass


def load(given: Given) -> Loaded:
    """Load a GGUF file."""
    torch.set_num_threads(given.threads)
    dtype = torch.bfloat16 if _computes_bfloat16() else torch.float32
    folder = given.work / str(dtype).removeprefix("torch.")
    if not folder.exists():
        apart(_convert, linked(given, ".gguf"), folder, dtype)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()

    def answer(request: dict[str, Any], said: Said) -> Reply:
        prompt = tokenizer(request["text"], add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            written = model.generate(
                **prompt,
                max_new_tokens=request["max_tokens"],
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                streamer=_First(said),
                pad_token_id=tokenizer.eos_token_id,
            )
        read = prompt["input_ids"].shape[1]
        new = written[0, read:]
        return Reply(tokenizer.decode(new, skip_special_tokens=True), read, len(new))

    return Loaded(answer, f"same weights, {str(dtype).removeprefix('torch.')}")


def _convert(path: Path, folder: Path, dtype: torch.dtype) -> None:
    """Widen the weights once: the library takes a minute for half a gigabyte."""
    source = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    with made(folder) as part:
        AutoTokenizer.from_pretrained(**source).save_pretrained(part)
        AutoModelForCausalLM.from_pretrained(**source, dtype=dtype).save_pretrained(part)
    (folder / "tokenizer.model").unlink(missing_ok=True)  # 4.57.6 saves the GGUF file as one


def _computes_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


if __name__ == "__main__":
    run(load)
