"""What stands between the virtual instruments and the physics: front panels on one side, readings on the other.

A virtual instrument owns one panel (plain settings in SI units). Before it changes a setting it calls
``bench.advance()``, so that the time that has passed is lived through with the old settings; after that the physics
sees the new ones. Both happen under one hold of ``bench.lock``, because other instruments live at the same time (see
``machine``). Readings are asked of the bench, never computed by the instrument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stmlab.arrays import ComplexArray, SampleArray
    from stmlab.clock import Clock


@dataclass
class LockInPanel:
    """Settings of the lock-in amplifier that the physics depends on."""

    reference_frequency: float = 1000.0  # Hz, internal oscillator; its TTL output gates the generator
    internal_reference: bool = True
    phase: float = 0.0  # degrees
    harmonic: int = 1
    time_constant: float = 0.1  # s
    poles: int = 1  # 1 ... 4 for 6 ... 24 dB per octave
    synchronous: bool = False
    ac_coupled: bool = False
    input_range: float = 1.0  # V peak
    sine_voltage: float = 0.0  # V rms, added to the bias through the controller's divider
    sine_offset: float = 0.0  # V
    capture_rate: float = 0.0  # Sa/s; while positive, the bench keeps X + iY at this rate: Bench.lockin_captured


@dataclass
class GeneratorPanel:
    """What the waveform generator plays."""

    samples: SampleArray = field(default_factory=lambda: np.zeros(0, dtype=np.int8))  # the selected segment, repeated
    sample_rate: float = 0.0  # Sa/s out of the memory, after the divider
    full_scale: float = 0.0  # V peak at sample value 127
    offset: float = 0.0  # V
    on: bool = False  # output relay closed
    running: bool = False  # playing (continuous, or triggered)
    gated: bool = False  # plays only while the trigger input (the lock-in's TTL) is high


@dataclass
class TipPanel:
    """Settings of the STM controller that the physics depends on."""

    bias: float = 0.01  # V
    feedback: bool = True
    setpoint: float = 1.0e-10  # A
    height: float = 0.0  # m; with feedback on this is where the loop has brought the tip: read it from the bench
    proportional_gain: float = 1.0e-11  # m
    loop_time_constant: float = 5.0e-3  # s
    controller: Literal["log", "abs", "signed", "none"] = "log"  # what the loop compares: |I| twice, I, no signal
    opens_at: float | None = None  # s on the clock; the loop then opens by itself and parks the tip
    switch_off_delay: float = 0.0  # s before ``opens_at`` over which Z is averaged: there the tip is parked
    lift: float = 0.0  # m, added to where the tip is parked
    withdrawn: bool = False
    tripped: bool = False  # SafeTip has tripped; until the loop is closed
    closed_by: str = ""  # the client that closed the loop
    stuck: Literal["", "open", "closed"] = ""  # a fault: the loop stays so, whatever ``feedback`` was set to
    sampling: bool = False  # the controller's own spectroscopy is taking its points
    modulation_on: bool = False  # the controller's own lock-in modulating the bias
    modulation_amplitude: float = 0.0  # V peak
    modulation_frequency: float = 0.0  # Hz


class Bench(Protocol):
    """The microscope as its instruments see it."""

    clock: Clock
    lock: AbstractContextManager[Any]
    lockin: LockInPanel
    generator: GeneratorPanel
    tip: TipPanel

    def advance(self) -> None:
        """Live through the time up to ``clock.now()`` with the panels as they are; open the loop when that is due."""

    def lockin_output(self) -> complex:
        """X + iY of the lock-in now, V rms."""

    def lockin_captured(self) -> ComplexArray:
        """X + iY every 1 / ``lockin.capture_rate`` since that was set, V rms; each value is given out once."""

    def lockin_input_overloaded(self) -> bool:
        """Whether the lock-in's input has exceeded its range since this was last asked."""

    def current(self) -> float:
        """Tunnel current now as the controller's converter reads it (preamplifier's output over its gain, noise), A."""

    def largest_current(self) -> float:
        """Largest magnitude of the tunnel current since this was last asked, without noise, A."""

    def height(self) -> float:
        """Z position of the tip now, m."""

    def move_tip(self, height: float) -> None:
        """Put the tip at ``height`` (feedback must be off)."""
