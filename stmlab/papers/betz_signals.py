"""The SRS signals of one Fe atom on Cu2N in Betz et al.: I_SR against offset and amplitude, printed beside computed.

0.5 K and C_ST = 0.050 uS, as in `betz_atom`; V_ac = 1.3 mV unless a row says otherwise.
"""

from __future__ import annotations

from stmlab.papers.betz_model import AMPLITUDE_V, FREQUENCIES_HZ, PAPER, fe_atom, lowest_states, step
from stmlab.papers.survey import PRINTED, Row, compared, held
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.two_level import EffectiveTwoLevel


def signal_rows() -> list[Row]:
    """Every number and statement about the size of the single Fe atom's signal."""
    return [*_offsets(), *_amplitudes()]


def _offsets() -> list[Row]:
    from scipy.optimize import brentq

    peak, dip = _turning(-5.0, -1.0), _turning(2.25, 1.0)
    negative, positive = _step(-5.5), _step(2.25)
    crossing = float(brentq(_step, 4.0, 5.5, xtol=1e-4))
    return [
        compared(PAPER, "Fig. 3f: offset of the large peak of I_SR", -5.0, peak, "mV", 0.3),
        compared(PAPER, "Fig. 3f: offset of the dip of the lower threshold", 2.0, dip, "mV", 0.3),
        held(
            PAPER,
            "Fig. 3f: I_SR at -5.5 and 2.25 mV",
            "positive peak at negative, smaller negative one at positive offset",
            f"{negative:.3f}, {positive:.3f}",
            "pA",
            negative > 0 > positive > -negative,
        ),
        compared(
            PAPER,
            "Sec. IV.C: offset of the sharp feature, where the simulated I_SR changes sign",
            5.0,
            crossing,
            "mV",
            0.1,
            "homodyne and average parts cancel there, so that eq. 1 no longer fits",
        ),
    ]


def _amplitudes() -> list[Row]:
    pair = EffectiveTwoLevel(fe_atom())
    ratios = [step(pair, offset) / step(fe_atom(), offset) for offset in (-5.5e-3, 5.5e-3)]
    below, beyond = (step(pair, -3e-3, amplitude) * 1e12 for amplitude in (1e-3, 3e-3))
    at_work = stochastic_resonance(fe_atom(), FREQUENCIES_HZ, offset_V=-5.5e-3, amplitude_V=AMPLITUDE_V)
    two = [step(lowest_states(count), -5.5e-3) * 1e12 for count in (2, 3, 5)]
    homodyne = abs(at_work.homodyne_A[0] / at_work.average_A[0])
    return [
        held(
            PAPER,
            "Fig. 3b: I_SR at V_ac = 1 and 3 mV, V_dc = -3 mV (threshold 4.4 mV)",
            "no step below the threshold",
            f"{below:.3f}, {beyond:.3f}",
            "pA",
            abs(below) < 0.1 * abs(beyond),
            "below it the direct transitions between the two lowest states leave a small signal",
        ),
        held(
            PAPER,
            "Fig. 3e: I_SR of the lowest 2, 3 and all 5 states, V_dc = -5.5 mV",
            "weak with 2, comparable to the measured one from 3 on",
            ", ".join(f"{step:.2f}" for step in two),
            "pA",
            abs(two[0]) < 0.3 * abs(two[2]) and abs(two[1]) > 0.7 * abs(two[2]),
        ),
        held(
            PAPER,
            "Sec. IV.B: I_SR of two effective states over that of five, at -5.5 and 5.5 mV",
            "up to 10 % larger",
            ", ".join(f"{ratio:.3f}" for ratio in ratios),
            "",
            all(1.0 <= ratio <= 1.1 for ratio in ratios),
            "within 10 %, but smaller at negative offset and larger at positive",
            source=PRINTED,
        ),
        held(
            PAPER,
            "Sec. II: homodyne over average part of I_SR, V_dc = -5.5 mV",
            "often dominated by the homodyne part",
            homodyne,
            "",
            homodyne > 1.0,
        ),
    ]


def _step(offset_mV: float) -> float:
    """I_SR of all five states in pA."""
    return step(fe_atom(), 1e-3 * offset_mV) * 1e12


def _turning(near_mV: float, sign: float) -> float:
    """Offset in mV within 0.6 mV of ``near_mV`` where ``sign`` times I_SR is smallest."""
    from scipy.optimize import minimize_scalar

    bounds = (near_mV - 0.6, near_mV + 0.6)
    options = {"xatol": 1e-2}
    return float(minimize_scalar(lambda v: sign * _step(v), bounds=bounds, method="bounded", options=options).x)
