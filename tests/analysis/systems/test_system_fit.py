"""Spin systems of files fitted to spectra of known spins: parameters, errors, alternatives, doubts, refusals."""

import math

import numpy as np
import pytest
from scipy.optimize._numdiff import approx_derivative

import stmlab
from stmlab.analysis import system_files
from stmlab.analysis.system_files import fit_system
from stmlab.analysis.transport import SpectrumData, fit_systems, start
from stmlab.analysis.transport.problem import Problem
from stmlab.errors import FitError, SequenceError
from stmlab.systems import Conditions, read_system
from tests.analysis.systems.runs import coupled, data, run, spectrum, written
from tests.approximately import close

BIAS = np.linspace(-8e-3, 8e-3, 81)
OBLIQUE = """
[spin_system]
label = "one"
temperature_K = 1.5
field_T = [4.0, 0.0, 3.0]
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = { start = -2.5, low = -6, high = 6, name = "D" }
transverse_anisotropy_meV = { start = 0.5, low = 0, high = 2, name = "E" }
[spin_system.alternatives.two]
spins.atom.spin = 2
"""
PAIR = """
[spin_system]
label = "heisenberg"
temperature_K = 1.0
field_direction = [1, 0, 2]
order = 3
[spin_system.spins.one]
spin = 0.5
[spin_system.spins.two]
spin = 0.5
scattering_S = 1e-7
[spin_system.sample]
coupling = { start = -0.03, name = "K" }
""" + coupled("pair", "one", "two", '{ start = 1.0, low = -5, high = 5, name = "J" }')
ALONE = OBLIQUE.split("[spin_system.alternatives")[0]
"""Without an alternative, where nothing is said of one."""
POLARISED = """
[spin_system]
field_direction = [0, 0, 1]
potential_scattering = { start = 0.2, low = -2, high = 2, name = "U" }
[spin_system.spins.atom]
spin = 1.5
axial_anisotropy_meV = { start = 1.0, low = 0, high = 4, name = "D" }
[spin_system.tip]
field_polarisation = { start = 0.2, name = "P" }
saturation_field_T = 1.0
"""


def apart(fit, truth):
    """Of each parameter, in its errors; 2 % at most."""
    assert all(abs(fit[name].value - value) < 0.02 * abs(value) for name, value in truth.items())
    return {name: abs(fit[name].value - value) / fit[name].error for name, value in truth.items()}


def test_anisotropy_in_an_oblique_field_comes_back_from_one_spectrum_and_tells_the_spin(tmp_path):
    truth = {"D": -4.1, "E": 0.9}
    system, found = data(written(tmp_path / "mine.toml", OBLIQUE), truth, [(2e-7, None, None)], BIAS)
    fit = fit_systems(found, [system, *system.alternatives])
    assert max(apart(fit, truth).values()) < 3.5
    assert fit.choices["system"] == "one"
    assert fit.choices["AIC"].startswith("one +0.0, two +")
    assert fit.free == ("D", "E", "bias_offset", "conductance_1")
    assert fit["conductance_1"].value == close(2e-7, rel=5e-3)
    assert fit.warnings == ()


def test_a_field_series_of_two_coupled_spins_is_fitted_at_once(tmp_path):
    truth, places = {"J": 2.3, "K": -0.04}, [(1e-7, field, None) for field in (2.0, 6.0)]
    system, found = data(written(tmp_path / "mine.toml", PAIR), truth, places, BIAS)
    fit = fit_systems(found, [system, *system.alternatives])
    assert apart(fit, {"J": 2.3})["J"] < 3.5
    assert abs(fit["K"].value + 0.04) < 3.5 * fit["K"].error < 0.01
    assert fit.choices["system"] == "heisenberg"


