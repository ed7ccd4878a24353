"""Text as the tokenizer of the E5 models expects it.

The GGUF file carries the pieces and their scores, not the character map that SentencePiece
applies before them ("nmt_nfkc": spaces and controls, then Unicode NFKC): it is applied here. Knows
nothing of the "query: " and "passage: " prefixes, which the caller adds after normalising.
"""

import re
import unicodedata

# SentencePiece's NMT rules, beyond NFKC: these controls vanish…
_DROPPED = (0x00, *range(0x01, 0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F)
# …and these invisible characters, line ends and stand-ins are spaces.
_SPACES = (
    *(0x09, 0x0A, 0x0C, 0x0D, 0x1680, *range(0x200B, 0x2010), 0x2028, 0x2029),
    *(0x2581, 0xFEFF, 0xFFFD),
)
_NMT = {**dict.fromkeys(_DROPPED), **dict.fromkeys(_SPACES, " ")}

_FULLWIDTH_TILDE = "～"
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """Return `text` in NFKC with single spaces, none at either end; "" when nothing is left.

    Applying it twice changes nothing. Lone surrogates, which no UTF-8 file can hold, are dropped.
    """
    mapped = _LONE_SURROGATES.sub("", text).translate(_NMT)
    # The NMT rules keep the full-width tilde (U+FF5E), which NFKC would make an ASCII one.
    folded = _FULLWIDTH_TILDE.join(
        unicodedata.normalize("NFKC", part) for part in mapped.split(_FULLWIDTH_TILDE)
    )
    return " ".join(folded.split())
