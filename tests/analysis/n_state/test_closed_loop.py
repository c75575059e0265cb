"""Atoms recovered from their maps: that of Betz et al., table 1, on the simulated microscope; those of other spins."""

import numpy as np
import pytest

import stmlab
from sequences.srs_map import StochasticResonanceMap
from stmlab.acquisition.runner import Runner
from stmlab.station import Station
from tests.analysis.n_state import maps
from tests.approximately import close

SETPOINT_A = 2.782e-9  # the reference height of the sample: C_ST = 50 nS
TABLE = {name: value for name, value in maps.TABLE_S1.items() if value} | {"conductance_1": maps.CONDUCTANCE_S}
OTHERS = (
    (1.0, {"axial_anisotropy_meV": -3.0, "transverse_anisotropy_meV": 0.4}, -4.0, 0.01e-12),
    (1.5, {"axial_anisotropy_meV": -1.5, "transverse_anisotropy_meV": 0.3}, -2.0, 0.03e-12),
    (2.5, {"axial_anisotropy_meV": -0.7, "transverse_anisotropy_meV": 0.1}, -3.0, 0.03e-12),
)


def pulls(fit, truth):
    return {name: (fit[name].value - value) / fit[name].error for name, value in truth.items()}


@pytest.mark.slow
def test_the_five_state_atom_of_the_paper_comes_back_from_a_map_of_the_simulated_microscope(tmp_path):
    """Every number of table 1 within 5 %, from starts that are far off."""
    with Station.load("simulated", sample="fe_five_states", seed=31) as station:
        sequence = StochasticResonanceMap(
            dc_bias=-8e-3,
            stop_dc_bias=8e-3,
            dc_points=12,
            amplitude=1e-3,
            stop_amplitude=2.2e-3,
            amplitude_points=2,
            setpoint_current=SETPOINT_A,
            points=30,
            averages=4,
            start_frequency=2e7,
        )
        Runner(sequence, station, tmp_path / "map.h5").run()
    fit = stmlab.fit(tmp_path / "map.h5", "n_state", field="-2 T", temperature="0.5 K")
    assert all(fit[name].value == close(value, rel=0.05) for name, value in TABLE.items())
    assert max(abs(pull) for pull in pulls(fit, TABLE).values()) < 4
    assert fit["conductance_difference"].value == close(-0.255e-6, rel=0.02)
    assert [fit[f"level_{k}"].value for k in range(1, 5)] == close([0.993, 4.442, 6.011, 6.900], rel=0.03)
    assert not fit.warnings


@pytest.mark.slow
@pytest.mark.parametrize(("spin", "truth", "field_T", "noise_A"), OTHERS)
def test_atoms_with_other_numbers_of_states_come_back(tmp_path, spin, truth, field_T, noise_A):
    biases, frequencies = np.linspace(-7e-3, 7e-3, 10), np.geomspace(2e7, 2e10, 20)
    path = maps.atom_map(tmp_path / "map.h5", truth, field_T, 0.5, spin, biases, (1e-3, 2e-3), frequencies, noise_A)
    fit = stmlab.fit(path, "n_state", field=field_T, temperature=0.5, spin=spin)
    every = TABLE | truth
    assert max(abs(pull) for pull in pulls(fit, every).values()) < 4
    assert all(fit[name].value == close(value, rel=0.05, abs=2 * fit[name].error) for name, value in every.items())
    assert fit.choices["system"] == f"S = {spin:g}"
