"""Closed loop for six spin systems, each against its alternatives; many seeds: tests/campaigns/spin_systems.py."""

import pytest

from stmlab.analysis.transport import fit_systems
from tests.analysis.systems.known import KNOWN
from tests.analysis.systems.runs import data, written

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", KNOWN)
def test_a_system_comes_back_with_its_parameters_and_is_told_from_its_alternatives(tmp_path, name):
    known = KNOWN[name]
    system, spectra = data(written(tmp_path / "mine.toml", known.text), known.truth, known.places, known.bias, seed=3)
    fit = fit_systems(spectra, [system, *system.alternatives])
    assert fit.choices["system"] == system.label
    for parameter in ("D", "E", "J"):
        if parameter in known.truth:
            off = abs(fit[parameter].value - known.truth[parameter])
            assert off < min(0.02 * abs(known.truth[parameter]), 3.5 * fit[parameter].error), parameter
    assert not any("does not hold" in warning for warning in fit.warnings)
