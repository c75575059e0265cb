"""What a sequence may ask of an instrument, whoever made it.

Each Protocol is one role of the station. A driver fills one or more roles (the STM controller is both the bias source
and the tip controller). SI units; angles in degrees here, as instruments have them. Amplitude is peak amplitude.
"""

from __future__ import annotations

from stmlab.station.instruments.bias import BiasSource, BiasSpectroscope, BiasSweep
from stmlab.station.instruments.device import Device, Look, Value
from stmlab.station.instruments.generator import Generator, PulsePair, Tone
from stmlab.station.instruments.lockin import LockIn
from stmlab.station.instruments.passive import Preamplifier, RadioFrequencyPath
from stmlab.station.instruments.tip import ActiveLoop, LoopStatus, SafeGuard, Setpoint, TipController, TipState

__all__ = [
    "ActiveLoop",
    "BiasSource",
    "BiasSpectroscope",
    "BiasSweep",
    "Device",
    "Generator",
    "LockIn",
    "Look",
    "LoopStatus",
    "Preamplifier",
    "PulsePair",
    "RadioFrequencyPath",
    "SafeGuard",
    "Setpoint",
    "TipController",
    "TipState",
    "Tone",
    "Value",
]
