"""The rungs of the answer ladder that may be used: a policy of the base, or of one request.

A refusal is always allowed.
"""

import msgspec

Rungs = frozenset[str]

ALL: Rungs = frozenset({"approved", "quote", "written"})


def decoded(text: str) -> Rungs:
    """Return the rungs that a base allows, from JSON; all of them from nothing.

    Raises:
        ValueError: the text is no JSON list, or names what is no rung.
    """
    if not text:
        return ALL
    try:
        rungs = frozenset(msgspec.json.decode(text, type=list[str]))
    except msgspec.MsgspecError as error:
        raise ValueError(f"rungs: {error}") from None
    if unknown := rungs - ALL:
        raise ValueError(f"rungs: {', '.join(sorted(unknown))}")
    return rungs
