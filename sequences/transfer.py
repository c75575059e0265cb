"""The radio-frequency transfer function, by rectification at a non-linear conductance, frequency by frequency.

The same amplitude at the generator's connector is played at every frequency, chopped; the change of the mean current
is what the junction rectifies, and depends only on the amplitude that arrives. Every frequency is measured at full and
at half power, so that the law is checked and its next order fitted. At the first frequency, low enough that the line
is known, what the station's transfer function says is taken as true; the rest of the band may be unknown.

    setpoint, feedback off --> for both powers, for each frequency: play gated, settle, read --> feedback on --> table

The sample must be non-linear at the bias that is chosen, and have no dynamics in the band. The table is written beside
the run's file, with its date; put it into ``sections`` of the station's ``rf_path``, in place of those it replaces.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.chopped import ChoppedSequence, whole_periods
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter
from stmlab.axes import Axis, Channel
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.events import ParameterValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_POWERS = np.array([1.0, 0.5])
_LARGEST_NAME = 1000


class TransferFunction(ChoppedSequence):
    """Rectified current against frequency at constant amplitude at the connector; writes a transfer table."""

    name = "transfer"
    measures_transfer: ClassVar[bool] = True
    title = "RF transfer function by rectification at a static non-linearity: its table compensates the line"
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": ("dc_bias", "start_frequency", "stop_frequency", "points_per_decade", "largest_step"),
        "microwave": ("connector_amplitude",),
    }
    outputs: ClassVar[Mapping[str, str]] = {
        "connector_amplitude": "rf_amplitude",
        "start_frequency": "rf_frequency",
        "stop_frequency": "rf_frequency",
    }
    channels = (
        Channel("current", "A", "rectified current"),
        *ChoppedSequence.channels,
        Channel("connector_amplitude", "V", "amplitude at the generator's connector, peak, as played"),
    )

    connector_amplitude = FloatParameter(
        "Connector amplitude",
        units="V",
        default=0.2,
        minimum=1e-3,
        maximum=1,
        description="peak, at the generator's connector, the same at every frequency",
    )
    start_frequency = FloatParameter(
        "First frequency",
        units="Hz",
        default=3e6,  # that of srs, so that a table made by default flattens a spectrum taken by default
        minimum=1e3,
        maximum=25e9,
        description="the reference: here the station's transfer function is taken as true",
    )
    stop_frequency = FloatParameter(
        "Last frequency", units="Hz", default=20e9, minimum=1e3, maximum=25e9, description="of the grid"
    )
    points_per_decade = IntegerParameter(
        "Points per decade", default=20, minimum=1, maximum=10_000, description="of the grid where it is logarithmic"
    )
    largest_step = FloatParameter(
        "Largest step",
        units="Hz",
        default=50e6,
        minimum=1e3,
        maximum=25e9,
        description="of the grid; an eighth of the period of the ripple or less",
    )

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Amplitude at the connector (full and half power), and frequency."""
        amplitudes = float(self.connector_amplitude) * np.sqrt(_POWERS)
        return (
            Axis("drive", "V", amplitudes, "amplitude at the generator's connector"),
            Axis("frequency", "Hz", self._frequencies(), "frequency", logarithmic=True),
        )

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every value of every output; the amplitude at the junction as far as the line is known."""
        frequency = self._frequencies()
        path = self.station.path_to_junction
        low, high = path.band
        known = np.abs(
            path.transfer(np.concatenate([frequency[:1], frequency[(frequency >= low) & (frequency <= high)]]))
        )
        return {
            "setpoint_bias": self.setpoint_bias,
            "bias": self.dc_bias,
            "setpoint": self.setpoint_current,
            "junction_amplitude": float(self.connector_amplitude) * known,
            "rf_frequency": frequency,
            "rf_amplitude": self.connector_amplitude,
        }

    def verify(self) -> None:
        """The grid rises, the generator can play each amplitude, and the bias tee is within its rating."""
        super().verify()
        if not self.start_frequency < self.stop_frequency:
            raise SequenceError(
                f"{self.name}: stop_frequency = {self.stop_frequency:g} Hz: more than start_frequency = "
                f"{self.start_frequency:g} Hz is needed"
            )
        self.station.path_to_junction.check(
            voltage=max(abs(self.setpoint_bias), abs(self.dc_bias)),
            current=self.setpoint_current,
            rf_amplitude=self.connector_amplitude,
        )
        for f in self._frequencies().tolist():
            if self.connector_amplitude > (largest := self.station.generator.largest_amplitude(f)):
                name = f"connector_amplitude at {f:.4g} Hz"
                raise OutOfBounds(name, self.connector_amplitude, 0.0, largest, "V", "the generator's range")

    def factors(self) -> Mapping[str, ParameterValue]:
        """Those of the detection, and the magnitude at the reference frequency."""
        transfer = abs(self.station.path_to_junction.transfer(self._frequencies()[:1])[0])
        meaning = "the station's transfer function at the first frequency, taken as true"
        return {**super().factors(), "reference_magnitude": ParameterValue(20 * math.log10(transfer), "dB", meaning)}

    # -- the experiment ------------------------------------------------------------------------------------------

    def move_drive(self, amplitude: float) -> None:
        """Remember the amplitude for the tones to come."""
        self._drive = amplitude

    def move_frequency(self, frequency: float) -> float:
        """Play the tone; returns the frequency really played."""
        self.next_point()
        tone = self.station.generator.play_tone(frequency, self._drive, gated=True)
        self._played = tone.amplitude
        return tone.frequency

    def measure(self) -> dict[str, float | FloatArray]:
        """The rectified current, and the amplitude as played."""
        return {**super().measure(), "connector_amplitude": self._played}

    def analyse(self, run: Any) -> FitResult | None:
        """The transfer function; its table is written beside the run's file, under a name that is still free."""
        from stmlab.analysis import analyse
        from stmlab.analysis.transfer_function import transfer_table

        fit = analyse(run)
        source = f"{run.path.name}, run {run.run_id}, sample {run.sample or 'unknown'}"
        table = _write_new(run.path, transfer_table(fit, date=run.date[:10], source=source))
        return replace(fit, choices={"table": table.name})

    # -- details -------------------------------------------------------------------------------------------------

    def _frequencies(self) -> FloatArray:
        """Logarithmic, with no step larger than ``largest_step``."""
        ratio, frequency = 10 ** (1 / self.points_per_decade), [float(self.start_frequency)]
        while frequency[-1] < self.stop_frequency:
            step = min(frequency[-1] * (ratio - 1), float(self.largest_step))
            frequency.append(min(frequency[-1] + step, float(self.stop_frequency)))
        return whole_periods(np.array(frequency), self.chop_frequency)


def _write_new(run: Path, text: str) -> Path:
    """Write ``<run>_transfer.csv`` beside ``run``, or the first ``<run>_transfer_<n>.csv`` that does not exist."""
    for number in range(1, _LARGEST_NAME):
        path = run.with_name(f"{run.stem}_transfer{f'_{number}' if number > 1 else ''}.csv")
        try:
            with path.open("x", encoding="ascii", errors="replace") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise SequenceError(f"{run}: there are {_LARGEST_NAME} transfer tables already")
