"""How fast, in CPU time beside what scipy needs for the same in the same process.

The ratios themselves are told by ``make bench``; here it is noticed when one is lost. The bounds are far below them, so
that a busy machine says nothing.
"""

import subprocess
import sys
import time

import numpy as np
from scipy.integrate import odeint
from scipy.optimize import curve_fit, least_squares
from scipy.optimize._numdiff import approx_derivative

from stmlab.analysis.batch.decay import fit_decay_batch
from stmlab.analysis.batch.steps import fit_steps_batch
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.transport.data import SpectrumData
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra, system_of
from stmlab.analysis.transport.problem import Problem
from stmlab.physics.driven import occupation_harmonics
from stmlab.physics.occupation import generator
from stmlab.physics.stochastic_resonance import line_shape


def cpu(work, repeats=3):
    """CPU seconds of the fastest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def test_a_map_of_resonance_lines_with_its_doubts_is_faster_than_curve_fit():
    random, frequency, count, peers = np.random.default_rng(1), np.geomspace(3e6, 20e9, 60), 1000, 40
    rates = np.exp(random.uniform(np.log(3e8), np.log(2e10), count))
    currents = np.array([line_shape(frequency, rate, 5e-12, -3e-12) for rate in rates])
    currents += 0.5e-12 * random.standard_normal(currents.shape)
    bias, drive = np.divmod(np.arange(count), 50)
    columns = [np.repeat(bias, 60), np.repeat(drive, 60), np.tile(frequency, count), currents.ravel()]

    def loop():
        angular = 2e-9 * np.pi * frequency
        for current, rate in zip(currents[:peers], rates, strict=False):
            curve_fit(lambda w, g, a, b: a / (1 + (w / g) ** 2) + b, angular, 1e12 * current, (rate * 1e-9, 5, -3))

    assert cpu(loop) / peers > 8 * cpu(lambda: fit_srs_map(*columns)) / count


def test_a_grid_of_steps_is_faster_than_least_squares_with_its_jacobian():
    random, bias, shape, count, peers = (
        np.random.default_rng(2),
        np.linspace(-10e-3, 10e-3, 201),
        StepShape(2.0),
        300,
        15,
    )
    x = 1e3 * bias
    truth = np.column_stack(
        [random.uniform(1.2, 2.4, count), random.uniform(4, 6, count), *random.uniform(0.2, 0.5, (5, count))]
    )

    def places(p):
        return (-x - p[0], x - p[0], -x - p[1], x - p[1])

    def model(p):
        return p[2] + sum(height * shape.step(place) for height, place in zip(p[3:], places(p), strict=True))

    def jacobian(p):
        slopes = [-height * shape.slope(place) for height, place in zip(p[3:], places(p), strict=True)]
        columns = [slopes[0] + slopes[1], slopes[2] + slopes[3], np.ones_like(x)]
        return np.column_stack([*columns, *map(shape.step, places(p))])

    data = np.array([model(p) for p in truth]) + 0.05 * random.standard_normal((count, x.size))

    def loop():
        for y in data[:peers]:
            least_squares(lambda p, y=y: model(p) - y, (1.8, 5, 0.3, 0.3, 0.3, 0.3, 0.3), jacobian, method="lm")

    assert cpu(loop) / peers > 2 * cpu(lambda: fit_steps_batch(bias, data, temperature_K=2.0)) / count


def test_many_decays_are_faster_than_curve_fit():
    random, delay, count, peers = np.random.default_rng(3), np.linspace(5e-9, 400e-9, 80), 1000, 40
    lifetimes = random.uniform(30e-9, 120e-9, count)
    currents = 5e-12 * np.exp(-delay / lifetimes[:, None]) + 1e-12 + 0.3e-12 * random.standard_normal((count, 80))

    def loop():
        for current in currents[:peers]:
            curve_fit(lambda t, t1, a, b: a * np.exp(-t / t1) + b, 1e9 * delay, 1e12 * current, (70.0, 5.0, 1.0))

    assert cpu(loop) / peers > 3 * cpu(lambda: fit_decay_batch(delay, currents)) / count


def test_a_driven_rate_equation_is_faster_than_lsoda():
    phase = 2 * np.pi * np.arange(64) / 64
    base, swing = np.array([[0, 3, 1], [2, 0, 4], [1, 2, 0.0]]), np.array([[0, 1, 0], [1, 0, 2], [0.5, 0, 0.0]])
    frequency, periods = 0.3, 12

    def ours():
        return occupation_harmonics(generator(base + swing * np.cos(phase)[:, None, None]), np.array([frequency]))[0]

    def lsoda():
        def change(p, t):
            return generator(base + swing * np.cos(2 * np.pi * frequency * t)) @ p

        times = np.linspace(0.0, periods / frequency, 64 * periods + 1)
        return odeint(change, np.full(3, 1 / 3), times, rtol=1e-9, atol=1e-10)[-65:-1]

    harmonics = ours()
    orders = np.arange(len(harmonics)) - len(harmonics) // 2
    np.testing.assert_allclose((np.exp(1j * np.outer(phase, orders)) @ harmonics).real, lsoda(), atol=1e-6)
    assert cpu(lsoda) > 4 * cpu(ours)


def test_slopes_of_the_transport_model_are_faster_than_differences_of_its_residuals():
    bias, conductances = np.linspace(-10e-3, 10e-3, 101), 1e-6 * np.linspace(0.05, 0.6, 5)
    setting, modulation = SpinSetting(order=3, modulation_V=0.2e-3), {"modulation_V": 0.2e-3}
    spins = SpinParameters(-4.2, 0.9, 2.0, kondo_coupling=-0.05, potential_scattering=0.3)
    data = spectra(setting, spins, conductances, bias)
    free = ("axial_anisotropy_meV", "transverse_anisotropy_meV", "kondo_coupling", "potential_scattering")
    free = (*free, "bias_offset", "temperature_K")
    given = [SpectrumData(bias, row, float(g), 0.0, **modulation) for row, g in zip(data, conductances, strict=True)]
    problem = Problem(given, system_of(setting), vars(spins), free, 1e-3 * data.max(axis=1))
    at = np.concatenate([problem._varying.begun(), np.log(conductances)])
    ours, by_differences = problem._slopes(at).residuals, approx_derivative(lambda p: problem._placed(p).residuals, at)
    np.testing.assert_allclose(ours, by_differences, atol=2e-4 * np.abs(ours).max())
    differences = cpu(lambda: approx_derivative(lambda p: problem._placed(p).residuals, at, method="2-point"))
    assert differences > 1.5 * cpu(lambda: problem._slopes(at))


def test_the_first_fits_of_a_process_wait_for_no_library_that_they_do_not_need():
    code = (
        "import sys, numpy as np\n"
        "from stmlab.analysis.lorentzian import fit_srs\n"
        "from stmlab.analysis.decay import fit_decay\n"
        "from stmlab.analysis.steps import fit_steps\n"
        "x = np.geomspace(3e6, 2e10, 40)\n"
        "fit_srs(x, 1 / (1 + (x / 1e9) ** 2) + 0.01 * np.cos(np.arange(40.0) ** 2))\n"
        "t = np.linspace(1.0, 9.0, 40)\n"
        "fit_decay(t, np.exp(-t / 3) + 0.01 * np.cos(np.arange(40.0) ** 2))\n"
        "v = np.linspace(-0.01, 0.01, 201)\n"
        "fit_steps(v, 1 + 1 / (1 + np.exp((4e-3 - abs(v)) / 2e-4)) + 0.01 * np.cos(np.arange(201.0) ** 2))\n"
        "heavy = 'lmfit pandas matplotlib xarray scipy.optimize scipy.stats scipy.interpolate'.split()\n"
        "print(*(name for name in heavy if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
