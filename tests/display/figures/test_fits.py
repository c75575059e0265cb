"""Figures of fits: each model's, with what was measured, what was fitted and every warning on the page."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.exchange import fit_exchange
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transfer_function import fit_transfer
from stmlab.axes import Axis, Channel
from stmlab.display.figures import draw_run
from stmlab.display.figures.fits import draw_fits
from stmlab.display.figures.recording import draw_columns, draw_recording
from stmlab.events import Analysed, PointTaken
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.results import FitParameter, FitResult
from stmlab.storage.recorded import Column, Recording
from tests.approximately import close
from tests.display.figures.test_figures import ended, texts, write


def switching(transitions=40, length=50):
    states = np.repeat(np.arange(transitions + 1) % 2, length)
    return 1e-12 * (states + 0.05 * np.random.default_rng(0).standard_normal(states.size))


def transport(setpoints, warnings=()):
    bias = np.linspace(-5e-3, 5e-3, 31)
    rows = [g * (1 + (bias / 5e-3) ** 2) for g in setpoints]
    data = np.concatenate(rows)
    return FitResult(
        "transport",
        (FitParameter("axial_anisotropy_meV", -4.2, 0.01, "meV"), FitParameter("correlation", -0.5, 0.01)),
        (),
        np.empty((0, 0)),
        data.size,
        0.0,
        warnings=warnings,
        curves={
            "x": np.tile(bias, len(setpoints)),
            "data": data,
            "fit": 1.01 * data,
            "residual": -0.01 * data,
            "setpoint": np.repeat(setpoints, bias.size),
        },
        labels={"x": "bias", "x_unit": "V", "y": "dI/dV", "y_unit": "S"},
        choices={"exchange": "ising"},
    )


def test_a_trace_shows_its_course_a_part_of_it_and_the_histogram():
    fit = fit_telegraph(switching(), 1e-3)
    whole, histogram, part, _ = draw_fits("a trace", [("trace", fit)]).axes
    current, course = whole.lines
    np.testing.assert_allclose(current.get_ydata(), 1e12 * fit.curves["data"])
    np.testing.assert_allclose(course.get_ydata(), 1e12 * fit.curves["fit"])
    assert (whole.get_ylabel(), whole.get_xlabel()) == ("current (pA)", "time (s)")
    shown = part.lines[1].get_ydata()
    assert 8 <= np.count_nonzero(np.diff(shown)) <= 10
    assert shown.size < 0.5 * course.get_ydata().size
    assert sum(bar.get_width() for bar in histogram.patches) == fit.points
    assert r"\Gamma_\mathrm{up}" in texts(whole.figure)
    assert "40 transitions" in texts(whole.figure)


def test_a_trace_with_few_transitions_is_shown_around_them():
    fit = fit_telegraph(switching(3, 200), 1e-3)
    part = draw_fits("", [("", fit)]).axes[2]
    assert np.count_nonzero(np.diff(part.lines[1].get_ydata())) >= 2
    assert any("only 3 transitions" in line for line in part.figure.get_supxlabel().splitlines())


def test_a_ramp_is_a_waterfall_with_maps_over_its_setpoints():
    setpoints = np.array([10e-9, 100e-9, 400e-9])
    figure = draw_fits("a ramp", [("", transport(setpoints, ("it does not hold",)))])
    waterfall, data, residual = figure.axes[:3]
    assert [text.get_text() for text in waterfall.texts] == ["10 nS", "100 nS", "400 nS"]
    points = [line.get_ydata() for line in waterfall.lines[::2]]
    np.testing.assert_allclose(points[1] - points[0], points[2] - points[1])  # equally shifted, equal over Gs
    np.testing.assert_allclose(np.asarray(data.collections[0].get_array())[0], 1 + np.linspace(-1, 1, 31) ** 2)
    assert float(np.asarray(residual.collections[0].get_array()).max()) == close(-0.01)
    assert "exchange: ising" in texts(figure)
    assert "it does not hold" in figure.get_supxlabel()


def test_a_single_spectrum_is_no_waterfall():
    figure = draw_fits("", [("", transport(np.array([10e-9])))])
    curve, residual = figure.axes
    np.testing.assert_allclose(curve.lines[0].get_xdata(), np.linspace(-5, 5, 31))
    assert (residual.get_xlabel(), curve.get_ylabel()) == ("bias (mV)", "dI/dV (nS)")


def test_step_energies_stand_over_the_conductance_with_the_model_through_them():
    conductance = np.linspace(10e-9, 500e-9, 6)
    r = np.hypot(0.6, 2.5e6 * conductance)
    fit = fit_exchange(conductance, 2 * r, 3.2 + r, 0.01, 0.01)
    (axes,) = draw_fits("", [("", fit)]).axes
    inner, outer = (container.lines[0].get_xydata() for container in axes.containers)
    np.testing.assert_allclose(inner, np.column_stack([1e9 * conductance, 2 * r]))
    np.testing.assert_allclose(outer, np.column_stack([1e9 * conductance, 3.2 + r]))
    smooth = next(line for line in axes.lines if len(line.get_xdata()) == 100)
    assert np.interp(400, smooth.get_xdata(), smooth.get_ydata()) == close(2 * np.hypot(0.6, 1.0), rel=1e-2)
    assert axes.get_xlabel() == "conductance (nS)"
    assert "exchange: ising" in texts(axes.figure)


def test_doubts_about_step_energies_stand_below_them():
    conductance = np.linspace(10e-9, 500e-9, 6)
    fit = fit_exchange(conductance, np.full(6, 1.7), np.full(6, 5.0), 0.01, 0.01, exchange=("heisenberg",))
    assert any("not significant" in warning for warning in fit.warnings)
    (axes,) = draw_fits("", [("", fit)]).axes
    assert "the exchange is not significant" in axes.figure.get_supxlabel().replace("\n", " ")


def test_steps_have_the_unit_of_their_data():
    bias = np.linspace(-8e-3, 8e-3, 81)
    fit = fit_steps(bias, 1e-7 * (1 + 0.5 * np.tanh((np.abs(bias) - 4e-3) / 4e-4)), pairs=1, unit="S")
    labels = [panel.get_ylabel() for panel in draw_fits("", [("", fit)]).axes]
    assert any("nS" in label for label in labels)


def test_points_that_were_left_out_of_a_decay_are_hollow():
    delay = np.linspace(-4e-9, 4e-9, 41)
    fit = fit_decay(delay, 1e-12 * np.exp(-np.abs(delay) / 0.8e-9), exclusion=0.5e-9, sides="positive")
    curve, residual = draw_fits("", [("", fit)]).axes
    hollow, filled = curve.lines[:2]
    assert hollow.get_markerfacecolor() == "white"
    np.testing.assert_allclose(hollow.get_xdata(), 1e9 * fit.curves["x_excluded"])
    np.testing.assert_allclose(filled.get_xdata(), 1e9 * fit.curves["x"])
    assert residual.get_xlabel() == "delay from pump to probe (ns)"
    assert "T1 = " in texts(curve.figure)


def test_a_transfer_function_stands_in_decibels_above_its_currents():
    frequency = np.repeat(np.geomspace(1e7, 1e10, 12), 2)
    amplitude = np.tile([0.1, 0.2], 12)
    current = 1e-9 * (amplitude * 10 ** (-np.log10(frequency / 1e7) / 20)) ** 2
    fit = fit_transfer(frequency, amplitude, current, reference_dB=-30.0)
    above, below, _ = draw_fits("", [("", fit)]).axes
    assert above.get_ylabel() == "transfer function (dB)"
    np.testing.assert_allclose(above.containers[0].lines[0].get_ydata(), fit.curves["magnitude_dB"])
    assert above.get_xscale() == "log"
    np.testing.assert_allclose(below.lines[0].get_ydata(), 1e12 * fit.curves["data"])


def test_a_map_has_a_curve_for_each_amplitude():
    grid, cells = np.geomspace(3e6, 20e9, 40), [(v, a) for v in (1e-3, 2e-3, 3e-3) for a in (1e-3, 2e-3)]
    current = np.concatenate([line_shape(grid, 1e9 * (1 + 100 * v), 1e-9 * a, 0.0) for v, a in cells])
    fit = fit_srs_map(*np.repeat(np.array(cells).T, 40, axis=1), np.tile(grid, 6), current)
    rate, step = draw_fits("", [("", fit)]).axes
    assert len(rate.containers) == len(step.containers) == 2
    np.testing.assert_allclose(rate.containers[0].lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(rate.containers[0].lines[0].get_ydata(), [1.1, 1.2, 1.3], rtol=1e-3)
    assert rate.get_ylabel() == "rate (10⁹ /s)"
    assert [text.get_text() for text in rate.get_legend().get_texts()] == ["1 mV", "2 mV"]


def test_a_run_with_warnings_shows_them_above_its_foot(tmp_path):
    fit = fit_telegraph(switching(3, 200), 1e-3)
    time = Axis("time", "s", 1e-3 * np.arange(800), hardware=True)
    taken = [PointTaken(0, 1.0, (), (switching(3, 200),))]
    run = write(
        tmp_path / "run.h5",
        (time,),
        (Channel("current", "A", ""),),
        taken,
        Analysed(fit),
        ended(1),
        sequence="time_trace",
    )
    figure = draw_run(run)
    assert "only 3 transitions" in figure.get_supxlabel()
    figure.draw_without_rendering()
    foot = next(text for text in figure.texts if "run.h5" in text.get_text())
    warnings = next(text for text in figure.texts if "only 3" in text.get_text())
    assert warnings.get_fontsize() == foot.get_fontsize() < 7
    assert "time_trace" in figure.get_suptitle()


def test_a_recorded_file_without_a_fit_shows_its_columns_and_says_why(tmp_path):
    bias = np.linspace(-1, 1, 50)
    columns = (Column("Bias", "V", bias), Column("Z", "m", 1e-9 * bias), Column("Z [bwd]", "m", 2e-9 * bias))
    path = tmp_path / "x.png"
    draw_recording(Recording(Path("x.dat"), "nanonis", {}, columns), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_columns_that_are_not_drawn_are_named():
    bias = np.linspace(-1, 1, 50)
    columns = [Column("Bias calc", "V", bias), Column("Bias", "mV", 1e3 * bias), Column("Z", "m", np.full(50, 4e-8))]
    columns += [Column(f"Filtered {k} [filt]", "V", 0.5 * np.sin(k * bias)) for k in range(1, 7)]
    columns += [Column(f"Signal {k}", "Vrms", 2e-5 * np.cos(k * bias)) for k in range(1, 11)]
    columns.append(Column("Signal 1 [bwd]", "Vrms", -1e-5 * np.cos(bias)))
    figure = draw_columns(Recording(Path("x.dat"), "nanonis", {}, tuple(columns)), note="it is no spectrum")
    drawn = [panel for panel in figure.axes if panel.lines]
    assert [panel.get_ylabel() for panel in drawn] == [
        "Filtered 1 [filt] (mV)",
        "Filtered 2 [filt] (mV)",
        *(f"Signal {k} (µVrms)" for k in range(1, 11)),
    ]
    assert [text.get_text() for text in drawn[2].get_legend().get_texts()] == ["forward", "backward"]
    said = figure.get_supxlabel().replace("\n", " ")
    assert said == "no fit: it is no spectrum not drawn: Bias, Z, " + ", ".join(
        f"Filtered {k} [filt]" for k in range(3, 7)
    )


def test_many_warnings_do_not_squeeze_the_panels():
    delay = np.linspace(-4e-9, 4e-9, 41)
    fit = fit_decay(delay, 1e-12 * np.exp(-np.abs(delay) / 7e-10) + 1e-13, exclusion=7e-10, sides="both")
    fit = replace(fit, warnings=tuple(f"warning {k}: " + 20 * "words " for k in range(5)))
    figure = draw_fits("pump and probe", [("", fit)])
    figure.draw_without_rendering()
    above, below = (panel.yaxis.label.get_window_extent() for panel in figure.axes)
    assert not above.overlaps(below)
