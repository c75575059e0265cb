"""The relaxation of a bound state from its currents at many conductances (Betz et al., figure S7)."""

import numpy as np
import pytest

import stmlab
from sequences.setpoint_ramp import SetpointRamp
from stmlab.acquisition.runner import Runner
from stmlab.analysis.bound_state import Peaks, fit_bound_state
from stmlab.analysis.bound_state.peaks import have_peaks, peaks
from stmlab.analysis.bound_state.power_laws import power_laws
from stmlab.analysis.bound_state.rate_law import current
from stmlab.axes import Axis, Channel
from stmlab.display.figures.fits import draw_fits
from stmlab.errors import FitError
from stmlab.events import ParameterValue, PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.bound_state import BoundState
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current
from stmlab.physics.transport import TunnelJunction
from stmlab.simulation.junctions.bound_state import BoundStateJunction
from stmlab.station import Station
from stmlab.storage import Writer
from tests.approximately import close

STATE = BoundStateJunction(0.15, 0.55, 0.04, 4e8, 2e8, 4.2e9, 0.05, 0.0947e-6, 1.3)
"""Betz et al., figure 5, as the sample ysr_state has it."""
REFERENCE_S = STATE.reference_conductance
BIAS = np.linspace(-1.2e-3, 1.2e-3, 241)
CHARGE_C = 1.602176634e-19


def measured(scales, seed=1, noise=2e-3):
    """Peaks of both polarities, of the state's own current at each height, with noise in parts of the largest."""
    rng = np.random.default_rng(seed)
    rows = np.array([STATE.static_current(BIAS, scale) for scale in scales])
    inside = np.abs(BIAS) < 1e-3
    noisy = rows + noise * np.abs(rows[:, inside]).max(axis=1)[:, None] * rng.standard_normal(rows.shape)
    return [peaks(BIAS, scales * REFERENCE_S, noisy, side) for side in (1, -1)]


def made(conductances, currents, error=0.01, seed=0):
    noise = error * np.random.default_rng(seed).standard_normal(conductances.size)
    return Peaks(conductances, currents * np.exp(noise), error * currents, 0.7e-3)


def test_two_power_laws_meet_where_they_were_made_to():
    conductances = np.geomspace(1e-8, 1e-5, 20)
    kink_S, kink_A = 3e-7, 1e-9
    exponents = np.where(conductances < kink_S, 1.0, 0.4)
    found = power_laws(made(conductances, kink_A * (conductances / kink_S) ** exponents))
    assert found.exponents == close((1.0, 0.4), abs=3.5 * max(found.errors))
    assert np.exp(found.kink) == close((kink_S, kink_A), rel=0.06)
    assert np.sqrt(np.diag(found.covariance)) == close((0.01, 0.01), rel=0.9)


def test_one_power_law_has_no_kink():
    """Of noise a kink is made in hardly one of forty."""
    conductances = np.geomspace(1e-8, 1e-5, 16)
    found = [power_laws(made(conductances, 1e-3 * conductances, 0.03, seed)) for seed in range(40)]
    assert sum(one.kink is not None for one in found) <= 1
    assert np.mean([one.exponents[0] for one in found if one.kink is None]) == close(1.0, abs=0.003)
    hardly = np.where(conductances < 3e-7, 1.0, 0.97)
    assert power_laws(made(conductances, (conductances / 3e-7) ** hardly, 1e-4)).kink is None


def test_the_rate_law_is_the_current_of_both_states():
    """A normal tip far above the state has a density of states that is the same for both parts: a closed form."""
    electron, hole, relaxation = 3e8, 1e8, 2e9
    for scale in (0.1, 3.0, 100.0):
        state = BoundState(0.15, 0.0, 0.0, scale * electron, scale * hole, relaxation, 0.02)
        law = current(np.array([scale * 1e-6]), electron, hole, relaxation)
        assert law == close(static_current(state, np.array([2e-3])), rel=1e-6)


def test_the_relaxation_of_the_papers_state_comes_back():
    """From far below to far above it; the tip's broadening and the edges of its gap are no part of the law."""
    fit = fit_bound_state(*measured(np.geomspace(0.03, 60, 18)))
    rate = fit["relaxation_rate"]
    assert rate.value == close(4.2e9, rel=0.03)
    assert rate.error == close(0.03 * rate.value, rel=0.05)
    assert fit["lifetime"].value == close(1 / rate.value)
    assert fit["positive_exponent_below"].value == close(1.0, abs=0.06)
    assert fit["positive_exponent_above"].value == close(0.84, abs=0.06)
    assert fit["negative_exponent"].value == close(1.01, abs=0.01)
    assert fit["positive_kink_rate"].value == close(fit["positive_kink_current"].value / CHARGE_C)
    assert fit.choices["kink"] == "positive bias"
    assert any("a kink in it is an estimate" in warning for warning in fit.warnings)
    assert fit.choices["error"].startswith("of the relaxation with 3%")


