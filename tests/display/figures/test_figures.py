"""Figures of runs: what is on the page is what is in the file."""

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.text import Text

from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.steps import fit_steps
from stmlab.axes import Axis, Channel
from stmlab.display.figures import draw_run, save_figure, save_run
from stmlab.display.figures.drawing import save, sheet
from stmlab.errors import FileError
from stmlab.events import Analysed, ParameterValue, PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.storage import Writer, open_run
from tests.approximately import close

GRID = np.geomspace(3e6, 20e9, 40)


def write(path, axes, channels, points, *events, sequence="imaginary", sample="fe_atom", parameters=None):
    writer = Writer(path)
    started = RunStarted(
        "id", sequence, "2024-01-01T00:00:00", parameters or {}, axes, channels, 1.0, "sim", "", sample=sample
    )
    for event in (started, *points, *events):
        writer(event)
    writer.close()
    return open_run(path)


def ended(points, state=RunState.FINISHED, message=""):
    return RunFinished(state, "completed", message, points, 1.0)


@pytest.fixture
def spectrum(tmp_path):
    def make(points=40, *, errors=True, end=True, fit=True, step=5.4e-12, sample="fe_atom"):
        noise = np.random.default_rng(2).normal(0, 1e-13, 40)
        current = line_shape(GRID, 1.73e9, step, -3e-12) + noise
        channels = tuple(Channel(n, u, "") for n, u in (("current", "A"), ("current_error", "A"), ("x", "V")))
        taken = [
            PointTaken(k, float(k), (GRID[k],), (current[k], 1e-13 if errors else np.nan, 1.0)) for k in range(points)
        ]
        said = {"dc_bias": ParameterValue(4e-3, "V", ""), "amplitude": ParameterValue(2.8e-3, "V", "")}
        axes = (Axis("frequency", "Hz", GRID, "microwave frequency", logarithmic=True),)
        events = [Analysed(fit_srs(GRID[:points], current[:points]))] if fit else []
        events += [ended(points)] if end else []
        return write(
            tmp_path / "run.h5", axes, channels, taken, *events, sequence="srs", sample=sample, parameters=said
        )

    return make


def texts(figure):
    """All of a figure's own, formulas among them set; ticks are left alone, which take most of the time of drawing."""
    for text in figure.findobj(Text):
        text.get_window_extent()
    found = [t.get_text() for axes in figure.axes for t in axes.texts]
    found += [axes.get_title(loc="left") for axes in figure.axes]
    return " | ".join([*found, *(t.get_text() for t in figure.texts)])


def drawn_points(axes):
    return axes.containers[0].lines[0].get_xydata()


def test_a_spectrum_shows_points_curve_and_rate(spectrum):
    run = spectrum()
    figure = draw_run(run)
    above, below = figure.axes
    np.testing.assert_allclose(drawn_points(above), np.column_stack([GRID, run.data["current"] * 1e12]))
    assert (above.get_xscale(), above.get_ylabel()) == ("log", "SRS current (pA)")
    assert (below.get_xlabel(), below.get_ylabel()) == ("microwave frequency", "residual (fA)")
    np.testing.assert_allclose(drawn_points(below)[:, 1], run.fits[0].curves["residual"] * 1e15)
    curve = above.lines[1].get_xydata()
    np.testing.assert_allclose(curve[:, 1], run.fits[0].curves["fit_smooth"] * 1e12)
    marked = [line.get_xdata()[0] for line in (*above.lines, *below.lines) if line.get_linestyle() == "--"]
    assert marked == [run.fits[0]["frequency"].value] * 2
    said = texts(figure)
    assert r"$\Gamma$ = (1.7" in said
    assert "·10⁹ /s" in said
    assert r"$V_\mathrm{dc}$ = 4 mV,  $V_\mathrm{ac}$ = 2.8 mV" in said
    assert "fe_atom: srs" in said
    assert "run.h5" in said


def test_ticks_of_a_logarithmic_axis_carry_prefixes(spectrum):
    figure = draw_run(spectrum())
    figure.draw_without_rendering()
    shown = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert {"10 MHz", "100 MHz", "1 GHz", "10 GHz"} <= set(shown)


def test_error_bars_are_drawn_where_the_run_has_them(spectrum):
    bars = draw_run(spectrum()).axes[0].containers[0].lines[2][0].get_segments()
    assert bars[0][1, 1] - bars[0][0, 1] == close(0.2)


def test_single_readings_have_no_error_bars(spectrum):
    assert not draw_run(spectrum(errors=False)).axes[0].containers[0].has_yerr


@pytest.mark.parametrize("points", [0, 1, 17])
def test_a_killed_run_is_drawn_and_says_so(spectrum, points):
    figure = draw_run(spectrum(points, end=False, fit=False))
    assert f"killed: its writer is gone; all {points} acknowledged" in texts(figure).replace("\n", " ")
    assert len(figure.axes) == 1
    assert figure.axes[0].get_xlim()[1] > GRID[-1]


