"""The mark of a tip that tripped or was withdrawn outlives whoever set it."""

import pytest

from stmlab.station.places import file_stem, station_directory
from stmlab.station.tip_mark import Retreat, TipMark

ADDRESS = "TCPIP::192.0.2.1::6501::SOCKET"


@pytest.fixture
def mark():
    yield TipMark(ADDRESS)
    TipMark(ADDRESS).clear()


def test_a_mark_is_seen_by_everybody_until_it_is_cleared(mark):
    assert mark.read() is None
    mark.set(Retreat.TRIPPED, "at point 12")
    seen = TipMark(ADDRESS.replace("TCPIP", "tcpip0")).read()
    assert (seen.why, seen.said) == (Retreat.TRIPPED, "at point 12")
    assert str(seen).startswith("SafeTip has tripped (")
    mark.clear()
    assert TipMark(ADDRESS).read() is None


def test_the_first_reason_stays(mark):
    mark.set(Retreat.TRIPPED, "first")
    mark.set(Retreat.WITHDRAWN, "then")
    assert mark.read().said == "first"


def test_a_mark_that_cannot_be_read_is_a_mark(mark):
    (station_directory() / f"{file_stem(ADDRESS)}.tip").write_text("{}")
    assert mark.read().why is Retreat.WITHDRAWN


def test_marks_of_simulated_tips_stay_in_memory():
    one, other = TipMark(None), TipMark(None)
    one.set(Retreat.WITHDRAWN)
    assert one.read() is not None
    assert other.read() is None
