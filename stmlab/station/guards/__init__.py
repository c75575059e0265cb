"""The guards that stand between a sequence and the drivers: an allow-list, limits, interlocks and the audit log."""

from stmlab.station.guards.bias import GuardedBias
from stmlab.station.guards.generator import GuardedGenerator
from stmlab.station.guards.guard import Guard, NotAllowed
from stmlab.station.guards.lockin import GuardedLockIn
from stmlab.station.guards.spectroscope import GuardedSpectroscope
from stmlab.station.guards.tip import GuardedTip

__all__ = [
    "Guard",
    "GuardedBias",
    "GuardedGenerator",
    "GuardedLockIn",
    "GuardedSpectroscope",
    "GuardedTip",
    "NotAllowed",
]