def test_a_doubtful_fit_shows_its_warning(spectrum):
    said = texts(draw_run(spectrum(22)))
    assert "half a decade" in said.replace("\n", " ")


@pytest.mark.parametrize("step", [5.4e-12, -5.4e-12, 5e-13])
def test_no_text_lies_where_data_may_be(spectrum, step):
    figure = draw_run(spectrum(step=step))
    assert [text for panel in figure.axes for text in panel.texts] == []


def test_a_fitted_run_of_any_kind_says_setpoint_and_modulation(tmp_path):
    bias = np.linspace(-8e-3, 8e-3, 81)
    conductance = 1e-7 * (1 + 0.5 * np.tanh((np.abs(bias) - 4e-3) / 4e-4))
    said = {"modulation": 2e-4, "setpoint_current": 1e-9, "setpoint_bias": 1e-2, "temperature": 0.0}
    units = {"modulation": "V", "setpoint_current": "A", "setpoint_bias": "V", "temperature": "K"}
    parameters = {name: ParameterValue(value, units[name], "") for name, value in said.items()}
    axes = (Axis("bias", "V", bias, "bias"),)
    points = [PointTaken(k, 0.0, (bias[k],), (conductance[k],)) for k in range(81)]
    fit = fit_steps(bias, conductance, pairs=1, unit="S")
    channels = (Channel("conductance", "S", ""),)
    run = write(tmp_path / "run.h5", axes, channels, points, Analysed(fit), ended(81), parameters=parameters)
    settings = r"$V_\mathrm{mod}$ = 200 µV,  $I_\mathrm{set}$ = 1 nA,  $V_\mathrm{set}$ = 10 mV"
    assert settings in [text.get_text() for text in draw_run(run).texts]


def test_a_given_fit_is_drawn_instead_of_the_stored_one(spectrum):
    run = spectrum()
    fit = fit_srs(GRID, run.data["current"], harmonics=2)
    curve = draw_run(run, fit).axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(curve[:, 1], fit.curves["fit_smooth"] * 1e12)


def test_a_png_is_written_and_replaced_and_refused_in_one_line(spectrum, tmp_path):
    run = spectrum(sample="a $5 chip, $^ & more")
    (tmp_path / "run.png").write_bytes(b"\x89PNG\r\n\x1a\n an older one")
    save_run(run, tmp_path / "run.png")
    assert b"an older one" not in (tmp_path / "run.png").read_bytes()
    assert (tmp_path / "run.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(FileError, match=r"there is no folder .*nowhere"):
        save_run(run, tmp_path / "nowhere" / "run.png")


@pytest.mark.parametrize(("name", "begins"), [("run.svg", b"<?xml"), ("run.pdf", b"%PDF-"), ("run.PNG", b"\x89PNG")])
def test_a_figure_has_the_format_of_its_name_and_may_be_drawn_again(tmp_path, name, begins):
    save_figure(Figure(figsize=(1.0, 1.0)), tmp_path / name)
    empty = (tmp_path / name).stat().st_size
    figure = sheet(3.0, 2.0)
    figure.subplots().set(xlabel="bias (mV)", ylabel=r"$\Gamma$ (GHz)")
    save_figure(figure, tmp_path / name)
    assert (tmp_path / name).stat().st_size > 2 * empty
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_figure_never_replaces_anything_but_a_picture(spectrum, tmp_path):
    run = spectrum()
    (tmp_path / "notes.png").write_text("what I saw")
    (tmp_path / "notes.svg").write_text("<?xml version='1.0'?><notes/>")
    (tmp_path / "picture.pdf").write_bytes(b"\x89PNG\r\n\x1a\n a picture, but no PDF")
    for name, complaint in (
        (run.path.name, "a name of a figure ends in .png, .svg, .pdf"),
        ("notes.png", "no such picture"),
        ("notes.svg", "no such picture"),
        ("picture.pdf", "no such picture"),
    ):
        with pytest.raises(FileError, match=complaint):
            save_run(run, tmp_path / name)
    assert (tmp_path / "notes.png").read_text() == "what I saw"
    assert open_run(run.path).points == run.points


def test_a_map_has_the_values_where_they_belong(tmp_path):
    down = Axis("bias", "V", np.linspace(0.01, -0.01, 5), "bias")
    decades = Axis("conductance", "S", np.geomspace(1e-9, 1e-3, 7), "conductance", logarithmic=True)
    values = np.arange(35.0).reshape(7, 5) * 1e-9
    points = [PointTaken(k, 0.0, (0.0, 0.0), (values.ravel()[k],)) for k in range(32)]
    run = write(
        tmp_path / "run.h5", (decades, down), (Channel("current", "A", ""),), points, ended(32, RunState.STOPPED)
    )
    figure = draw_run(run)
    mesh = figure.axes[0].collections[0]
    shown = mesh.get_array()
    assert shown.shape == (7, 5)
    np.testing.assert_allclose(shown[0], values[0, ::-1] * 1e9)
    assert shown.mask[6].tolist() == [True, True, True, False, False]
    corners = mesh.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], np.linspace(-12.5, 12.5, 6))
    np.testing.assert_allclose(corners[:, 0, 1], np.geomspace(10**-9.5, 10**-2.5, 8))
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("bias (mV)", "conductance")


