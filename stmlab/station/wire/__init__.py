"""Every byte between a run and its instruments: recorded as it passes, and replayed to the same run later."""

from __future__ import annotations

from stmlab.station.wire.difference import RecordingEnded, WireDifference, WireDiffers
from stmlab.station.wire.file import Head, WireRecording, read_wire_recording
from stmlab.station.wire.recorder import WireRecorder
from stmlab.station.wire.replay import WireReplay

__all__ = [
    "Head",
    "RecordingEnded",
    "WireDifference",
    "WireDiffers",
    "WireRecorder",
    "WireRecording",
    "WireReplay",
    "read_wire_recording",
]
