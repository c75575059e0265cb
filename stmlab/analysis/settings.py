"""What a fit is told beside the data: by the parameters that a run was taken with, or anew by whoever fits it.

A field that was forgotten when the run was started, or a window that suits another spin, needs no new measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from stmlab.analysis.guided.guide import QUANTITIES
from stmlab.analysis.iterations import TIME_LIMIT_S
from stmlab.analysis.numbers import number
from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.analysis.guided.guide import Guide
    from stmlab.arrays import FloatArray
    from stmlab.storage import Run

UNITS: Mapping[str, str] = {
    "temperature": "K",
    "modulation": "V",
    "field": "T",
    "height": "m",
    "window": "V",
    "scattering": "S",
    "order": "",
    "exclusion": "s",
    "fitted_sides": "",
    "threshold": "A",
    "dead_time": "s",
    "spin": "",
    "offset": "",
    "time_limit": "s",
}
"""Everything that can be given, with its unit: temperature of the sample, peak modulation at the junction, field along
the surface normal (of a spin system along its own direction), height of the tip, half the width of the window, the
sample electrons' scattering from the spin (G11), order of the transport model, delays left out, sides of zero delay,
threshold and dead time of switching, spin of the n-state model and whose the constant under its steps is, CPU time of
the fit.
"""
OF_EVERY_MODEL = ("time_limit",)
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, eq=False)
class Settings:
    """Of one fit: what was given, or else what the run knows.

    Attributes:
        given: name -> value in the unit of `UNITS`.
        known: name -> value, by the run's parameters.
        played: peak modulation at the junction as it really was, V, or None.
        guide: start values and fixed parameters; None: the fit finds its own.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    played: float | None = None
    guide: Guide | None = None

    @classmethod
    def of_run(cls, run: Run, given: Mapping[str, Any], guide: Guide | None = None) -> Settings:
        """By the run's parameters, and the modulation that was played."""
        played = run.data.get("modulation")
        known = {name: parameter.value for name, parameter in run.parameters.items()}
        return cls(given, known, None if played is None or not played.size else float(np.median(played)), guide)

    def number(self, name: str, default: float = 0.0) -> float:
        """A number; the default if nobody says it.

        Raises:
            FitError: it was given, but is none.
        """
        if name in self.given:
            return number(name, self.given[name])
        return float(self.known.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """A whole number; the default if nobody says it.

        Raises:
            FitError: it was given, but is none.
        """
        return self._converted(name, default, int, "a whole number")

    def plain(self, name: str, default: float) -> float:
        """A number without a unit, which a command line gives as text; the default if nobody says it.

        Raises:
            FitError: it was given, but is none.
        """
        return self._converted(name, default, float, "a number")

    def _converted(self, name: str, default: _Number, kind: Callable[[str], _Number], needed: str) -> _Number:
        try:
            return kind(str(self.given.get(name, default)))
        except ValueError:
            raise FitError(f"{name} = {self.given[name]!r}: {needed} is needed") from None

    def text(self, name: str, default: str) -> str:
        """A word; the default if nobody says it."""
        return str(self.given.get(name, self.known.get(name, default)))

    def optional(self, name: str) -> float | None:
        """A number, or None if nobody says it."""
        return self.number(name) if name in self.given or name in self.known else None

    @property
    def temperature(self) -> float | None:
        """Of the sample, K, or None if nobody said; a sequence that does not know it says 0."""
        return self.number("temperature") or None

    @property
    def modulation(self) -> float:
        """Peak amplitude of the bias modulation at the junction, V: as given, else as played, else as asked for."""
        if "modulation" not in self.given and self.played is not None:
            return self.played
        return self.number("modulation")

    @property
    def setpoint(self) -> float:
        """Current over bias of the setpoint, S; 0 if nobody says the current."""
        return abs(self.number("setpoint_current") / self.number("setpoint_bias", 1.0))

    @property
    def window(self) -> float:
        """The bias up to which spectra are fitted, V."""
        return self.number("window", 10e-3)

    def naming_window(self, error: FitError, bias: FloatArray) -> FitError:
        """A refusal, with how to fit more of a spectrum where the window left some of its bias, V, out."""
        reach = float(np.nanmax(np.abs(bias), initial=0.0))
        if reach <= self.window * (1 + 1e-9):
            return error
        window, whole = format_quantity(self.window, "V"), format_quantity(reach, "V")
        return FitError(
            f"{error}; fitted within +-{window}, where the spectrum reaches +-{whole}: --set window="
            f"{whole.replace(' ', '')} takes all of it"
        )

    @property
    def time_limit(self) -> float:
        """CPU time after which the fit ends with the best so far, s.

        Raises:
            FitError: it was given, but is no time.
        """
        if "time_limit" not in self.given:  # a run's own parameter of that name would be another thing
            return TIME_LIMIT_S
        limit = number("time_limit", self.given["time_limit"])
        if not limit > 0:
            raise FitError(f"time_limit = {limit:g} s: a time above 0 is needed")
        return limit

    def transport(self) -> dict[str, Any]:
        """What the transport model is told, as its fit's keyword arguments."""
        told = {"field_T": self.number("field"), "order": self.whole("order", 3)}
        scattering = {"scattering_S": self.number("scattering")} if "scattering" in self.given else {}
        return {"modulation_V": self.modulation, "temperature_K": self.temperature, **told, **scattering}

    def said(self) -> dict[str, str]:
        """For the result's ``choices``: what was given."""
        if not self.given:
            return {}
        return {"given": ", ".join(f"{name} = {_shown(name, value)}" for name, value in self.given.items())}


def check_guided(model: str, guide: Guide | None) -> None:
    """Raise FitError for a guide that the model does not take."""
    if guide is not None and model not in QUANTITIES:
        raise FitError(f"the model {model} takes no start values: {', '.join(QUANTITIES)} do")


def check_given(model: str, takes: tuple[str, ...], given: Mapping[str, Any]) -> None:
    """Raise FitError for a setting that the model does not take."""
    for name in given:
        if name not in (*takes, *OF_EVERY_MODEL):
            known = f"takes {', '.join(takes)}" if takes else "takes no settings"
            raise FitError(f"{name}: the model {model} {known}; every model takes {', '.join(OF_EVERY_MODEL)}")


def _shown(name: str, value: Any) -> str:
    return f"{value:g} {UNITS[name]}" if isinstance(value, float) else str(value)