def test_a_few_sweeps_are_curves_and_what_stands_still_is_said(tmp_path):
    axes = Axis("sweep", "", np.arange(2.0)), Axis("bias", "V", np.linspace(-0.01, 0.01, 5), "bias")
    channels = Channel("current", "A", ""), Channel("modulation", "V", ""), Channel("error", "A", "")
    points = [PointTaken(k, 0.0, (0.0, 0.0), (1e-9 * k, 2e-4, np.nan)) for k in range(10)]
    figure = draw_run(write(tmp_path / "run.h5", axes, channels, points, ended(10)))
    (panel,) = figure.axes
    for sweep, line in enumerate(panel.lines):
        np.testing.assert_allclose(line.get_ydata(), 5 * sweep + np.arange(5))
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["sweep 0", "sweep 1"]
    assert "modulation = 200 µV,  error: no values" in [text.get_text() for text in figure.texts]


def runs():
    """Shapes whole and in part; where nothing is drawn otherwise, as slow tests."""
    for shape in [(), (1,), (9,), (1, 9), (9, 1), (4, 5), (2, 4, 5), (1, 1, 1)]:
        for hardware, fraction in product([False, True] if shape else [False], [0.0, 0.5, 1.0]):
            slow = fraction != (1.0 if hardware else 0.5) and shape != (4, 5)
            yield pytest.param(shape, hardware, fraction, marks=[pytest.mark.slow] * slow)


@pytest.mark.parametrize(("shape", "hardware", "fraction"), list(runs()))
def test_any_run_can_be_drawn(tmp_path, shape, hardware, fraction):
    axes = tuple(
        Axis(f"a{k}", "V", np.arange(float(n)), hardware=hardware and k == len(shape) - 1) for k, n in enumerate(shape)
    )
    outer = [len(axis) for axis in axes if not axis.hardware]
    inner = [len(axis) for axis in axes if axis.hardware]
    total = int(np.prod(outer) * fraction)
    points = [
        PointTaken(k, 0.0, (1.0,) * len(outer), (np.ones(inner) * k if inner else k, np.nan)) for k in range(total)
    ]
    run = write(tmp_path / "run.h5", axes, (Channel("one", "A", ""), Channel("none", "V", "")), points, ended(total))
    figure = draw_run(run)
    figure.draw_without_rendering()
    assert len(figure.axes) >= 1
    assert "none" in "".join(text.get_text() for text in figure.findobj(Text))


def test_a_run_that_went_beyond_its_axis_is_drawn_point_by_point(tmp_path):
    points = [PointTaken(k, 0.0, (0.5 * k,), (k * 1e-12,)) for k in range(30)]
    axis = Axis("bias", "mV", np.arange(3.0))
    run = write(tmp_path / "run.h5", (axis,), (Channel("current", "A", ""),), points, ended(30))
    drawn = draw_run(run).axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, np.column_stack([0.5 * np.arange(30), np.arange(30)]))


def test_drawing_needs_no_screen_and_leaves_pyplot_alone(spectrum, tmp_path):
    run = spectrum()
    program = (
        "import sys\nfrom stmlab.display.figures import save_run\nfrom stmlab.storage import open_run\n"
        "assert 'matplotlib' not in sys.modules\n"
        "save_run(open_run(sys.argv[1]), sys.argv[2])\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'PyQt6' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, str(run.path), str(tmp_path / "run.png")]
    subprocess.run(command, check=True, env={"PATH": ""})


def test_a_figure_of_a_paper_has_300_dots_an_inch(tmp_path):
    figure = sheet(2.0, 1.0)
    figure.subplots()
    path = save(figure, tmp_path / "new", "one")
    assert path == tmp_path / "new" / "one.png"
    assert imread(path).shape[:2] == (300, 600)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_saved_figure_is_laid_out_as_matplotlib_would_and_drawn_once(tmp_path, kind):
    drawn = []

    class Counted(Line2D):
        def draw(self, renderer):
            drawn.append(self)
            super().draw(renderer)

    def figure():
        page = Figure(figsize=(4, 3), layout="constrained")
        axes = page.subplots()
        axes.set(xlabel="bias (mV)", ylabel="conductance (nS)", xlim=(0, 1), ylim=(0, 1e6))
        axes.add_line(Counted([0, 1], [0, 1]))
        return page

    ours, theirs = figure(), figure()
    save_figure(ours, tmp_path / f"ours.{kind}")
    assert len(drawn) == 1
    theirs.savefig(tmp_path / f"theirs.{kind}", dpi=200)
    expected = theirs.axes[0].get_position().extents
    assert ours.axes[0].get_position().extents == pytest.approx(expected, abs=2e-3)
    assert expected != pytest.approx(figure().axes[0].get_position().extents, abs=2e-2)
