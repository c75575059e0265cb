"""The n-state fit: numbers of atoms from SRS maps, their errors and doubts, and what is refused."""

import functools
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import expm

import stmlab
from stmlab.analysis.iterations import STOPPED, ended_early, following
from stmlab.analysis.n_state import fit_states, srs_spectra
from stmlab.analysis.n_state.descents import evened
from stmlab.analysis.n_state.doubts import _drives
from stmlab.analysis.n_state.forward import Forward
from stmlab.analysis.transport.doubts import close_levels
from stmlab.display.figures.fits import draw_fits
from stmlab.errors import FitEnded, FitError
from stmlab.physics.inelastic import inelastic_rates
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current
from stmlab.systems.files import built_in, read_system
from tests.analysis.n_state import maps
from tests.approximately import close

PAIR = """
name = "pair"
kind = "spin_system"
[spin_system]
field_direction = [0, 0, 1]
potential_scattering = 0.76
bias_offset_V = 0.0
[spin_system.spins.atom]
spin = 0.5
g = 2.15
scattering_S = { start = 1e-6, name = "C_SS" }
[spin_system.tip]
polarisation = [0, 0, { start = 0.1, low = -1, high = 1, name = "eta" }]
"""
FIELD_T, TEMPERATURE_K, NOISE_A = -5.0, 0.5, 5e-15
BIASES, AMPLITUDES, FREQUENCIES = np.linspace(-1.5e-3, 1.5e-3, 4), [0.4e-3, 0.9e-3], np.geomspace(5e7, 5e10, 12)
KNOWN = {"field": FIELD_T, "temperature": TEMPERATURE_K}


@functools.cache
def pair_rows(seed=1, noise_A=NOISE_A):
    """Currents of a spin 1/2: two states."""
    atom = maps.junction({}, FIELD_T, TEMPERATURE_K, 0.5)
    setpoint = float(static_current(atom, np.array([maps.SETPOINT_BIAS_V]))[0])
    return maps.currents(atom, BIASES, AMPLITUDES, FREQUENCIES, noise_A, seed), setpoint


def pair_map(folder, seed=1, noise_A=NOISE_A, setpoint_factor=1.0):
    """A run of it."""
    rows, setpoint = pair_rows(seed, noise_A)
    return maps.run(folder / "map.h5", BIASES, AMPLITUDES, FREQUENCIES, rows, setpoint * setpoint_factor)


@pytest.fixture
def pair(tmp_path):
    """The spin 1/2 as a system's file."""
    file = tmp_path / "pair.toml"
    file.write_text(PAIR, encoding="utf-8")
    return file


def pulls(fit, truth):
    """How many of its errors each parameter is off."""
    return {name: (fit[name].value - value) / fit[name].error for name, value in truth.items()}


def in_proportion(one, other):
    """Whether a line is another in some unit."""
    known = np.isfinite(other)
    return one.shape == other.shape and np.ptp(one[known] / other[known]) < 1e-9 * abs(one[known] / other[known]).max()


def test_a_spectrum_of_the_fit_is_that_of_the_master_equation_evolved_in_time():
    """Rates by the scattering theory itself, each held for a 1024th of a period, by the matrix exponential."""
    field_T, temperature_K, offset, amplitude, frequency = -2.0, 0.5, -4.6e-3, 1.3e-3, 4e8
    truth, held = maps.TABLE_S1, 1024
    told = inelastic_rates(
        SpinSystem((Spin(2.0, -1.557, 0.248, 2.15),), (), (0.0, 0.0, field_T)),
        offset + amplitude * np.cos(2 * np.pi * (np.arange(held) + 0.5) / held),
        temperature_K=temperature_K,
        tunnel_conductance_S=maps.CONDUCTANCE_S,
        sample_conductance_S=truth["sample_conductance_S"],
        polarisation=(0.0, 0.0, truth["tip_polarisation"]),
        potential_scattering=truth["potential_scattering"],
    )
    steps = expm(told.generators / (2 * held * frequency))  # halves, so that occupations are those of the middle
    state = np.full(5, 0.2)
    for _ in range(12):
        charge = 0.0
        for step, current in zip(steps, told.currents, strict=True):
            state = step @ state
            charge += current @ state / held
            state = step @ state
    still = static_current(maps.junction({}, field_T, temperature_K), np.array([offset]))[0]
    spectrum = maps_spectra([offset], [amplitude], [1e6, frequency, 1e12], field_T, temperature_K)
    signal = Forward(built_in("one_atom", "one_atom"), spectrum).signals(truth, np.array([maps.CONDUCTANCE_S]))[0]
    assert charge - still == close(signal[1], rel=1e-3)
    assert abs(signal[1] - signal[0]) > 0.1 * abs(signal[0])


