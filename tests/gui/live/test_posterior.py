"""The posterior of a run that chooses its points: it narrows to the target while the run goes on; the next point."""

import math

import numpy as np
import pytest

from stmlab.acquisition.choosing import sought
from stmlab.acquisition.measurement import measure
from stmlab.axes import Channel
from stmlab.events import Analysed, ParameterValue, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.gui import themes
from stmlab.gui.live.narrowing import Density, Narrowing
from stmlab.gui.live.posterior import fitted_value
from stmlab.gui.live.run_data import RunData
from stmlab.results import FitParameter, FitResult
from stmlab.storage import Writer, open_run
from tests.approximately import close
from tests.gui.live.runs import axis, begun

PATIENCE = 120_000  # ms
TARGET = 0.05
FREQUENCY = axis("frequency", "Hz", np.geomspace(1e6, 1e10, 5), logarithmic=True)
CHANNELS = (
    Channel("current", "A", "signal"),
    Channel("rate_so_far", "1/s", "Gamma"),
    Channel("relative_error", "", "of it"),
)


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory):
    """A real run, small: the rate of an atom to 5 %, on the simulated microscope."""
    path = tmp_path_factory.mktemp("adaptive") / "run.h5"
    measure(
        "srs", sample="fe_atom", seed=3, path=path, settings={"grid": "adaptive", "target_error": "5 %"}
    )  # fmt: skip
    return open_run(path)


def spread(curve):
    """Standard deviation of ln x under a curve: by sums, not by the formula that drew it."""
    x, weights = np.log(10.0) * curve.x, curve.y / curve.y.sum()
    mean = float(x @ weights)
    return math.sqrt(float((x - mean) ** 2 @ weights))


def test_the_density_narrows_to_the_target_while_an_adaptive_run_goes_on(panel, adaptive):
    plot, error = panel.posterior.plot, sought(adaptive.started).error
    widths = []
    for event in adaptive.replay():
        panel.take_events([event])
        panel.refresh()
        if isinstance(event, PointTaken):
            widths.append(spread(plot.density))
            assert widths[-1] == close(event.values[error], rel=1e-3)
    assert panel.posterior.isVisible()
    assert len(widths) > 20
    assert widths[-1] < TARGET < 4 * TARGET < widths[0]
    assert np.median(np.diff(widths)) <= 0
    assert len(plot.earlier.x), "what was known before is behind it"
    ends = np.log(10.0) * np.unique(plot.target.x[np.isfinite(plot.target.x)])
    assert np.diff(ends) == close(2 * TARGET)


def test_at_the_end_the_fitted_value_lies_over_it(panel, adaptive):
    panel.show_run(adaptive)
    panel.refresh()
    panel.refresh()
    rate = adaptive.stored_fits[-1].fit["rate"]
    fit = panel.posterior.plot.fit
    assert 10.0 ** fit.x[0] == close(rate.value, rel=1e-9)
    known = np.isfinite(fit.x)
    assert (np.ptp(fit.x[known]) * math.log(10) / 2) == close(rate.error / rate.value, rel=1e-6)
    assert "fit (" in panel.posterior.words.text()
    assert panel.posterior.plot.main.getAxis("bottom").title == "rate (1/s)"
    panel.context.use_theme(themes.DARK)
    panel.refresh()
    assert panel.posterior.plot.density._pen.color().name() == themes.DARK.curves[0]


def test_a_redraw_of_the_posterior_is_short_and_one_without_news_draws_nothing(panel, adaptive):
    panel.show_run(adaptive)
    panel.refresh()
    plot, data = panel.posterior.plot, panel.source.data
    drawn = []
    plot._draw = lambda *given: drawn.append(given)
    for _ in range(3):
        panel.refresh()
    assert not drawn
    data.narrowing.take(np.array([1e9]), np.array([0.03]))
    panel.refresh()
    assert len(drawn) == 1


def started(error="relative_error", channels=CHANNELS):
    given = {"target_error": ParameterValue(0.01, "", "relative")}
    return RunStarted("r1", "srs", "2026-01-01T00:00:00+00:00", given, (FREQUENCY,), channels, 0.0, "bench", "")


def point(index, visit, error=0.5):
    return PointTaken(index, 0.1, (float(FREQUENCY.values[index]),), (1e-12, 2e9, error), visit=visit)


def test_a_run_that_visits_every_point_has_no_posterior(panel, adaptive):
    panel.show_run(adaptive)
    panel.refresh()
    assert panel.posterior.isVisible()
    panel.show_run(begun(FREQUENCY))
    panel.refresh()
    assert not panel.posterior.isVisible()


