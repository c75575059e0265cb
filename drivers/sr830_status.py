"""The status registers of an SR830, what they mean in words, and what the instrument changes by itself."""

from __future__ import annotations

from enum import IntFlag

from pymeasure.instruments.srs.sr830 import ERRStatus, LIAStatus


class EventStatus(IntFlag):
    """Standard events since *ESR? was last read."""

    INPUT_QUEUE = 1 << 0
    OUTPUT_QUEUE = 1 << 2
    EXECUTION = 1 << 4
    COMMAND = 1 << 5
    USER_REQUEST = 1 << 6
    POWER_ON = 1 << 7


OVERLOADS: dict[IntFlag, str] = {
    LIAStatus.INPUT_OVERLOAD: "the input or its amplifier is overloaded",
    LIAStatus.FILTER_OVERLOAD: "the time constant's filter is overloaded",
    LIAStatus.OUTPUT_OVERLOAD: "an output exceeds its scale: choose a larger sensitivity",
    LIAStatus.REF_UNLOCK: "no lock to the external reference",
}
ERRORS: dict[IntFlag, str] = {
    ERRStatus.BACKUP_ERR: "the battery backup has failed",
    ERRStatus.RAM_ERR: "the RAM is faulty",
    ERRStatus.ROM_ERR: "the ROM is faulty",
    ERRStatus.GPIB_ERR: "a fast GPIB transfer was broken off",
    ERRStatus.DSP_ERR: "the signal processor is faulty",
    ERRStatus.MATH_ERR: "internal arithmetic error",
}
EVENTS: dict[IntFlag, str] = {
    EventStatus.INPUT_QUEUE: "its input queue has overflowed",
    EventStatus.OUTPUT_QUEUE: "its output queue has overflowed",
    EventStatus.EXECUTION: "it refused a value or a command that it cannot carry out now",
    EventStatus.COMMAND: "it did not understand a command",
}


_AT_200_HZ = "harmonic times frequency has crossed about 200 Hz (SR830 manual, p. 5-23)"
CHANGES: dict[IntFlag, dict[str, str]] = {
    LIAStatus.FREQ_RANGE_CHANGE: dict.fromkeys(("filter_synchronous", "time_constant"), _AT_200_HZ),
    LIAStatus.TC_CHANGE: {"time_constant": "it follows reserve and slope (SR830 manual, p. 5-23)"},
}
"""Bit of LIAS? -> property that the instrument has changed by itself -> why."""