def test_files_of_different_fields_and_temperatures_give_the_polarisation_of_the_tip(tmp_path, monkeypatch):
    path, truth = written(tmp_path / "mine.toml", POLARISED), {"D": 1.9, "P": 0.5, "U": 0.7}
    system, files = read_system(path), []
    for k, (field, temperature) in enumerate([(1.0, 0.8), (4.0, 1.2)]):
        row = spectrum(system, truth, BIAS, Conditions(1e-7, field, temperature), k)
        files.append(run(tmp_path / f"{k}.h5", BIAS, [1e-7], [row], field=field, temperature=temperature))
    fit = stmlab.fit(files, system=path)
    assert max(apart(fit, truth).values()) < 3.5
    assert [p.at for p in fit.parameters if p.at] == ["0.h5, setpoint 0 S, 1 T", "1.h5, setpoint 0 S, 4 T"]
    given = []
    monkeypatch.setattr(system_files, "fit_systems", lambda spectra, systems: given.extend(spectra) or fit)
    stmlab.fit(files, "transport", system=str(path), field=["1 T", 4.0], temperature="0.8, 1.2")
    stmlab.fit(files, system=path, field=0.5, temperature=1.0)
    conditions = [(one.field_T, one.temperature_K) for one in given]
    assert conditions == [(1.0, 0.8), (4.0, 1.2), (0.5, 1.0), (0.5, 1.0)]


@pytest.mark.slow
def test_a_ramp_tells_exchange_from_anisotropy_that_the_tip_induces(tmp_path):
    text = """
[spin_system]
label = "exchange"
temperature_K = 1.5
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = { start = -3, low = -6, high = 0, name = "D" }
transverse_anisotropy_meV = 0.5
[spin_system.spins.apex]
spin = 0.5
[spin_system.exchanges.junction]
between = ["atom", "apex"]
heisenberg_meV = { per_uS = { start = 2, low = -6, high = 6, name = "J" } }
[spin_system.alternatives.induced]
without = ["spins.apex", "exchanges"]
spins.atom.axial_anisotropy_meV = { start = -3, low = -6, high = 0, name = "D", per_uS = { start = 0.1, name = "D1" } }
"""
    path, places = written(tmp_path / "mine.toml", text), [(g, None, None) for g in (5e-8, 4e-7)]
    for truth, label in (({"D": -4.0, "J": 3.0}, "exchange"), ({"D": -4.0, "D1": 1.5}, "induced")):
        whole = read_system(path)
        of = {one.label: one for one in (whole, *whole.alternatives)}[label]
        rows = [spectrum(of, truth, BIAS, Conditions(g), k) for k, (g, _, _) in enumerate(places)]
        run(tmp_path / f"{label}.h5", BIAS, [g for g, _, _ in places], rows)
        fit = fit_system([tmp_path / f"{label}.h5"], path)
        assert fit.choices["system"] == label
        assert max(apart(fit, truth).values()) < 3.5


def test_exchange_that_falls_with_height_is_tied_to_it(tmp_path):
    text = """
[spin_system]
temperature_K = 1.0
conductance_S = 1e-7
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = 3.0
[spin_system.spins.apex]
spin = 0.5
[spin_system.exchanges.junction]
between = ["atom", "apex"]
heisenberg_meV = { start = 0.5, low = 0, high = 3, name = "J", decay_length_m = { start = 80e-12, name = "L" } }
"""
    path, truth = written(tmp_path / "mine.toml", text), {"J": 0.9, "L": 60e-12}
    system, heights = read_system(path), (-50e-12, 0.0, 40e-12)
    files = [
        run(tmp_path / f"{k}.h5", BIAS, [1e-7], [spectrum(system, truth, BIAS, Conditions(1e-7, height_m=z), k)])
        for k, z in enumerate(heights)
    ]
    fit = stmlab.fit(files, system=path, height=heights)
    assert max(apart(fit, truth).values()) < 3.5
    assert fit["L"].unit == "m"