def test_the_point_that_is_measured_is_marked_until_the_run_is_over(panel, context, qtbot, tmp_path):
    writer = Writer(tmp_path / "run.h5")
    for event in (started(), StateChanged(RunState.RUNNING, 0.0), point(0, 0)):
        writer(event)
    writer.flush()
    context.run_shown.emit(tmp_path / "run.h5")
    qtbot.waitUntil(lambda: panel.source.data.points == 1, timeout=PATIENCE)
    assert not panel.plot.next.line.isVisible()
    context.next_seen.emit(tmp_path / "another.h5", 2)
    panel.refresh()
    assert not panel.plot.next.line.isVisible(), "of a run in another file"
    context.next_seen.emit(tmp_path / "run.h5", 3)
    panel.refresh()
    line = panel.plot.next.line
    assert line.isVisible()
    assert line.value() == close(9.0, rel=1e-12), "of a logarithmic axis"
    assert "next: 1 GHz" in panel.words.text()
    writer(point(3, 1))
    writer(RunFinished(RunState.FINISHED, "completed", "", 2, 2.0))
    qtbot.waitUntil(lambda: panel.source.data.state == "finished", timeout=PATIENCE)
    panel.refresh()
    assert not line.isVisible()
    context.next_seen.emit(tmp_path / "run.h5", 2)
    panel.refresh()
    assert not line.isVisible(), "told late"


def test_a_run_that_ended_without_a_value_shows_none(panel):
    data = RunData()
    for event in (started(), StateChanged(RunState.RUNNING, 0.0), point(0, 0), point(1, 1, error=0.05)):
        data(event)
    panel.show_run(data)
    panel.refresh()
    assert "rate (2.00 ± 0.10)·10⁹ /s" in panel.posterior.words.text()
    data(RunFinished(RunState.FINISHED, "completed", "no step", 2, 2.0))
    panel.refresh()
    assert "rate: no value" in panel.posterior.words.text()
    assert "10⁹" not in panel.posterior.words.text()


def test_earlier_densities_have_the_same_area_and_a_fit_farther_away_is_in_view(panel):
    data = RunData()
    for event in (started(), StateChanged(RunState.RUNNING, 0.0), point(0, 0, error=0.4), point(1, 1, error=0.1)):
        data(event)
    panel.show_run(data)
    panel.refresh()
    plot = panel.posterior.plot
    assert np.nanmax(plot.earlier.y) == close(0.1 / 0.4, rel=1e-3), "four times as wide"
    said = (("lifetime", 1e-10, "s"), ("rate", 9e9, "1/s"), ("fast_rate", 5e11, "1/s"))
    parameters = tuple(FitParameter(name, value, 0.01 * value, unit) for name, value, unit in said)
    data(Analysed(FitResult("srs", parameters, (), np.empty((0, 0)), 2, 1e-13)))
    panel.refresh()
    assert fitted_value(data).name == "rate", "the first in the unit of what is sought"
    low, high = plot.main.viewRange()[0]
    assert low < math.log10(9e9) < high < math.log10(5e11)


def test_a_run_that_is_paused_measures_no_point():
    data = RunData()
    for event in (started(), StateChanged(RunState.RUNNING, 0.0), point(0, 0)):
        data(event)
    data.next_place = 3
    data(StateChanged(RunState.PAUSED, 1.0, "by the user"))
    assert data.next_place == -1


def test_earlier_densities_are_those_of_errors_that_fell_by_root_two():
    narrowing = Narrowing()
    errors = 0.8 ** np.arange(30)
    narrowing.take(np.full(30, 1e9), errors)
    assert narrowing.now == Density(1e9, errors[-1])
    kept = np.array([one.error for one in narrowing.earlier])
    assert len(kept) == 7
    assert np.all(kept[1:] / kept[:-1] < math.sqrt(0.5))
    assert kept[0] / kept[-1] > 8


def test_what_says_nothing_is_not_drawn():
    narrowing = Narrowing()
    narrowing.take(np.array([np.nan, 1e9, -1.0, 1e9]), np.array([0.1, np.inf, 0.1, 1e3]))
    assert narrowing.now is None
    narrowing.take(np.array([1e9]), np.array([0.1]))
    narrowing.take(np.array([1e9, 1e9]), np.array([0.1, 0.1]))
    assert narrowing.version == 1, "nothing new, nothing to draw"
