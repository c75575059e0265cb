"""What a guardian has done is read from its log, whoever it was and whatever else stands there."""

import pytest

from stmlab.errors import StmlabError
from stmlab.station.aftermath import aftermath
from stmlab.station.places import file_stem, station_directory
from tests.station.lab import SIMULATED

BEFORE = """2026-11-30 01:00:00,000 77 watching process 1111 on lab.toml
2026-11-30 01:00:09,000 77 the run was killed
2026-11-30 01:00:10,000 77 the run was killed; the station has been made safe
"""
WATCHED = "2026-11-30 02:00:00,000 88 watching process 4711 on lab.toml\n"
SAFE_AT_LAST = "2026-11-30 02:01:00,000 88 the run was killed; the station has been made safe\n"
NOT_SAFE = (
    "2026-11-30 02:00:10,000 88 the run was killed and THE STATION IS NOT SAFE: awg: no answer; its guardian goes on\n"
)


@pytest.fixture
def log(tmp_path):
    """Writes the guardians' log of a station, whose file is returned."""
    address = "TCPIP::127.0.0.1::50999::SOCKET"
    text = SIMULATED.read_text(encoding="utf-8").replace('"simulation:sr860"', f'"{address}"')
    (station := tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    file = station_directory() / f"{file_stem(address)}.guardian.log"

    def write(text):
        file.write_text(text, encoding="utf-8")
        return str(station)

    yield write
    file.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("text", "safe", "said"),
    [
        (BEFORE, None, "no guardian has watched it"),
        (BEFORE + WATCHED, None, "has not noticed yet"),
        (BEFORE + WATCHED + "2026-11-30 02:00:09,000 88 the run was killed\n", None, "the run was killed"),
        (BEFORE + WATCHED + SAFE_AT_LAST, True, "has been made safe"),
        (BEFORE + WATCHED + NOT_SAFE, False, "awg: no answer"),
        (BEFORE + WATCHED + NOT_SAFE + SAFE_AT_LAST, True, "has been made safe"),
        (WATCHED + SAFE_AT_LAST.replace(" 88 ", " 99 "), None, "has not noticed yet"),  # that was another's guardian
        (WATCHED + WATCHED.replace(" 88 ", " 99 ") + SAFE_AT_LAST.replace(" 88 ", " 99 "), True, "made safe"),
        (WATCHED + "2026-11-30 02:00:09,000 88 the run was killed; there was nothing to make safe\n", True, "nothing"),
        ("no line of a log\n" + WATCHED + SAFE_AT_LAST, True, "made safe"),
    ],
)
def test_the_last_word_of_the_guardians_of_that_run_counts(log, text, safe, said):
    found = aftermath(log(text), 4711)
    assert found.safe is safe
    assert said in found.text


def test_a_simulated_microscope_is_gone_with_its_run():
    assert aftermath("simulated", 4711).safe is True


def test_a_station_that_is_not_there_is_refused():
    with pytest.raises(StmlabError, match="no such station"):
        aftermath("nowhere", 4711)
