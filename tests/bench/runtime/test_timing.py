"""The clock of one reply."""

import time
from collections.abc import Iterator

from edge_slm.answer import Usage
from edge_slm.bench.runtime.timing import Timed, timed
from edge_slm.engines import Done, Piece


def _reply() -> Iterator[Piece | Done]:
    time.sleep(0.05)
    yield Piece("", Usage(3, 0, 1))
    yield Piece("Bon", Usage(3, 0, 1))
    time.sleep(0.05)
    yield Piece("jour", Usage(3, 0, 2))
    yield Done(Usage(3, 1, 3), complete=True)


def test_the_first_text_and_the_rest() -> None:
    reply = timed(_reply())
    assert reply.text == "Bonjour"
    assert reply.usage == Usage(3, 1, 3)
    assert 0.05 <= reply.first_s <= reply.total_s - 0.05
    assert reply.tokens_per_s == 2 / (reply.total_s - reply.first_s)


def test_a_reply_without_text_has_no_speed() -> None:
    reply = timed([Done(Usage(3, 0, 0), complete=True)])
    assert (reply.text, reply.first_s) == ("", reply.total_s)
    assert reply.tokens_per_s == 0.0
    assert Timed("a", 1.0, 1.0, Usage(1, 0, 1)).tokens_per_s == 0.0