def test_a_start_of_the_wrong_sign_leads_to_the_right_valley_where_bounds_are_given(tmp_path):
    truth, text = {"D": -4.1, "E": 0.9}, OBLIQUE.replace("start = -2.5", "start = 4.0")
    system, found = data(written(tmp_path / "mine.toml", text), truth, [(2e-7, None, None)], BIAS)
    assert max(apart(fit_systems(found, [system]), truth).values()) < 3.5


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 4])
def test_of_two_names_of_the_same_axes_the_usual_ones_are_shown_and_the_others_told(tmp_path, seed):
    """The field lies as well to the axes of one description as to those of the other: |E| <= |D| / 3 is usual."""
    text = """
[spin_system]
temperature_K = 1.0
field_T = [0, 3, 5]
[spin_system.spins.atom]
spin = 1.5
axial_anisotropy_meV = { start = 0.5, low = -4, high = 4, name = "D" }
transverse_anisotropy_meV = { start = 0.1, low = 0, high = 2, name = "E" }
axis = [1, 0, 1]
transverse_axis = [0, 1, 0]
"""
    truth = {"D": -1.9, "E": 0.6}
    system, found = data(written(tmp_path / "mine.toml", text), truth, [(2e-7, None, None)], BIAS, seed)
    fit = fit_systems(found, [system])
    assert max(apart(fit, truth).values()) < 3.5
    assert any("describes the spectra as well as mine (D = -1.9" in warning for warning in fit.warnings)


@pytest.mark.parametrize(
    "text", ["per_uS = { start = 2.0, name = 'J' }", "start = 0.6, name = 'J', decay_length_m = 6e-11"]
)
def test_slopes_of_what_grows_with_the_conductance_are_those_of_differences(tmp_path, text):
    path = written(
        tmp_path / "mine.toml",
        f"""
[spin_system]
temperature_K = 1.0
spins.atom = {{ spin = 1, axial_anisotropy_meV = {{ start = -3.0, name = "D" }} }}
spins.apex = {{ spin = 0.5 }}
exchanges.junction = {{ between = ["atom", "apex"], heisenberg_meV = {{ {text} }} }}
""",
    )
    system, found = data(path, {}, [(1e-7, None, None), (4e-7, None, None)], BIAS, noise=0.0)
    problem = Problem(found, system, system.starts(), ("D", "J", "bias_offset"), np.full(2, 1e-9))
    at = np.concatenate([problem._varying.begun(), np.log([1.05e-7, 3.9e-7])])
    ours, by_differences = problem._slopes(at).residuals, approx_derivative(lambda p: problem._placed(p).residuals, at)
    largest = np.abs(by_differences).max(axis=0)  # of each column
    np.testing.assert_allclose(ours / largest, by_differences / largest, atol=1e-3)


def test_a_step_to_no_conductance_ends_where_a_junction_does(tmp_path):
    """Spectra that are none of spins, as of a superconducting gap, drive the logarithm of a conductance far down."""
    system, found = data(written(tmp_path / "mine.toml", OBLIQUE), {"D": -4.1, "E": 0.9}, [(2e-7, None, None)], BIAS)
    problem = Problem(found, system, system.starts(), ("D", "E", "bias_offset"), np.full(1, 1e-9))
    for logarithm in (-2000.0, 2000.0):
        assert problem._placed(np.concatenate([problem._varying.begun(), [logarithm]])) is not None


def test_what_the_spectra_do_not_determine_is_told(tmp_path):
    text = OBLIQUE.replace("[4.0, 0.0, 3.0]", "[0, 0, 0]").replace("spin = 1\n", "spin = 1\ng = { start = 2.0 }\n")
    system, found = data(written(tmp_path / "mine.toml", text), {"D": -4.1, "E": 0.9}, [(2e-7, None, None)], BIAS)
    fit = fit_systems(found, [system])
    assert math.isinf(fit["atom.g"].error)
    assert any("atom.g is not determined" in warning for warning in fit.warnings)