def maps_spectra(biases, amplitudes, frequencies, field_T, temperature_K):
    """Spectra without currents, to compute them."""
    v, a, f = (x.ravel() for x in np.meshgrid(biases, amplitudes, frequencies, indexing="ij"))
    return srs_spectra(v, a, f, np.arange(v.size) * 1e-15, (10e-3, 1e-9), field_T, temperature_K)


def test_steps_and_rates_of_the_search_are_those_of_the_spectra():
    """The step by both limits; the rate of two states as the mean over the drive has it."""
    conductances, truth = np.array([maps.CONDUCTANCE_S]), maps.TABLE_S1
    system = built_in("one_atom", "one_atom", {"spins.atom.spin": 0.5})
    forward = Forward(system, maps_spectra(BIASES, [0.5e-3], [1.0, 1e5, 1e16], FIELD_T, TEMPERATURE_K))
    steps, rates = forward.steps_and_rates(truth, conductances)
    signals = np.array(forward.signals(truth, conductances))
    assert steps == close(signals[:, 0] - signals[:, 2], rel=2e-3, abs=1e-17)
    atom = maps.junction({}, FIELD_T, TEMPERATURE_K, 0.5)
    drive = 0.5e-3 * np.cos(2 * np.pi * np.arange(512) / 512)
    assert rates == close([atom.rates(v + drive).sum(axis=(1, 2)).mean() for v in BIASES], rel=1e-3)


def test_a_map_gives_the_numbers_of_its_atom_with_errors(tmp_path, pair):
    fit = stmlab.fit(pair_map(tmp_path), system=pair, **KNOWN)
    truth = {"C_SS": 7.2e-6, "eta": 0.86, "conductance_1": maps.CONDUCTANCE_S}
    assert fit.model == "n_state"
    assert fit.points == BIASES.size * len(AMPLITUDES) * FREQUENCIES.size
    assert all(fit[name].value == close(value, rel=0.05) for name, value in truth.items())
    assert max(abs(pull) for pull in pulls(fit, truth).values()) < 3.5
    assert fit.residual == close(NOISE_A, rel=0.25)
    assert fit["level_1"].value == close(2.15 * 0.0578838 * 5.0, rel=1e-4)
    assert fit["rate"].value * fit["lifetime"].value == close(1.0)
    assert not fit.warnings
    for axes, name in zip(draw_fits("", [("", fit)]).axes, ("rate", "step"), strict=True):
        drawn = [line.get_ydata() for line in axes.lines if line.get_marker() == "None"]
        models = fit.curves[f"fit_{name}"].reshape(BIASES.size, -1).T
        assert all(any(in_proportion(line, model) for line in drawn) for model in models)


def test_noise_is_evened_as_far_as_chance_explains_it():
    rng, degrees = np.random.default_rng(2), np.full(24, 11.0)
    alike = evened(np.sqrt(rng.chisquare(11.0, 24) / 11.0), degrees)
    assert np.ptp(np.log(alike)) < 0.25
    assert np.sqrt(np.mean(alike**2)) == close(1.0, rel=0.1)
    apart = np.geomspace(0.1, 10.0, 24)
    assert evened(apart, degrees) == close(apart, rel=0.25)


@pytest.mark.slow
def test_errors_are_those_of_the_scatter_over_seeds(pair):
    """Of 24 maps; spectra of a dozen points, whose noise is known badly."""
    v, a, f = (x.ravel() for x in np.meshgrid(BIASES, AMPLITUDES, FREQUENCIES, indexing="ij"))
    truth = {"C_SS": 7.2e-6, "eta": 0.86, "conductance_1": maps.CONDUCTANCE_S}
    clean, setpoint = pair_rows(1, 0.0)
    found = []
    for seed in range(24):
        rows = clean + NOISE_A * np.random.default_rng(seed).standard_normal(clean.shape)
        spectra = srs_spectra(v, a, f, rows.ravel(), (maps.SETPOINT_BIAS_V, setpoint), FIELD_T, TEMPERATURE_K)
        found.append(list(pulls(fit_states(spectra, [read_system(pair)]), truth).values()))
    assert np.sqrt(np.mean(np.square(found), axis=0)) == close([1.0, 1.0, 1.0], abs=0.35)
    assert np.mean(found, axis=0) == close([0.0, 0.0, 0.0], abs=0.6)


