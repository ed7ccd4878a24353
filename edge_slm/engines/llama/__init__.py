"""llama.cpp: chat models and the embedder."""
