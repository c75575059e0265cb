"""The status registers of an SR860, and what they mean in words."""

from __future__ import annotations

from enum import IntFlag


class LockInStatus(IntFlag):
    """What has happened since LIAS? was last read."""

    CHANNEL_1_OVERLOAD = 1 << 0
    CHANNEL_2_OVERLOAD = 1 << 1
    UNLOCKED = 1 << 3
    INPUT_OVERLOAD = 1 << 4
    SYNC_OUT_OF_RANGE = 1 << 5
    SYNC_OVERLOAD = 1 << 6
    TRIGGERED = 1 << 7
    DISPLAY_1_OVERLOAD = 1 << 8
    DISPLAY_2_OVERLOAD = 1 << 9
    DISPLAY_3_OVERLOAD = 1 << 10
    DISPLAY_4_OVERLOAD = 1 << 11
    SCREEN_SAVED = 1 << 12
    SCAN_STARTED = 1 << 13
    SCAN_FINISHED = 1 << 14


class ErrorStatus(IntFlag):
    """Hardware errors since ERRS? was last read."""

    CLOCK = 1 << 0
    BACKUP = 1 << 1
    VXI = 1 << 4
    GPIB = 1 << 5
    USB_DEVICE = 1 << 6
    USB_HOST = 1 << 7


class EventStatus(IntFlag):
    """Standard events since *ESR? was last read."""

    OPERATION_COMPLETE = 1 << 0
    INPUT_QUEUE = 1 << 1
    OUTPUT_QUEUE = 1 << 3
    EXECUTION = 1 << 4
    COMMAND = 1 << 5
    USER_REQUEST = 1 << 6
    POWER_ON = 1 << 7


OVERLOADS: dict[IntFlag, str] = {
    LockInStatus.CHANNEL_1_OVERLOAD: "channel 1 exceeds its scale: choose a larger sensitivity",
    LockInStatus.CHANNEL_2_OVERLOAD: "channel 2 exceeds its scale: choose a larger sensitivity",
    LockInStatus.UNLOCKED: "no lock to the external reference",
    LockInStatus.INPUT_OVERLOAD: "the signal exceeds the input range",
    LockInStatus.SYNC_OUT_OF_RANGE: "the reference is too fast for the synchronous filter",
    LockInStatus.SYNC_OVERLOAD: "the synchronous filter is overloaded",
}
ERRORS: dict[IntFlag, str] = {
    ErrorStatus.CLOCK: "the external 10 MHz clock is out of lock",
    ErrorStatus.BACKUP: "the battery backup has failed",
    ErrorStatus.VXI: "VXI-11 error",
    ErrorStatus.GPIB: "GPIB error",
    ErrorStatus.USB_DEVICE: "USB device error",
    ErrorStatus.USB_HOST: "USB host error",
}
EVENTS: dict[IntFlag, str] = {
    EventStatus.INPUT_QUEUE: "its input queue has overflowed",
    EventStatus.OUTPUT_QUEUE: "its output queue has overflowed",
    EventStatus.EXECUTION: "it refused a value or a command that it cannot carry out now",
    EventStatus.COMMAND: "it did not understand a command",
}
