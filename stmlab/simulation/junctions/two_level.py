"""A system that switches between two states under the tip (Betz et al., supplement S1).

dn/dt = Gamma_+(V) - (Gamma_+(V) + Gamma_-(V)) n, where n is the occupation of the excited state, and
I = V (sigma_g + Delta sigma n) + kappa V**2 (Betz et al., section II; the last term rectifies).

Both rates are a baseline plus a part that spin-polarised electrons pump in or out, linear in V and levelling off at
``pumping_saturation_V``, plus, if wanted, slopes beyond a threshold. A pump that levels off below the baselines keeps
both rates positive at any bias. The rates are those of the sample under this tip and do not follow the tip's height.

The switching itself also makes noise in the current (its telegraph noise, 4 Delta I**2 n (1-n)/Gamma far below Gamma);
averages do not contain it. Slow switching shows in the current readings (`stmlab.simulation.telegraph`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import finite, not_negative, positive, refuse
from stmlab.physics.driven import occupation_harmonics
from stmlab.simulation.junctions import Telegraph

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.simulation.junctions import Drive

_STEPS = 8192  # of a period of a smooth drive that passes a threshold: a kink has too many harmonics to balance
_QUADRATURE = 4096  # samples of a period for the averages of true_values


@dataclass(frozen=True)
class TwoLevel:
    """Two states, two rates.

    Attributes:
        ground_conductance_S, conductance_difference_S: sigma_g, and Delta sigma = excited minus ground.
        rectification_A_per_V2: kappa.
        excitation_rate_per_s, relaxation_rate_per_s: baselines of Gamma_+ and Gamma_-.
        excitation_slope_per_s_V, relaxation_slope_per_s_V: pumped part, d Gamma / dV at small V (signed).
        pumping_saturation_V: where the pumped part levels off, as a hyperbolic tangent.
        threshold_V: beyond this, of either sign, the slopes beyond the threshold act on |V| - threshold_V.
        excitation_slope_beyond_per_s_V, relaxation_slope_beyond_per_s_V: these slopes.

    Raises:
        PhysicsError: a value is not finite or of the wrong sign, or a state would conduct backwards.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    ground_conductance_S: float
    conductance_difference_S: float
    excitation_rate_per_s: float
    relaxation_rate_per_s: float
    rectification_A_per_V2: float = 0.0
    excitation_slope_per_s_V: float = 0.0
    relaxation_slope_per_s_V: float = 0.0
    pumping_saturation_V: float = math.inf
    threshold_V: float = math.inf
    excitation_slope_beyond_per_s_V: float = 0.0
    relaxation_slope_beyond_per_s_V: float = 0.0

    def __post_init__(self) -> None:
        positive("ground_conductance_S", self.ground_conductance_S)
        for name in ("excitation_rate_per_s", "relaxation_rate_per_s"):
            not_negative(name, getattr(self, name))
        for name in ("rectification_A_per_V2", "excitation_slope_per_s_V", "relaxation_slope_per_s_V"):
            finite(name, getattr(self, name))
        for name in ("excitation_slope_beyond_per_s_V", "relaxation_slope_beyond_per_s_V"):
            finite(name, getattr(self, name))
        for name in ("pumping_saturation_V", "threshold_V"):
            if not getattr(self, name) > 0:
                raise refuse(name, getattr(self, name), "a value above 0 V is needed")
        if not self.ground_conductance_S + finite("conductance_difference_S", self.conductance_difference_S) >= 0:
            raise refuse("conductance_difference_S", self.conductance_difference_S, "at least -ground_conductance_S")

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        excitation, relaxation = self.rates(np.zeros(1))
        occupation = float((excitation / (excitation + relaxation))[0])
        return self.ground_conductance_S + self.conductance_difference_S * occupation

    def rates(self, voltage: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gamma_+ and Gamma_- in 1/s at ``voltage`` (V), each of its shape.

        Raises:
            PhysicsError: a rate would be negative, or both are zero.
        """
        saturation = self.pumping_saturation_V
        pump = saturation * np.tanh(voltage / saturation) if math.isfinite(saturation) else voltage
        beyond = np.maximum(np.abs(voltage) - self.threshold_V, 0.0)
        excitation = self.excitation_rate_per_s + self.excitation_slope_per_s_V * pump
        excitation = excitation + self.excitation_slope_beyond_per_s_V * beyond
        relaxation = self.relaxation_rate_per_s + self.relaxation_slope_per_s_V * pump
        relaxation = relaxation + self.relaxation_slope_beyond_per_s_V * beyond
        for name, rate in (("excitation", excitation), ("relaxation", relaxation)):
            if rate.min() < 0:
                at = float(voltage[rate.argmin()])
                raise PhysicsError(f"{name} rate = {rate.min():.3g} /s at {at:.4g} V: must not be negative")
        if not (excitation + relaxation).min() > 0:
            raise PhysicsError("excitation and relaxation rate are both 0 /s: one must be positive")
        return excitation, relaxation

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        excitation, relaxation = self.rates(voltage)
        occupation = excitation / (excitation + relaxation)
        return scale * self._current(voltage, occupation)

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction; exact by harmonic balance, or in small steps of time if drive or rates have edges."""
        if drive.smooth and math.isinf(self.threshold_V):
            voltage = drive.voltage
            occupation = _occupation_of_smooth_drive(*self.rates(voltage), drive.frequency)
        else:
            voltage = _refined(drive.voltage, _STEPS) if drive.smooth else drive.voltage
            occupation = _occupation_of_steps(*self.rates(voltage), drive.frequency)
        return scale * float(self._current(voltage, occupation).mean())

    def true_values(self, v_dc: float, v_ac: float) -> dict[str, float]:
        """See Junction: ``rate_per_s`` is Gamma = <Gamma_+ + Gamma_->, as in Betz et al., eq. 1.

        ``rate_up_per_s`` and ``rate_down_per_s`` are those of the current's jumps at ``v_dc`` alone.
        """
        phase = 2 * np.pi * np.arange(_QUADRATURE) / _QUADRATURE
        excitation, relaxation = self.rates(v_dc + v_ac * np.cos(phase))
        return {"rate_per_s": float((excitation + relaxation).mean()), **self._switching_rates(v_dc)}

    def telegraph(self, voltage: float, scale: float) -> Telegraph:
        """See Switches."""
        excitation, relaxation = self.rates(np.array([voltage]))
        difference = scale * voltage * self.conductance_difference_S
        return Telegraph(float(excitation[0]), float(relaxation[0]), difference)

    def _switching_rates(self, voltage: float) -> dict[str, float]:
        """Rates of the jumps of the current, up and down, where it is held still."""
        switching = self.telegraph(voltage, 1.0)
        up, down = switching.excitation_per_s, switching.relaxation_per_s
        if switching.difference_A < 0:
            up, down = down, up
        return {"rate_up_per_s": up, "rate_down_per_s": down}

    def _current(self, voltage: FloatArray, occupation: FloatArray) -> FloatArray:
        conductance = self.ground_conductance_S + self.conductance_difference_S * occupation
        return voltage * conductance + self.rectification_A_per_V2 * voltage**2


def _refined(voltage: FloatArray, count: int) -> FloatArray:
    """The same periodic signal at ``count`` samples, or at its own if it has more."""
    if voltage.size >= count:
        return voltage
    refined: FloatArray = np.fft.irfft(np.fft.rfft(voltage), count) * (count / voltage.size)
    return refined


def _occupation_of_smooth_drive(excitation: FloatArray, relaxation: FloatArray, frequency: float) -> FloatArray:
    """Occupation at the samples of one period, by harmonic balance; shape (T,)."""
    generators = np.empty((excitation.size, 2, 2))
    generators[:, 0, 0], generators[:, 1, 0] = -excitation, excitation
    generators[:, 0, 1], generators[:, 1, 1] = relaxation, -relaxation
    harmonics = occupation_harmonics(generators, np.array([frequency]))[0, :, 1]
    highest = min(harmonics.size // 2, (excitation.size - 1) // 2)  # what lies beyond meets no voltage of the drive
    middle = harmonics.size // 2
    samples: FloatArray = np.fft.irfft(harmonics[middle : middle + highest + 1], excitation.size) * excitation.size
    return samples


def _occupation_of_steps(excitation: FloatArray, relaxation: FloatArray, frequency: float) -> FloatArray:
    """Mean occupation during each of T steps of constant rates that make up one period; shape (T,).

    Within a step n relaxes to Gamma_+/Gamma as exp(-Gamma t). The steps n -> a n + b are composed pairwise, so that
    all of them cost log2(T) passes.
    """
    total = excitation + relaxation
    goal = excitation / total
    turn = total / (frequency * total.size)  # Gamma times the length of a step
    kept, gained = np.exp(-turn), -np.expm1(-turn) * goal
    span = 1
    while span < total.size:
        gained[span:], kept[span:] = gained[span:] + kept[span:] * gained[:-span], kept[span:] * kept[:-span]
        span *= 2
    first = gained[-1] / (1 - kept[-1]) if kept[-1] < 1 else goal.mean()
    after = gained + kept * first
    before = np.concatenate([[first], after[:-1]])
    mean: FloatArray = goal + (before - goal) * -np.expm1(-turn) / turn
    return mean