@pytest.mark.slow
def test_more_files_are_one_map(tmp_path, pair):
    """Each with a spectrum or two, at its own DC biases; one with nothing but spectra that are too short."""
    rows, setpoint = pair_rows()
    files = [
        maps.run(tmp_path / f"{k}.h5", BIASES[part], AMPLITUDES, FREQUENCIES, rows[part], setpoint)
        for k, part in enumerate((slice(0, 1), slice(1, 4)))
    ]
    files.append(maps.run(tmp_path / "short.h5", BIASES, AMPLITUDES, FREQUENCIES[:4], rows[..., :4], setpoint))
    one, several = (stmlab.fit(given, system=pair, **KNOWN) for given in (pair_map(tmp_path), files))
    assert [p.name for p in several.parameters] == [p.name for p in one.parameters]
    assert several["eta"].value == close(one["eta"].value, rel=1e-5)
    assert several["eta"].error == close(one["eta"].error, rel=1e-2)
    assert any("short.h5: 8 spectra are left out" in warning for warning in several.warnings)


@pytest.mark.slow
def test_the_constant_of_the_model_says_more(tmp_path, pair):
    path = pair_map(tmp_path)
    own, model = (stmlab.fit(path, system=pair, offset=which, **KNOWN) for which in ("free", "model"))
    assert model["conductance_1"].error < 0.5 * own["conductance_1"].error
    assert model["conductance_1"].value == close(maps.CONDUCTANCE_S, rel=0.02)


@pytest.mark.slow
def test_what_the_map_does_not_say_is_not_determined(tmp_path, pair):
    """The axial anisotropy of two states moves both."""
    pair.write_text(PAIR.replace("g = 2.15", 'g = 2.15\naxial_anisotropy_meV = { start = 1.0, name = "D" }'))
    fit = stmlab.fit(pair_map(tmp_path), system=pair, **KNOWN)
    assert fit["D"].error == np.inf
    assert any("D is not determined" in warning for warning in fit.warnings)
    assert fit["eta"].value == close(0.86, rel=0.05)


@pytest.mark.slow
def test_a_map_of_another_atom_is_told(tmp_path, pair):
    """Levels three times as close, which no other number makes up for."""
    pair.write_text(PAIR.replace("g = 2.15", "g = 0.7"))
    fit = stmlab.fit(pair_map(tmp_path), system=pair, **KNOWN)
    assert any("the model does not hold" in warning for warning in fit.warnings)


@pytest.mark.slow
def test_a_setpoint_that_the_atom_does_not_carry_is_told(tmp_path, pair):
    fit = stmlab.fit(pair_map(tmp_path, setpoint_factor=2.0), system=pair, **KNOWN)
    assert any("at the setpoint's 10 mV the model's current is" in warning for warning in fit.warnings)
    assert fit["conductance_1"].value == close(maps.CONDUCTANCE_S, rel=0.05)


def test_what_no_file_says_is_asked_for(tmp_path, pair):
    path = pair_map(tmp_path)
    asked = ({"field": -5.0}, "the temperature is not known"), ({"temperature": 0.5}, "the field is not known")
    for known, words in asked:
        with pytest.raises(FitError, match=words):
            stmlab.fit(path, system=pair, **known)
        with pytest.raises(FitError, match=words):
            stmlab.fit(path, "n_state", **known)


def test_noise_without_a_drive_is_no_map(tmp_path, pair):
    rows = NOISE_A * np.random.default_rng(3).standard_normal((BIASES.size, len(AMPLITUDES), FREQUENCIES.size))
    path = maps.run(tmp_path / "noise.h5", BIASES, AMPLITUDES, FREQUENCIES, rows, 1e-9)
    with pytest.raises(FitError, match=r"[01] of 8 spectra hold a step that stands out of the noise"):
        stmlab.fit(path, system=pair, **KNOWN)