@pytest.mark.parametrize("seed", range(12))
def test_the_relaxation_of_other_states_comes_back_within_its_error(seed):
    """Gaps, broadenings, electron and hole parts as they come; colder than a third of the state's energy."""
    rng = np.random.default_rng(seed)
    gap = rng.uniform(0.3, 1.4)
    energy, broadening = rng.uniform(0.15, 0.9) * min(gap, 0.7), rng.uniform(0.01, 0.1) * gap
    electron, relaxation = 10 ** rng.uniform(8, 9), 10 ** rng.uniform(8.5, 10.5)
    hole, kT = electron * 10 ** rng.uniform(-0.6, 0.6), energy * rng.uniform(0.1, 0.3)
    rates = electron, hole, relaxation
    state = BoundStateJunction(energy, gap, broadening, *rates, kT / K_B_MEV_PER_K, REFERENCE_S, gap + 1.0)
    bias = 1e-3 * (gap + 0.95) * np.linspace(-1, 1, 801)
    scales = np.geomspace(0.02, 30, 18) * relaxation / (3 * max(electron, hole))
    rows = np.array([state.static_current(bias, scale) for scale in scales])
    noisy = rows * (1 + 2e-4 * rng.standard_normal(rows.shape))
    rate = fit_bound_state(*(peaks(bias, scales * REFERENCE_S, noisy, side) for side in (1, -1)))["relaxation_rate"]
    assert abs(rate.value - relaxation) < 2 * rate.error < 0.2 * relaxation


