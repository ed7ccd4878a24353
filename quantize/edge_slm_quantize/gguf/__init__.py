"""GGUF recipes: quantised by llama.cpp in process, and looked at afterwards.

make ──┬── source_file   the GGUF that is quantised
       ├── imatrix       how much each input of a matrix weighs, from the user's texts
       ├── quantise      the one call, and its failures as sentences
       └── census, hexagon, repack   the real types of the tensors, and which kernels take them
"""