def test_a_map_that_is_too_small_is_refused(tmp_path, pair):
    rows, setpoint = pair_rows()
    small = maps.run(tmp_path / "small.h5", BIASES[:1], AMPLITUDES[:1], FREQUENCIES, rows[:1, :1], setpoint)
    with pytest.raises(FitError, match=r"1 of 1 spectra hold a step .* 3 are needed"):
        stmlab.fit(small, system=pair, **KNOWN)
    few = maps.run(tmp_path / "few.h5", BIASES, AMPLITUDES, FREQUENCIES[:4], rows[..., :4], setpoint)
    with pytest.raises(FitError, match=r"no spectra to fit: few\.h5: 8 spectra are left out: .* 4 points, and 6 "):
        stmlab.fit(few, system=pair, **KNOWN)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"offset": "none"}, "offset = 'none': free .* or model"),
        ({"spin": 0.7}, "spin = 0.7"),
        ({"spin": "0.7"}, "spin = 0.7: 0.5, 1, 1.5"),  # as a command line says it
        ({"spin": "two"}, "spin = 'two': a number is needed"),
        ({"time_limit": 1e-3}, "out of its time limit of 1 ms"),
        ({"modulation": 1e-3}, "modulation: the model n_state takes temperature, field, spin, offset"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, words):
    with pytest.raises(FitError, match=words):
        stmlab.fit(pair_map(tmp_path), "n_state", **KNOWN, **settings)


def test_a_model_that_takes_no_system_says_so(tmp_path, pair):
    with pytest.raises(FitError, match="the model steps takes no spin system: transport and n_state do"):
        stmlab.fit(pair_map(tmp_path), "steps", system=pair)


CLOSE_ATOM = """
name = "atom"
kind = "spin_system"
[spin_system]
field_T = [0.01, 0, 0]
temperature_K = 1.0
equation = "{equation}"
bias_offset_V = 0.0
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = -4.0
transverse_anisotropy_meV = 2e-4
scattering_S = {{ start = 3e-8, name = "C_SS" }}
[spin_system.tip]
polarisation = [0, 0, {{ start = 0.5, low = -1, high = 1, name = "eta" }}]
"""


def test_a_map_of_close_levels_is_that_of_the_density_matrix_and_of_rates_is_doubted(tmp_path):
    spectra, doubted = maps_spectra([4e-3, -4e-3], [2e-3], [1.0, 1e9, 1e15], None, None), []
    values, conductances = {"C_SS": 3e-8, "eta": 0.5}, np.array([1e-7])
    signals = []
    for equation in ("automatic", "secular"):
        (file := tmp_path / f"{equation}.toml").write_text(CLOSE_ATOM.format(equation=equation), encoding="utf-8")
        forward = Forward(read_system(file), spectra)
        signals.append(np.array(forward.signals(values, conductances)))
        steps, rates = forward.steps_and_rates(values, conductances)
        assert steps == close(signals[-1][:, 0] - signals[-1][:, 2], rel=2e-3, abs=1e-15)
        assert (rates > 0.0).all()
        junctions = forward.junctions(values, conductances)
        drives = _drives(forward, SimpleNamespace(values=values))
        assert [sorted(1e3 * drive) for drive in drives] == [close([-6.0, -2.0]), close([2.0, 6.0])]
        doubted.append(close_levels(junctions, drives))
    assert np.abs(signals[0] - signals[1]).max() > 0.05 * np.abs(signals[0]).max()
    assert doubted[0] == []
    assert "in 2 of 2 spectra two levels lie closer than the width" in doubted[1][0]


@pytest.mark.parametrize("look", [1, 2, 10, 40])
def test_a_search_that_is_stopped_ends_at_once_with_the_nearest_start(tmp_path, pair, monkeypatch, look):
    """Before any descent over the points there is a start: what steps and rates say of the atom."""
    spectra_made, asked, original = [], count(), Forward.signals

    def counted(*args):
        spectra_made.append(1)
        return original(*args)

    monkeypatch.setattr(Forward, "signals", counted)
    path = pair_map(tmp_path)
    with following(stop=lambda: next(asked) >= look):
        fit = stmlab.fit(path, model="n_state", system=pair, **KNOWN)
    assert ended_early(fit) == STOPPED
    assert fit.warnings[0].startswith("stopped after")
    assert np.isnan([one.error for one in fit.parameters]).all()
    assert fit["C_SS"].value == close(7.2e-6, rel=0.9)
    assert np.isfinite(fit.curves["fit"]).all()
    assert len(spectra_made) <= 2, "the search computes no spectra, the result those of one start"
    assert next(asked) <= look + 2, "it goes on asking"


def test_a_search_that_is_stopped_before_its_first_start_has_nothing_to_show(tmp_path, pair):
    with following(stop=lambda: True), pytest.raises(FitEnded, match="before there was a result"):
        stmlab.fit(pair_map(tmp_path), model="n_state", system=pair, **KNOWN)
