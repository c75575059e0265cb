"""The n-state fit of whole runs: one with the atom that comes with stmlab, or several at once with any spin system."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stmlab.analysis.n_state.data import SrsSpectrum
from stmlab.analysis.n_state.fit import fit_states
from stmlab.analysis.n_state.runs import SEQUENCES, spectra_of
from stmlab.analysis.settings import Settings
from stmlab.errors import FitError
from stmlab.storage import Run
from stmlab.systems.files import built_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.results import FitResult
    from stmlab.storage.recorded import Recording
    from stmlab.systems import System

FREE, MODEL = "free", "model"
"""Whose the constant under the step of a spectrum is: its own, or the model's I_rec."""
_ATOM, _SPIN = "one_atom", 2.0
_ANISOTROPY = ("axial_anisotropy_meV", "transverse_anisotropy_meV")


def takes_states(source: Run | Recording) -> bool:
    """Whether it holds SRS spectra."""
    return isinstance(source, Run) and source.sequence in SEQUENCES


def fit_map(run: Run, told: Settings) -> FitResult:
    """Fit one atom under a polarised tip (`config/systems/one_atom.toml`) to one run, by its settings.

    Raises:
        FitError: as `fit_states`; the run holds something else, or the spin is none.
    """
    spectra, warnings = spectra_of(run, told)
    return _fitted(spectra, [_atom(told.plain("spin", _SPIN))], told.text("offset", FREE), warnings)


def fit_runs(
    sources: Sequence[Run | Recording], each: Sequence[Mapping[str, float]], systems: Sequence[System], offset: str
) -> FitResult:
    """Fit spin systems to all spectra of some runs, each with its settings.

    Raises:
        FitError: as `fit_states`; or a source holds something else.
    """
    spectra, warnings = list[SrsSpectrum](), list[str]()
    for source, given in zip(sources, each, strict=True):
        if not isinstance(source, Run):
            raise FitError(f"{source.path}: an n-state fit takes runs: others do not say bias and amplitude")
        found, left_out = spectra_of(source, Settings.of_run(source, given))
        spectra += found
        warnings += left_out
    return _fitted(spectra, systems, offset, warnings)


def _fitted(spectra: list[SrsSpectrum], systems: Sequence[System], offset: str, left_out: Sequence[str]) -> FitResult:
    """With what was left out among the warnings; a refusal where that is all."""
    own = _own_offsets(offset)
    if not spectra and left_out:
        raise FitError(f"no spectra to fit: {'; '.join(left_out)}")
    fit = fit_states(spectra, systems, offsets=own)
    return replace(fit, warnings=(*left_out, *fit.warnings))


def _own_offsets(offset: str) -> bool:
    if offset not in (FREE, MODEL):
        raise FitError(f"offset = {offset!r}: {FREE} (each spectrum has its own) or {MODEL} (its I_rec) is allowed")
    return offset == FREE


def _atom(spin: float) -> System:
    """The atom with 2 S + 1 states; one with two has no anisotropy."""
    if not (2.0 * spin).is_integer() or not 0.5 <= spin <= 10.0:
        raise FitError(f"spin = {spin:g}: 0.5, 1, 1.5 ... 10 is allowed")
    changes: dict[str, float] = {"spins.atom.spin": spin}
    if spin == 0.5:
        changes |= {f"spins.atom.{name}": 0.0 for name in _ANISOTROPY}
    return replace(built_in(_ATOM, _ATOM, changes), label=f"S = {spin:g}")
