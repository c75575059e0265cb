"""Runs made by hand: the events of an imaginary sequence."""

import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.events import Analysed, ParameterValue, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.results import FitParameter, FitResult


@pytest.fixture
def make_started():
    """RunStarted of a run over ``rows`` x ``columns`` points that software moves, and arrays of ``sweep`` if given."""

    def make(rows=3, columns=4, *, sweep=0, point_seconds=1.0, **more):
        axes = [Axis("bias", "V", np.linspace(-1, 1, rows), "bias voltage")]
        axes += [Axis("frequency", "Hz", np.geomspace(1e3, 1e9, columns), "microwave frequency", logarithmic=True)]
        if sweep:
            axes.append(Axis("height", "m", np.linspace(0, 1e-9, sweep), "height", hardware=True))
        said = {
            "run_id": "0123456789abcdef",
            "sequence": "imaginary",
            "date": "2024-01-01T00:00:00+00:00",
            "parameters": {
                "dc_bias": ParameterValue(4e-3, "V", "bias during the sweep"),
                "averages": ParameterValue(3, "", "readings per point"),
                "both_ways": ParameterValue(True, "", "forward and backward"),
                "comment": ParameterValue("Γ of the Fe atom", "", "what the user writes"),
            },
            "axes": tuple(axes),
            "channels": (Channel("current", "A", "tunnel current"), Channel("x", "V", "lock-in X, rms")),
            "point_seconds": point_seconds,
            "station": "simulated",
            "configuration": "[station]\nname = 'simulated'\n",
            "factors": {"gain": ParameterValue(1e9, "V/A", "of the preamplifier")},
            "sample": "fe_atom",
            "snapshot": {"lockin": {"time_constant": 0.03, "reference": "internal", "overload": False, "x": None}},
            "versions": {"stmlab": "0.1.0", "h5py": "3.16", "a": "1"},
            "git": "37f41ab",
            "seed": 7,
        }
        return RunStarted(**(said | more))

    return make


@pytest.fixture
def make_points():
    """The first ``count`` points of such a run (all of them if None); values follow from the index."""

    def make(started, count=None, *, first=0):
        outer = [axis.values for axis in started.axes if not axis.hardware]
        places = np.stack([grid.ravel() for grid in np.meshgrid(*outer, indexing="ij")], axis=1)
        sweep = [len(axis) for axis in started.axes if axis.hardware]
        points = []
        for k in range(first, len(places) if count is None else first + count):
            current, x = 1e-12 * k, -1.0 * k
            if sweep:
                current, x = current + np.arange(sweep[0]), x - np.arange(sweep[0])
            points.append(PointTaken(k, 0.5 * k, tuple((places[k] * 1.001).tolist()), (current, x), visit=k))
        return points

    return make


@pytest.fixture
def make_fit():
    """A fit with parameters, covariance, warnings and curves of different lengths."""

    def make(rate=1.73e9, samples=5):
        return FitResult(
            model="srs",
            parameters=(FitParameter("rate", rate, 2e7, "1/s"), FitParameter("frequency", rate / 6.28, 3e6, "Hz")),
            free=("rate",),
            covariance=np.array([[4e14]]),
            points=60,
            residual=1.1e-14,
            reduced_chi_square=None,
            warnings=("the rate's step is small: 2.9 errors",),
            curves={
                "x": np.geomspace(1, 10, samples),
                "data": np.linspace(0, 1, samples),
                "map": np.arange(6.0).reshape(2, 3),
                "fit": np.full(3 * samples, np.pi),
            },
            labels={"x": "frequency", "y": "current"},
        )

    return make


@pytest.fixture
def whole_run(make_started, make_points, make_fit):
    """Every event of a run that is paused once and ends well."""

    def make(**more):
        started = make_started(**more)
        points = make_points(started)
        return [
            started,
            StateChanged(RunState.PREPARING, 0.0),
            StateChanged(RunState.RUNNING, 0.1),
            *points[:5],
            StateChanged(RunState.PAUSED, 2.2, "asked for by the user; “hold” 1\nsecond line"),
            StateChanged(RunState.RUNNING, 3.0),
            *points[5:],
            StateChanged(RunState.ANALYSING, 7.0),
            Analysed(make_fit()),
            Analysed(make_fit(1.6e9, samples=9)),
            RunFinished(
                RunState.FINISHED,
                "completed",
                "",
                len(points),
                7.5,
                {"lockin": {"time_constant": 0.1, "note": "µ" * 500}},
            ),
        ]

    return make
