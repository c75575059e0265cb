"""Recorded files that are damaged or odd: whatever the kind, the verdict that it must have, and never a traceback."""

import zlib

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.errors import StmlabError
from stmlab.storage.recorded import open_recording
from tests.analysis.recorded.mutations import KINDS, Verdict
from tests.data import make

OF_EACH = 13  # with 42 kinds more than 500
EXPECTED = "the modulation at the junction is not known"  # of every Createc spectrum
TRUTH = {**make.TRUTH, "low": make.LEVELS[0], "high": make.LEVELS[1]}


def random(*words):
    return np.random.default_rng([zlib.crc32(str(word).encode()) for word in words])


def verdict(name, seed, folder):
    """What a fit of one mutated file comes to: a verdict, and what was said."""
    file, content = KINDS[name].make(random(name, seed))
    path = folder / file
    path.write_bytes(content)
    try:
        fits = analyse_recording(open_recording(path))
    except StmlabError as error:
        assert "\n" not in str(error)
        return Verdict.REFUSED, str(error)
    for fit in fits.values():
        for parameter in KINDS[name].holds:
            found = fit[parameter]
            assert abs(found.value - TRUTH[parameter]) < 5 * found.error, (parameter, found, fit.warnings)
            assert found.error < 0.1 * TRUTH[parameter]
    said = "; ".join(warning for fit in fits.values() for warning in fit.warnings if not warning.startswith(EXPECTED))
    silent = Verdict.UNSEEN if KINDS[name].verdict is Verdict.UNSEEN else Verdict.RIGHT
    return (Verdict.WARNED if said else silent), said


def check(name, seed, folder):
    found, said = verdict(name, seed, folder)
    assert found is KINDS[name].verdict, said
    assert KINDS[name].word in said


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_damage_has_its_verdict(name, tmp_path):
    check(name, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_file_of_a_kind_has_its_verdict(name, tmp_path):
    for seed in range(1, OF_EACH):
        check(name, seed, tmp_path)


def test_there_are_kinds_enough_and_what_cannot_be_seen_says_why():
    assert len(KINDS) >= 20
    assert len(KINDS) * OF_EACH >= 500
    assert {kind.verdict for kind in KINDS.values()} == set(Verdict)
    assert all(bool(kind.why) == (kind.verdict is Verdict.UNSEEN) for kind in KINDS.values())
    assert all(kind.word for kind in KINDS.values() if kind.verdict is Verdict.WARNED)


def corrupted(name, seed):
    """The file with some bytes changed, lost or repeated."""
    chance, content = random(name, seed), bytearray((make.HERE / name).read_bytes())
    for _ in range(int(chance.integers(1, 6))):
        at, length = int(chance.integers(len(content))), int(chance.integers(1, 30))
        piece = bytes(content[at : at + length])
        changed = (b"", piece + piece, chance.bytes(length), b"\t", b"-1e308", b"\n")[int(chance.integers(6))]
        content[at : at + length] = changed
    return bytes(content)


def survives(name, seed, folder):
    path = folder / name
    path.write_bytes(corrupted(name, seed))
    try:
        analyse_recording(open_recording(path))
    except StmlabError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", sorted(make.files()))
def test_corrupted_bytes_are_a_refusal_or_a_fit(name, tmp_path):
    for seed in range(4):
        survives(name, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(make.files()))
def test_any_corrupted_bytes_are_a_refusal_or_a_fit(name, tmp_path):
    for seed in range(4, 150):
        survives(name, seed, tmp_path)
