"""How text is cut before a byte-level BPE, by llama.cpp's names (src/llama-vocab.cpp).

The patterns are those that the models' makers wrote in tokenizer.json, letter for letter: that is
what files are told apart by.
"""

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Of the others, “gpt-2” is cut by the pattern that tokenizers has built in, “smollm” too, after
# every digit was set apart.
PATTERNS = {
    "qwen2": _WORDS.replace("DIGITS", r"\p{N}"),
    "llama-bpe": _WORDS.replace("DIGITS", r"\p{N}{1,3}"),
}
WHOLE_WORDS_FIRST = "llama-bpe"  # a word of the vocabulary is taken whole, whatever the merges say
NO_PIECE = -10_000.0  # the score that llama.cpp's own converter gives to rows that have no piece