def test_the_figure_has_both_polarities_and_the_kink():
    fit = fit_bound_state(*measured(np.geomspace(0.03, 60, 18)))
    (axes,) = draw_fits("", [("", fit)]).axes
    drawn = [line.get_xydata() for line in axes.lines]
    kink = fit["positive_kink_conductance"].value * 1e6, fit["positive_kink_current"].value * 1e9
    assert any(line.shape == (1, 2) and line[0] == close(kink) for line in drawn)
    order = np.argsort(fit.curves["x"][:18])
    for container, side, name in zip(axes.containers, (1, -1), ("positive", "negative"), strict=True):
        points, own = container.lines[0], fit.curves["side"] == side
        x, data, law = (fit.curves[curve][own][order] for curve in ("x", "data", "fit"))
        assert container.get_label() == f"{name} bias"
        assert points.get_xydata() == close(np.column_stack([1e6 * x, 1e9 * data]))
        (line,) = (one for one in axes.lines if one.get_linestyle() == "-" and one.get_color() == points.get_color())
        assert line.get_xydata() == close(np.column_stack([1e6 * x, 1e9 * law]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("conductance (µS)", "peak current (nA)")


def test_currents_that_do_not_saturate_say_only_a_bound():
    fit = fit_bound_state(*measured(np.geomspace(1e-4, 3e-3, 10), noise=0.02))
    assert fit["relaxation_rate"].error == np.inf
    assert any("no kink is seen" in warning for warning in fit.warnings)
    assert any("the relaxation is not determined" in warning for warning in fit.warnings)
    assert fit.choices["kink"] == "none"


def test_a_current_without_a_peak_is_refused():
    conductances = np.geomspace(1e-8, 1e-6, 8)
    with pytest.raises(FitError, match=r"the current has no peak at positive bias up to 1\.2 mV"):
        peaks(BIAS, conductances, conductances[:, None] * BIAS, 1)
    with pytest.raises(FitError, match=r"the peak of the current at -\S+ [mµ]V has . of at least 4"):
        peaks(BIAS[::20], conductances, np.array([STATE.static_current(BIAS[::20], 1.0)] * 8), -1)


def test_too_few_conductances_are_refused():
    with pytest.raises(FitError, match="5 peak currents at positive bias: at least 6 are needed"):
        fit_bound_state(*measured(np.geomspace(0.1, 10, 5)))


def ramp(path, setpoint_bias, scales):
    """A run of the state's currents, as setpoint_ramp takes it."""
    axes = Axis("setpoint", "S", REFERENCE_S * scales, ""), Axis("bias", "V", BIAS, "bias", hardware=True)
    said = {"setpoint_bias": ParameterValue(setpoint_bias, "V", "")}
    channels = Channel("current", "A", ""), Channel("conductance", "S", "")
    station = {"station": "simulated", "configuration": "", "sample": ""}
    start = RunStarted(
        "ramp", "setpoint_ramp", "2024-01-01T10:00:00", said, axes, channels, point_seconds=1.0, **station
    )
    rows = [STATE.static_current(BIAS, scale) for scale in scales]
    points = [
        PointTaken(k, float(k), (REFERENCE_S * scales[k],), (row, np.gradient(row, BIAS))) for k, row in enumerate(rows)
    ]
    writer = Writer(path)
    for event in (start, *points, RunFinished(RunState.FINISHED, "completed", "", len(rows), 1.0)):
        writer(event)
    writer.close()
    return path


def test_a_ramp_is_fitted_by_what_its_current_shows(tmp_path):
    """Peaks at either polarity are a bound state's, within the gaps and far beyond; whoever asks for a spin is told."""
    path = ramp(tmp_path / "ramp.h5", 3e-3, np.geomspace(0.03, 60, 12))
    fit = stmlab.fit(path)
    assert fit.model == "bound_state"
    assert fit["relaxation_rate"].value == close(4.2e9, rel=0.03)
    with pytest.raises(FitError, match=r"as through a bound state .* fit bound_state"):
        stmlab.fit(ramp(tmp_path / "few.h5", 3e-3, np.array([0.1, 1.0])), "transport", window="10 uV")


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.02])
def test_steps_of_a_spin_under_a_polarised_tip_are_no_peaks(noise):
    """Nor is noise, of the largest current, nor a gap without states in it."""
    spin = TunnelJunction(
        SpinSystem((Spin(1.0, -4.2, 0.87),)), 1.0, 1e-7, tip=Electrode((0, 0, 0.8)), baths=(Bath(0, 1e-7),)
    )
    bias, scales = np.linspace(-10e-3, 10e-3, 101), np.array([1.0, 2.0, 4.0])
    gap = np.sign(bias) * np.sqrt(np.maximum(bias**2 - 4e-6, 0.0)) * 1e-7
    for each in (spin.current(bias), gap):
        rows = scales[:, None] * each
        rows = rows + noise * rows.max() * np.random.default_rng(3).standard_normal(rows.shape)
        assert not have_peaks(bias, 1e-7 * scales, rows)
    wide = np.linspace(-10e-3, 10e-3, 401)
    state = np.array([STATE.static_current(wide, scale) for scale in scales])
    assert have_peaks(wide, REFERENCE_S * scales, state)


def test_conductances_at_a_setpoint_near_the_gaps_are_doubted(tmp_path):
    for setpoint_bias, doubted in ((1e-3, True), (-1e-3, True), (3e-3, False), (-3e-3, False)):
        path = ramp(tmp_path / f"{setpoint_bias}.h5", setpoint_bias, np.geomspace(0.03, 60, 12))
        fit = stmlab.fit(path, "bound_state", window="1 mV")
        assert fit["relaxation_rate"].value == close(4.2e9, rel=0.03)
        assert any("mV is not far beyond the gaps" in warning for warning in fit.warnings) == doubted


def test_a_ramp_that_begins_where_the_current_saturates_is_told():
    fit = fit_bound_state(*measured(np.geomspace(3, 60, 10)))
    assert any("at positive bias the current begins with the power 0.8" in warning for warning in fit.warnings)


@pytest.mark.slow
def test_a_ramp_on_the_simulated_microscope_gives_the_relaxation(tmp_path):
    """The setpoint at 3 mV, as the paper's, far beyond the gaps."""
    with Station.load("simulated", sample="ysr_state", seed=5) as station:
        sequence = SetpointRamp(
            start_conductance=5e-9,
            stop_conductance=1e-6,
            conductances=14,
            spacing="logarithmic",
            setpoint_bias=3e-3,
            start_bias=-1e-3,
            stop_bias=1e-3,
            points=101,
            modulation=20e-6,
            conductance_range=30.0,
        )
        (fit,) = Runner(sequence, station, tmp_path / "ramp.h5").run().fits
    assert fit.model == "bound_state"
    assert fit["relaxation_rate"].value == close(4.2e9, rel=0.15)
