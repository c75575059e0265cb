"""Fits of recorded files: which column is taken, what is refused, and what a careful reader sees in the real ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FileError, FitError
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from stmlab.storage.recorded import Column, Recording, open_recording
from tests.approximately import close
from tests.recorded_files import RECORDED, recorded

BIAS = np.linspace(-10e-3, 10e-3, 401)


def read(seed, inner=2.0, outer=5.0):
    x, shape = 1e3 * BIAS, StepShape(2.0)
    steps = sum(shape.step(side * x - e) for e in (inner, outer) for side in (-1, 1))
    return 1e-3 * (1 + steps + 0.02 * np.random.default_rng(seed).standard_normal(BIAS.size))


def recording(*columns, first=("Bias calc", "V", BIAS), interval=None):
    return Recording(Path("x.dat"), "nanonis", {}, tuple(Column(*c) for c in (first, *columns)), interval)


def current(conductance):
    return np.concatenate([[0.0], np.cumsum(0.5 * (conductance[1:] + conductance[:-1]) * np.diff(BIAS))])


def test_the_lockin_column_is_taken_in_both_directions():
    file = recording(
        ("Current", "A", current(read(0))),
        ("LIX 1 omega", "A", read(1)),
        ("LIX 1 omega [bwd]", "A", read(2, 2.3)),
        ("LIX 1 omega [00001]", "A", read(3, 3.0)),
    )
    fits = analyse_recording(file)
    assert list(fits) == ["forward", "backward"]
    assert fits["forward"]["inner_energy"].value == pytest.approx(2.0, abs=0.03)
    assert fits["backward"]["inner_energy"].value == pytest.approx(2.3, abs=0.03)
    assert fits["forward"].labels["y"] == "LIX 1 omega"


def test_an_average_finds_its_backward_sweep():
    file = recording(
        ("LockIn [AVG]", "V", read(1)), ("LockIn [bwd]", "V", read(2)), ("LockIn [AVG] [bwd]", "V", read(3))
    )
    backward = analyse_recording(file)["backward"]
    np.testing.assert_allclose(backward.curves["data"], read(3))


def test_the_in_phase_reading_of_the_first_harmonic_is_taken_wherever_it_stands():
    nothing = np.random.default_rng(9).standard_normal(BIAS.size)
    file = recording(
        ("LI Demod 1 Y", "A", nothing),
        ("Lock-in Y", "V", nothing),
        ("LI Demod 2 X", "A", nothing),
        ("LI Demod 1 X [filt]", "A", read(1, 3.0)),
        ("LI Demod 1 X [00001]", "A", nothing),
        ("LI Demod 1 X [bwd]", "A", read(2, 2.3)),
        ("LI Demod 1 X", "A", read(1)),
    )
    fits = analyse_recording(file)
    assert fits["forward"].choices["column"] == "LI Demod 1 X"
    assert fits["backward"]["inner_energy"].value == pytest.approx(2.3, abs=0.03)


def test_a_file_with_a_backward_sweep_alone_has_a_backward_fit():
    assert list(analyse_recording(recording(("LIX 1 omega [bwd]", "A", read(1))))) == ["backward"]


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1e3), ("uV", 1e6)])
def test_a_bias_in_another_unit_of_the_volt_is_the_same_bias(unit, factor):
    fit = analyse_recording(recording(("LIX", "V", read(1)), first=("Bias", unit, factor * BIAS)))["forward"]
    assert fit["inner_energy"].value == pytest.approx(2.0, abs=0.03)


def test_points_that_are_no_numbers_are_left_out_and_told():
    holes = read(1)
    holes[[3, 200, 300]] = [np.nan, np.inf, np.nan]
    fit = analyse_recording(recording(("LIX", "V", holes)))["forward"]
    assert fit.points == 398
    assert "3 of 401 points are no numbers, and left out" in fit.warnings


def test_a_current_swept_there_and_back_is_differentiated():
    way = np.concatenate([np.arange(BIAS.size), np.arange(BIAS.size)[::-1]])
    file = recording(("Current", "nA", 1e9 * current(read(0))[way]), first=("Bias", "V", BIAS[way]))
    fit = analyse_recording(file)["forward"]
    assert fit["outer_energy"].value == pytest.approx(5.0, abs=0.1)
    assert fit["outer_height_positive"].unit == "S"


def test_without_a_lockin_the_current_is_differentiated_and_it_is_said():
    fit = analyse_recording(recording(("Current", "A", current(read(0)))))["forward"]
    assert fit["outer_energy"].value == pytest.approx(5.0, abs=0.1)
    assert fit.labels["y"] == "d(Current)/dV"
    assert any("numerical derivative" in warning for warning in fit.warnings)


@pytest.mark.parametrize("pairs", [1, 2])
@pytest.mark.parametrize("method", ["steps", "gaussians"])
def test_steps_are_fitted_by_either_method_with_one_pair_or_two(pairs, method):
    x, shape = 1e3 * BIAS, StepShape(2.0)
    seen = (
        read(0) if pairs == 2 else 1e-3 * (1 + shape.step(x - 2.0) + shape.step(-x - 2.0)) + 0.02 * (read(1) - read(2))
    )
    model = method + ("_one_pair" if pairs == 1 else "")
    fit = analyse_recording(recording(("LIX 1 omega", "A", seen)), model)["forward"]
    assert fit.model == model
    assert fit["inner_energy"].value == pytest.approx(2.0, abs=4 * fit["inner_energy"].error)
    assert fit["inner_energy"].error < 0.1
    assert ("outer_energy" in {p.name for p in fit.parameters}) is (pairs == 2)
    assert ("inner_width_positive" in {p.name for p in fit.parameters}) is (method == "gaussians")


def test_a_column_can_be_named():
    file = recording(("LIX", "V", read(1)), ("Input 3", "V", read(2, 2.4)))
    assert analyse_recording(file, channel="Input 3")["forward"]["inner_energy"].value == pytest.approx(2.4, abs=0.03)
    with pytest.raises(FileError, match="no column 'Input 4'; there are Bias calc, LIX, Input 3"):
        analyse_recording(file, channel="Input 4")


def test_a_named_column_in_amperes_beside_a_current_is_a_reading():
    flowing = ("Current", "A", current(read(0)))
    named = analyse_recording(recording(flowing, ("Input 3", "A", read(2, 2.4))), channel="Input 3")["forward"]
    assert named["inner_energy"].value == pytest.approx(2.4, abs=0.03)
    alone = analyse_recording(recording(("Input 3", "A", current(read(0)))), channel="Input 3")["forward"]
    assert alone.labels["y"] == "d(Input 3)/dV"


def test_what_answers_a_frequency_is_the_lockin_in_its_unit():
    frequency = np.geomspace(3e6, 1.5e10, 50)
    line = 8e-3 - 5e-3 / (1 + (2 * np.pi * frequency / 1.5e9) ** 2)
    line = line + 4e-5 * np.random.default_rng(0).standard_normal(50)
    file = recording(("Current", "A", 0 * line + 1e-11), ("SRX", "V", line), first=("RF", "GHz", 1e-9 * frequency))
    fit = analyse_recording(file)["forward"]
    assert abs(fit["rate"].value - 1.5e9) < 4 * fit["rate"].error
    assert (fit["step"].unit, fit.labels["y_unit"], fit.choices["column"]) == ("V", "V", "SRX")


def test_a_decay_over_a_time_is_fitted_where_it_is_asked_for():
    delay = np.linspace(-300e-9, 300e-9, 61)
    seen = 1e-12 + 4e-12 * np.exp(-np.abs(delay) / 60e-9)
    seen += 4e-14 * np.random.default_rng(0).standard_normal(61)
    file = recording(("Current", "A", seen), first=("Time", "s", delay))
    fit = analyse_recording(file, "decay", settings={"fitted_sides": "positive"})["forward"]
    assert abs(fit["T1"].value - 60e-9) < 4 * fit["T1"].error


def test_a_trace_of_one_column_needs_no_name():
    file = recording(("Input 1", "mV", 1e15 * switching()), first=("Time", "s", 1e-3 * np.arange(4000)))
    fit = analyse_recording(file)["trace"]
    assert (fit["step"].unit, fit.labels["y_unit"]) == ("V", "V")
    assert fit["step"].value == close(1.0, rel=0.02)


def test_the_harmonics_of_the_header_choose_the_demodulator():
    header = {"Lock-in>Harmonic [First]": "2", "Lock-in>Harmonic [Second]": "1"}
    demods = ("LI Demod 1 X", "V", read(3, 3.0)), ("LI Demod 2 X", "V", read(1))
    file = recording(("Current", "A", current(read(0))), *demods)
    fit = analyse_recording(replace(file, header=header))["forward"]
    assert fit.choices["column"] == "LI Demod 2 X"


def test_a_temperature_of_the_header_that_does_not_suit_is_told():
    file = recording(("Current", "A", current(read(0))), ("LIX", "V", read(1)))
    told = analyse_recording(replace(file, header={"Temperature 1>Temperature 1 (K)": "4"}))["forward"]
    suits = analyse_recording(replace(file, header={"Temperature 1>Temperature 1 (K)": "2"}))["forward"]
    assert any("a free temperature would be (2.0" in warning for warning in told.warnings)
    assert not any("a free temperature" in warning for warning in suits.warnings)


def test_a_sweep_that_holds_no_fit_is_named_by_the_others():
    way = np.r_[np.arange(BIAS.size), np.arange(BIAS.size)[:250:-1]]
    file = recording(("LIX", "V", read(1)[way]), first=("Bias", "V", BIAS[way]))
    found = analyse_recording(file)
    assert list(found) == ["forward"]
    assert any("the sweep backward is refused: bias" in warning for warning in found["forward"].warnings)


def switching(samples=4000):
    random, states, k = np.random.default_rng(1), np.zeros(samples), 0
    while k < samples:
        for state in (0, 1):
            length = 1 + int(random.exponential(40))
            states[k : k + length] = state
            k += length
    return 1e-12 * (states + 0.05 * random.standard_normal(samples))


def test_the_transport_model_takes_the_lockin_in_siemens_by_the_current():
    junction = TunnelJunction(SpinSystem((Spin(1, -3.1, 0.6),)), 2.0, 30e-9, potential_scattering=0.5)
    conductance = junction.conductance(BIAS) * (1 + 2e-3 * np.random.default_rng(1).standard_normal(BIAS.size))
    file = recording(
        ("Current", "A", current(conductance) + 1e-12),
        ("LockIn", "V", -2e8 * conductance),
        ("LockIn [bwd]", "V", -2e8 * conductance[::-1]),
    )
    fit = analyse_recording(file, "transport")["forward"]
    assert fit["conductance_1"].value == close(30e-9, rel=0.01)
    assert fit["axial_anisotropy_meV"].value == pytest.approx(-3.1, abs=4 * fit["axial_anisotropy_meV"].error)
    assert abs(fit["potential_scattering"].value) == pytest.approx(0.5, abs=0.02)
    assert fit.labels["y"] == "LockIn"


def test_a_lockin_that_is_not_the_derivative_of_the_current_is_not_taken_in_siemens():
    file = recording(("Current", "A", 1e-9 * np.sin(BIAS / 1e-3)), ("LockIn", "V", read(1)))
    with pytest.raises(FitError, match="not the derivative of the recorded current"):
        analyse_recording(file, "transport")


STILL = ("Bias", "V", np.full(4000, 0.1))


def test_a_trace_is_fitted_for_its_rates():
    fit = analyse_recording(recording(("Current", "A", switching()), first=STILL, interval=2e-3))["trace"]
    assert fit["rate_up"].value == close(1 / 40 / 2e-3, rel=0.4)
    assert fit["step"].value == close(1e-12, rel=0.02)


@pytest.mark.parametrize(
    ("file", "settings", "complaint"),
    [
        (
            recording(("LIX", "V", read(1))),
            {"model": "exchange"},
            "model 'exchange' is not for recorded files: steps, steps_one_pair, .*, telegraph, srs, .* are",
        ),
        (recording(("Current", "A", switching()), first=STILL), {}, "does not say the interval of its samples"),
        (recording(("Current", "A", switching()), first=STILL, interval=1e-3), {"model": "steps"}, "stands still"),
        (recording(("Z", "m", read(1))), {}, "no current among Bias calc, Z: name the channel"),
        (recording(("Current", "A", read(1)), first=("Z", "m", BIAS)), {}, "steps need a bias in V"),
    ],
)
def test_what_cannot_be_fitted_is_refused(file, settings, complaint):
    with pytest.raises(FitError, match=complaint):
        analyse_recording(file, **settings)


@recorded
def test_both_step_pairs_of_the_recorded_spectrum_are_found_in_both_directions():
    fits = analyse_recording(open_recording(RECORDED / "spmqt_nanonis_sts_15mv.dat"))
    assert list(fits) == ["forward", "backward"]
    for fit in fits.values():
        assert fit["inner_energy"].value == pytest.approx(1.2, abs=0.15)
        assert fit["outer_energy"].value == pytest.approx(3.8, abs=0.2)
        for name in ("inner_energy", "outer_energy", "eta_inner", "eta_outer"):
            assert 0 < fit[name].error < 0.1
    pull = fits["forward"]["inner_energy"].value - fits["backward"]["inner_energy"].value
    assert abs(pull) < 4 * np.hypot(*(fit["inner_energy"].error for fit in fits.values()))


@recorded
def test_the_transport_model_describes_the_recorded_spectrum_alike_in_both_directions():
    fits = analyse_recording(open_recording(RECORDED / "spmqt_nanonis_sts_15mv.dat"), "transport")
    for fit in fits.values():
        axial, transverse = fit["axial_anisotropy_meV"].value, fit["transverse_anisotropy_meV"].value
        assert 2 * transverse == pytest.approx(1.2, abs=0.15)
        assert transverse - axial == pytest.approx(3.75, abs=0.15)
    one, other = (fits[way]["axial_anisotropy_meV"] for way in ("forward", "backward"))
    assert abs(one.value - other.value) < 4 * np.hypot(one.error, other.error)


@recorded
@pytest.mark.parametrize("path", sorted([*RECORDED.glob("*.dat"), *RECORDED.glob("*.VERT")]), ids=lambda p: p.name)
def test_every_recorded_file_is_fitted_or_refused_with_a_reason(path):
    try:
        fits = analyse_recording(open_recording(path))
    except FitError as error:
        assert len(str(error)) > 20
        assert not path.name.startswith("spmqt")
    else:
        assert path.name.startswith("spmqt"), "the other files show no steps of a spin and no switching"
        assert all(fit.points > 100 for fit in fits.values())
