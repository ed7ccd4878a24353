"""`edge-slm quantize`: shrink a model for a device, and prove what it cost.

    command ── job ──┬── sources/   what is given: safetensors, GGUF, CTranslate2, a store id
                     ├── search/    targets, gate, plan, cluster
                     ├── gguf/ onnx/ ct2/ npu/   one folder a format: make it, score it
                     ├── measure/   texts, divergence, speed, task suites
                     └── report/    JSON, Markdown, HTML, model card

May import `edge_slm`; `edge_slm` never imports this. Heavy packages (torch, transformers, optimum,
onnxruntime, onnx, ctranslate2) are in the extra `quantize` and imported where they are used; GGUF
recipes need none of them.
"""

# Shown in the listing of commands: (English, French).
SUMMARY = (
    "Shrink a model for a device, and prove what it cost.",
    "Réduire un modèle pour un appareil, et prouver ce que cela coûte.",
)