def test_a_parameter_at_either_end_of_its_bounds_or_within_its_error_of_one_is_told(tmp_path):
    path, text = tmp_path / "mine.toml", ALONE.replace('{ start = 0.5, low = 0, high = 2, name = "E" }', "0.9")

    def within(low, high):
        bounded = f"start = {(low + high) / 2!r}, low = {low!r}, high = {high!r}"
        return read_system(written(path, text.replace("start = -2.5, low = -6, high = 6", bounded)))

    def fitted(low, high):
        return fit_systems(found, [within(low, high)])

    within(-6.0, 0.0)
    found = data(path, {"D": -4.1}, [(2e-7, None, None)], BIAS)[1]
    free = fitted(-6.0, 0.0)
    assert free.warnings == ()
    for low, high, end in ((-3.0, 0.0, "-3"), (-6.0, -4.4, "-4.4")):
        fit = fitted(low, high)
        assert any(f"D = {end} ran to the end" in warning for warning in fit.warnings), end
        assert any("the model does not hold" in warning for warning in fit.warnings), end
    near = fitted(free["D"].value - 0.1 * free["D"].error, 0.0)
    assert near["D"].value == close(free["D"].value, rel=1e-6)  # it does not stand at the bound
    assert any("ran to the end" in warning for warning in near.warnings)


def test_signs_that_make_no_difference_are_found(tmp_path):
    """Without a field the axes x and y of two anisotropic spins may change places together."""
    text = """
[spin_system]
temperature_K = 1.0
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = -3.0
transverse_anisotropy_meV = { start = -0.4, name = "E1" }
[spin_system.spins.other]
spin = 1
axial_anisotropy_meV = -2.0
transverse_anisotropy_meV = { start = 0.2, name = "E2" }
scattering_S = 1e-7
[spin_system.exchanges.bond]
between = ["atom", "other"]
heisenberg_meV = 0.8
"""
    system, found = data(written(tmp_path / "mine.toml", text), {"E1": -0.5, "E2": 0.35}, [(1e-7, None, None)], BIAS)
    fit = fit_systems(found, [system])
    assert fit["E1"].value == close(0.5, rel=0.02)
    assert fit["E2"].value == close(-0.35, rel=0.05)
    assert any("E1 with E2 and -E1 with -E2 give the same spectra: E1 > 0" in warning for warning in fit.warnings)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"order": 2}, "order: the model transport with a system takes temperature, modulation, window, field, height"),
        ({"field": [1.0, 2.0]}, "field: 2 values for 1 files"),
        ({"model": "steps"}, "the model steps takes no spin system"),
        ({}, "one: the field is not known|mine: the field is not known"),
        ({"field": 1.0}, "the temperature is not known"),
        ({"field": 1.0, "temperature": -1.0}, "temperature = -1 K: 0 K or more is needed"),
        ({"field": 1.0, "temperature": 0.0}, "the temperature is not known"),
        ({"field": 1.0, "temperature": 1.0, "modulation": -1e-3}, "modulation = -1 mV: 0 V or more is needed"),
        ({"field": 1.0, "temperature": 1.0, "window": -1e-3}, "window = -1 mV: 0 V or more is needed"),
    ],
)
def test_what_cannot_be_fitted_with_a_system_is_refused(tmp_path, settings, complaint):
    path = written(tmp_path / "mine.toml", POLARISED)
    row = spectrum(read_system(path), {}, BIAS, Conditions(1e-7, 1.0, 1.0))
    with pytest.raises(FitError, match=complaint):
        stmlab.fit(run(tmp_path / "a.h5", BIAS, [1e-7], [row]), system=path, **settings)


@pytest.mark.parametrize("setting", [{"field": 5.0}, {"temperature": 1.5}])
def test_what_the_system_has_itself_is_not_told_beside_it(tmp_path, setting):
    path = written(tmp_path / "mine.toml", OBLIQUE)
    file = run(tmp_path / "a.h5", BIAS, [1e-7], [np.ones(BIAS.size)])
    with pytest.raises(FitError, match=rf"{next(iter(setting))}: the system's file has {next(iter(setting))}_"):
        stmlab.fit(file, system=path, **setting)


