"""The project's own recorded files, read and fitted: what they hold is what their script put into them."""

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.analysis.steps.shapes import StepShape
from stmlab.storage.recorded import open_recording
from tests.data import make

NAMES = sorted(make.files())


def fits(name):
    return analyse_recording(open_recording(make.HERE / name))


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_those_of_their_script(name, tmp_path):
    path = tmp_path / name
    path.write_text(make.files()[name], encoding="utf-8")
    made, stored = open_recording(path), open_recording(make.HERE / name)
    assert made.header == stored.header
    for one, other in zip(made.columns, stored.columns, strict=True):
        assert (one.name, one.unit) == (other.name, other.unit)
        np.testing.assert_allclose(one.values, other.values, rtol=1e-5, atol=1e-6 * np.abs(one.values).max())


def test_their_steps_are_steps():
    x = np.linspace(-3, 3, 121)
    np.testing.assert_allclose(make.step(x), StepShape(1.0).step(x), atol=1e-6)


@pytest.mark.parametrize("name", ["spectrum.dat", "there_and_back.VERT"])
def test_a_spectrum_gives_its_energies_in_both_directions(name):
    found = fits(name)
    assert list(found) == ["forward", "backward"]
    for fit, offset in zip(found.values(), (0.0, make.BACKWARD_OFFSET), strict=True):
        for parameter, true in {**make.TRUTH, "bias_offset": offset}.items():
            assert abs(fit[parameter].value - true) < 4 * fit[parameter].error
            assert fit[parameter].error < 0.02
        assert fit.warnings == () or all("modulation" in warning for warning in fit.warnings)


@pytest.mark.parametrize("name", ["trace.dat", "trace.VERT"])
def test_a_trace_gives_its_rates(name):
    fit = fits(name)["trace"]
    for parameter, true in zip(("rate_up", "rate_down", "low", "high"), (*make.RATES, *make.LEVELS), strict=True):
        assert abs(fit[parameter].value - true) < 4 * fit[parameter].error
    assert fit["rate"].error < 15


def test_a_frequency_and_a_delay_sweep_give_the_rate_and_t1():
    rate, t1 = fits("frequency.dat")["forward"]["rate"], fits("delay.dat")["forward"]["T1"]
    assert abs(rate.value - make.RATE) < 4 * rate.error < 0.1 * make.RATE
    assert abs(t1.value - make.T1) < 4 * t1.error < 0.1 * make.T1
