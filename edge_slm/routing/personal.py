"""Whether a request holds data that tells one person from all others."""

from edge_slm.privacy.finding import find

LONGEST = 4000  # characters looked at
# A name alone, or a date of birth alone, is in many a question; together they are an identity.
IDENTITY = {"NOM", "DATE_NAISSANCE"}


def names_someone(text: str) -> bool:
    """Return whether a text holds an identifier, an address or number, or a full identity."""
    found = {span.label for span in find(text[:LONGEST])}
    return bool(found - IDENTITY) or found >= IDENTITY