def test_a_file_that_is_given_twice_is_refused(tmp_path):
    path = written(tmp_path / "mine.toml", OBLIQUE)
    file = run(tmp_path / "a.h5", BIAS, [1e-7], [np.ones(BIAS.size)])
    with pytest.raises(FitError, match=r"a\.h5 is given twice: errors would be too small"):
        stmlab.fit([file, tmp_path / "." / "a.h5"], system=path)


@pytest.mark.parametrize(("others", "together"), [(1, 22), (2, 1)])
def test_a_fit_of_many_levels_looks_at_its_time_limit_between_single_trials(tmp_path, monkeypatch, others, together):
    """Three spins 5/2 have 216 levels: a trial takes seconds, and the limit was looked at every 32 trials."""
    more = "".join(f"[spin_system.spins.s{k}]\nspin = 2.5\n" for k in range(others))
    path = written(
        tmp_path / "mine.toml", OBLIQUE.replace("spin = 1\n", "spin = 2.5\n").split("[spin_system.alt")[0] + more
    )
    seen = []

    def scanned(spectra, system, trials):
        seen.append(len(trials))
        return [(1.0, trial) for trial in trials]

    monkeypatch.setattr(start, "_scanned", scanned)
    monkeypatch.setattr(start, "_begun", lambda *_: ({}, np.ones(1)))
    found = SpectrumData(BIAS, np.ones(BIAS.size), 1e-7, None, None, 1e-4)
    assert start.starts([found], read_system(path), None)
    assert max(seen) <= together


def test_a_setting_that_is_no_number_is_refused_and_so_are_many_files_without_a_system(tmp_path):
    path = written(tmp_path / "mine.toml", POLARISED)
    file = run(tmp_path / "a.h5", BIAS, [1e-7], [np.ones(BIAS.size)])
    with pytest.raises(SequenceError, match="'x' is not a number"):
        stmlab.fit(file, system=path, field="x")
    with pytest.raises(FitError, match="give a system"):
        stmlab.fit([file, file])


def test_a_spectrum_that_was_cut_off_is_left_out_and_told(tmp_path):
    path, setpoints = written(tmp_path / "mine.toml", ALONE), [1e-7, 2e-7]
    rows = [spectrum(read_system(path), {"D": -4.0, "E": 0.8}, BIAS, Conditions(g)) for g in setpoints]
    rows[1][50:] = np.nan
    fit = stmlab.fit(run(tmp_path / "a.h5", BIAS, setpoints, rows), system=path)
    assert fit.warnings == ("a.h5: 1 spectra are not whole, and left out",)
    assert fit["conductance_1"].value == close(1e-7, rel=5e-3)
    assert "conductance_2" not in fit.free


def test_a_run_in_another_field_than_the_file_says_so(tmp_path):
    path = written(tmp_path / "mine.toml", ALONE)
    row = spectrum(read_system(path), {"D": -4.0, "E": 0.8}, BIAS, Conditions(1e-7))
    fit = stmlab.fit(run(tmp_path / "a.h5", BIAS, [1e-7], [row], field=7.0), system=path)
    assert fit.warnings[0].startswith("the run says 7 T, the system's file 5 T, which is taken")


def test_a_run_at_another_temperature_than_the_file_says_so(tmp_path):
    path = written(tmp_path / "mine.toml", ALONE)
    row = spectrum(read_system(path), {"D": -4.0, "E": 0.8}, BIAS, Conditions(1e-7))
    fit = stmlab.fit(run(tmp_path / "a.h5", BIAS, [1e-7], [row], temperature=2.5), system=path)
    assert fit.warnings[0].startswith("the run says 2.5 K, the system's file 1.5 K, which is taken")
