"""Runner of OpenVINO GenAI on the processor: it reads a GGUF file of Llama, Qwen2 or Qwen3 itself.

Its reader knows few kinds of blocks; others are widened to 8 bits first.
"""

from pathlib import Path
from typing import Any

import openvino_genai
from lines import Given, Loaded, Reply, Said, apart, linked, run
from widen_gguf import needs_widening, widen

# openvino.genai 2026.4, src/cpp/src/gguf_utils/gguf.cpp
KNOWN = ("F32", "F16", "Q4_0", "Q4_1", "Q4_K", "Q6_K", "Q8_0")


def load(given: Given) -> Loaded:
    """Load a GGUF file; the first time, widen it where need be."""
    path, note = _readable(given)
    pipeline = openvino_genai.LLMPipeline(str(path), "CPU", INFERENCE_NUM_THREADS=given.threads)
    tokenizer = pipeline.get_tokenizer()

    def answer(request: dict[str, Any], said: Said) -> Reply:
        prompt = tokenizer.encode(request["text"], add_special_tokens=False)

        def heard(_: str) -> bool:
            said()
            return False

        result = pipeline.generate(
            prompt,
            max_new_tokens=request["max_tokens"],
            do_sample=False,
            apply_chat_template=False,
            streamer=heard,
        )
        new = list(result.tokens[0])
        return Reply(tokenizer.decode(new), prompt.input_ids.shape[1], len(new))

    return Loaded(answer, note)


def _readable(given: Given) -> tuple[Path, str]:
    if not needs_widening(given.model, KNOWN):
        return linked(given, ".gguf"), "same file"
    wide = given.work / "wide.gguf"
    if not wide.exists():
        part = given.work / "part.gguf"
        apart(widen, given.model, part, KNOWN)
        part.rename(wide)
    return wide, "same file, blocks that it cannot read widened to 8 bits"


if __name__ == "__main__":
    run(load)
