"""The mark of a tip that tripped or was withdrawn outlives whoever set it."""

import pytest

from stmlab.station.places import file_stem, station_directory
from stmlab.station.tip_mark import Mark, Retreat, TipMark
from tests.station.lab import station_config

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


@pytest.mark.parametrize("address", ["TCPIP::127.0.0.1::6501::SOCKET", "simulation:nanonis"])
def test_a_station_marks_its_tip_controller_and_no_other_instrument(address):
    other = "TCPIP::127.0.0.1::5025::SOCKET"
    config = station_config(instruments__controller__address=address, instruments__lockin__address=other)
    assert TipMark.of(config)._address == (None if address.startswith("simulation:") else address)


def test_a_mark_says_what_happened_and_since_when():
    assert str(Mark(Retreat.TRIPPED, "2026-01-01 00:00:00 UTC", "at point 7")) == (
        "SafeTip has tripped (2026-01-01 00:00:00 UTC; at point 7)"
    )
    assert str(Mark(Retreat.WITHDRAWN, "unknown", "")) == "the tip was withdrawn (unknown)"
