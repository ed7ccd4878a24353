"""ONNX recipes: export, quantise, load and score with onnxruntime."""
