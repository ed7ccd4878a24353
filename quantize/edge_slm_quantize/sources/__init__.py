"""What is given to shrink: opened, checked, and turned from one format into another.

opening                     a store id, a file, a folder or a hub id as a `Source`
open_gguf, open_safetensors, open_ct2      what each format says of itself
folder, shapes, shards      a folder of safetensors: its files, expected tensors, bytes
model_bin                   the header of a CTranslate2 model
checks, finite              what is refused before any work: unsafe, cut, odd, not a number
hub                         a snapshot of a repository
to_gguf*                    safetensors to GGUF
to_hf*, tokenizers, vocabulary, ct2_whisper      the other way
"""
