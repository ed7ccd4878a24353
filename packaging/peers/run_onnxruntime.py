"""Runner of ONNX Runtime GenAI on the processor: int4 weights made anew from those of a GGUF file.

The nearest model, not the same: the blocks of the file are widened to floats and rounded again by
the model builder of the package, the last layer and the most sensitive ones to 8 bits.
"""

import json
import os
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnxruntime_genai
from lines import Given, Loaded, Reply, Said, apart, linked, made, run

# k-quant rounding, with 8 bits where llama.cpp's Q4_K_M has 6 or 8: the nearest recipe of the
# builder. It takes minutes; the quick one ("rtn") made the 0.5B forget the capital of Italy.
RECIPE = {
    "algo_config": "k_quant",
    "matmul_mixed_precision": "last_matmul:int8,mixed_layers:int8",
}


def load(given: Given) -> Loaded:
    """Load a GGUF file; the first time, convert it."""
    folder = given.work / "onnx-int4"
    if not folder.exists():
        apart(_convert, linked(given, ".gguf"), folder)
    _set_threads(folder / "genai_config.json", given.threads)
    onnxruntime_genai.disable_telemetry_events()
    model = onnxruntime_genai.Model(str(folder))
    tokenizer = onnxruntime_genai.Tokenizer(model)

    def answer(request: dict[str, Any], said: Said) -> Reply:
        prompt = tokenizer.encode(request["text"])
        params = onnxruntime_genai.GeneratorParams(model)
        longest = len(prompt) + request["max_tokens"]
        params.set_search_options(max_length=longest, do_sample=False, repetition_penalty=1.0)
        generator = onnxruntime_genai.Generator(model, params)
        generator.append_tokens(prompt)
        while not generator.is_done():
            generator.generate_next_token()
            said()
        new = generator.get_sequence(0)[len(prompt) :]
        return Reply(tokenizer.decode(new), len(prompt), len(new))

    return Loaded(answer, "nearest: int4 made from the same weights")


def _convert(path: Path, folder: Path) -> None:
    """Widen the weights to floats, and have the builder make a model of them in `folder`."""
    with TemporaryDirectory(dir=path.parent) as floats, made(folder) as part:
        _widen(path, Path(floats))
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
        options = [
            "-i",
            floats,
            "-o",
            str(part),
            "-p",
            "int4",
            "-e",
            "cpu",
            "-c",
            f"{floats}/cache",
        ]
        recipe = [f"{name}={value}" for name, value in RECIPE.items()]
        subprocess.run([*command, *options, "--extra_options", *recipe], check=True)


def _widen(path: Path, folder: Path) -> None:
    # Half a gigabyte of modules that only a conversion needs.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(folder)


def _set_threads(path: Path, threads: int) -> None:
    """Write the threads into the model's settings: the package takes them from nowhere else."""
    settings = json.loads(path.read_text("utf-8"))
    session = settings["model"]["decoder"]["session_options"]
    session["intra_op_num_threads"] = threads
    path.write_text(json.dumps(settings, indent=2), "utf-8")


if __name__ == "__main__":
    run(load)
