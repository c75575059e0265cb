"""What the simulated Nanonis controller keeps: every setting that a Set changes and its Get returns.

Most of the interface is of this kind, so it works from the command table alone: the arguments that a Set shares with
the arguments of its Get say which of several equal parts is meant (modulator 1 ... 8), the others are the setting.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import StmlabError
from stmlab.nanonis.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.nanonis.protocol import Command, Field


class Refusal(StmlabError):
    """The controller does not do this; the text is the description in its error section."""


_NUMBERED = (1, 8)
_SWITCH = (0, 1)
_POSITIVE = (1e-12, math.inf)
_NOT_NEGATIVE = (0.0, math.inf)

BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        # of every field of this name
        "modulator": _NUMBERED,
        "demodulator": _NUMBERED,
        "register": _NUMBERED,
        "output": _NUMBERED,
        "harmonic": (1, 1024),
        "signal": (0, 127),
        "indexes": (0, 127),
        "signal_1": (0, 127),
        "signal_2": (0, 127),
        "order": (0, 8),
        "cutoff": _POSITIVE,
        "on": _SWITCH,
        "raw": _SWITCH,
        "integration": _NOT_NEGATIVE,
        "settling": _NOT_NEGATIVE,
        "delay": _NOT_NEGATIVE,
        "threshold": _NOT_NEGATIVE,
        "oversampling": (1, 1000),
        "frequency": _POSITIVE,
        # of one command only
        "LockIn.DemodRTSignals.signals": _SWITCH,
        "LockIn.ModAmp.amplitude": (0.0, 10.0),
        "LockIn.ModPhasFreq.frequency": (1e-6, 40e3),
        "UserOut.Mode.mode": (0, 2),
        "SafeTip.Props.auto_recovery": _SWITCH,
        "SafeTip.Props.auto_pause": _SWITCH,
        "BiasSpectr.Props.sweeps": (1, 10000),
        "BiasSpectr.Props.points": (2, 100000),
        "BiasSpectr.Limits.start": (-10.0, 10.0),
        "BiasSpectr.Limits.end": (-10.0, 10.0),
        "BiasSpectr.Timing.z_averaging": _NOT_NEGATIVE,
        "BiasSpectr.Timing.initial_settling": _NOT_NEGATIVE,
        "BiasSpectr.Timing.slew_rate": _POSITIVE,
        "BiasSpectr.Timing.end_settling": _NOT_NEGATIVE,
        "BiasSpectr.Timing.z_control": _NOT_NEGATIVE,
        "BiasSpectr.DigSync.sync": (0, 2),
        "BiasSpectr.TTLSync.line": (0, 3),
        "BiasSpectr.TTLSync.polarity": _SWITCH,
        "BiasSpectr.MLSVals.segments": (1, 16),
        "BiasSpectr.MLSVals.steps": (1, 100000),
        "BiasSpectr.MLSVals.start": (-10.0, 10.0),
        "BiasSpectr.MLSVals.end": (-10.0, 10.0),
        "BiasSpectr.MLSVals.initial_settling": _NOT_NEGATIVE,
        "BiasSpectr.MLSVals.lockin_run": _SWITCH,
        "ZCtrl.HomeProps.relative": _SWITCH,
        "ZCtrl.WithdrawRate.rate": _POSITIVE,
        "Scan.Buffer.pixels": (1, 65536),
        "Scan.Buffer.lines": (1, 65536),
        "Scan.Frame.width": _NOT_NEGATIVE,
        "Scan.Frame.height": _NOT_NEGATIVE,
        "FolMe.Speed.speed": _POSITIVE,
        "FolMe.Speed.custom": _SWITCH,
        "FolMe.PSExp.experiment": (0, 1),
        "Util.AcqPeriod.period": (1e-4, 10.0),
    }
)

DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Bias.Calibr": {"calibration": 1.0},
        "BiasSpectr.Props": {
            "sweeps": 1,
            "points": 128,
            "parameters": (
                "X (m)",
                "Y (m)",
                "Z (m)",
                "Z offset (m)",
                "Settling time (s)",
                "Integration time (s)",
                "Z-Ctrl hold",
                "Final Z (m)",
            ),
            "fixed_parameters": ("Sweep Start", "Sweep End"),
        },
        "BiasSpectr.AdvProps": {"reset_bias": 1, "z_hold": 1, "final_z": 1},
        "BiasSpectr.Limits": {"start": -0.01, "end": 0.01},
        "BiasSpectr.Timing": {
            "z_averaging": 0.1,
            "initial_settling": 0.01,
            "slew_rate": math.inf,
            "settling": 2e-3,
            "integration": 5e-3,
            "end_settling": 5e-3,
            "z_control": 0.2,
        },
        "BiasSpectr.PulseSeqSync": {"sequence": 1, "periods": 1},
        "BiasSpectr.AltZCtrl": {"setpoint": 1e-10, "settling": 0.2},
        "BiasSpectr.ZOffRevert": {"revert": 1},
        "BiasSpectr.MLSMode": {"mode": "Linear"},
        "BiasSpectr.MLSVals": {
            "segments": 1,
            "start": np.array([-0.01]),
            "end": np.array([0.01]),
            "initial_settling": np.array([0.01]),
            "settling": np.array([2e-3]),
            "integration": np.array([5e-3]),
            "steps": np.array([128]),
            "lockin_run": np.array([0]),
        },
        "ZCtrl.SwitchOffDelay": {"delay": 0.05},
        "ZCtrl.HomeProps": {"relative": 1, "position": 5e-9},
        "ZCtrl.WithdrawRate": {"rate": 1e-6},
        "SafeTip.Props": {"threshold": 5e-9},
        "Scan.Frame": {"width": 1e-7, "height": 1e-7},
        "Scan.Buffer": {"indexes": np.array([0]), "pixels": 256, "lines": 256},
        "Scan.Props": {
            "autosave": 2,
            "autopaste": 2,
            "series": "scan",
            "counts": np.zeros(0, dtype=np.int64),
            "parameters": (),
        },
        "Scan.Speed": {
            "forward_speed": 1e-7,
            "backward_speed": 1e-7,
            "forward_time": 1.0,
            "backward_time": 1.0,
            "ratio": 1.0,
        },
        "FolMe.Speed": {"speed": 1e-7, "custom": 1},
        "FolMe.Oversampl": {"oversampling": 10, "rate": 2000.0},
        "FolMe.PSExp": {"experiments": ("Bias Spectroscopy", "Z Spectroscopy")},
        "FolMe.PSProps": {"own_base_name": 1},
        "LockIn.ModSignal": {"signal": 24},
        "LockIn.ModPhasReg": {"register": 1},
        "LockIn.ModHarmonic": {"harmonic": 1},
        "LockIn.ModPhasFreq": {"frequency": 689.0},
        "LockIn.DemodPhasReg": {"register": 1},
        "LockIn.DemodHarmonic": {"harmonic": 1},
        "LockIn.DemodHPFilter": {"cutoff": 10.0},
        "LockIn.DemodLPFilter": {"order": 1, "cutoff": 10.0},
        "UserOut.Limits": {"upper": 10.0, "lower": -10.0},
        "Util.SessionPath": {"path": "C:\\Nanonis\\Sessions\\simulated"},
        "Util.RTFreq": {"frequency": 20e3},
        "Util.AcqPeriod": {"period": 0.02},
        "Util.RTOversampl": {"oversampling": 10},
    }
)


_KEPT: Mapping[str, tuple[str, Command]] = MappingProxyType(
    {
        name: (name[:-3], COMMANDS[f"{name[:-3]}Get"])
        for name in COMMANDS
        if name[-3:] in ("Set", "Get") and COMMANDS.keys() >= {f"{name[:-3]}Set", f"{name[:-3]}Get"}
    }
)
"""Sets and Gets of what is kept: topic, and the Get."""


class Settings:
    """The settings of one controller, by what stands before Set and Get in a command's name."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = {}

    def __getitem__(self, topic: str) -> dict[str, Any]:
        """All that is kept under a topic without parts, such as ``BiasSpectr.Timing``."""
        return self.of(topic)

    def forget(self) -> None:
        """Everything back to what it is after switching on."""
        self._values.clear()

    def of(self, topic: str, *part: Any) -> dict[str, Any]:
        """All that is kept for one of several equal parts, such as ``LockIn.ModAmp`` of modulator 1."""
        if (topic, part) not in self._values:
            self._values[topic, part] = _initially(topic)
        return self._values[topic, part]

    def carry_out(self, command: Command, values: Sequence[Any]) -> tuple[Any, ...]:
        """Change or return what the table says.

        Raises:
            Refusal: the command is neither Set nor Get of something kept here, or a value is out of range.
        """
        if command.name not in _KEPT:
            raise Refusal(f"{command.name} is not available on this controller")
        topic, partner = _KEPT[command.name]
        given = {}
        for field, value in zip(command.arguments, values, strict=True):
            given[field.name] = value
            if not field.keeps:
                check(topic, field.name, value)
        kept = self.of(topic, *[given.pop(field.name) for field in partner.arguments])
        if command is partner:
            return tuple([kept[field.name] for field in command.returns])
        fields = [field for field in command.arguments if field.name in given]
        kept.update({field.name: _changed(topic, field, given[field.name], kept[field.name]) for field in fields})
        return ()


def check(topic: str, name: str, value: Any) -> None:
    """Refuse a value (or an array that holds one) outside the bounds of this field; NaN passes, it changes nothing."""
    bounds = BOUNDS.get(f"{topic}.{name}", BOUNDS.get(name))
    if bounds is None or isinstance(value, str):
        return
    low, high = bounds
    for one in (value,) if isinstance(value, int | float) else np.atleast_1d(value):
        if one < low or one > high:
            raise Refusal(f"{topic}: {name} = {one:g} is out of range, {low:g} to {high:g} is allowed")


def _changed(topic: str, field: Field, value: Any, old: Any) -> Any:
    """The new value of a setting, "no change" codes understood."""
    if isinstance(value, float) and math.isnan(value):
        return old
    if (field.keeps in ("flag", "choice", "zero") and value == 0) or (field.keeps == "minus" and value == -1):
        return old
    if field.keeps == "flag" and value > 2:
        raise Refusal(f"{topic}: {field.name} = {value} is none of 0 (no change), 1 (on), 2 (off)")
    if field.keeps == "flag":
        return 1 if value == 1 else 0
    new = value - 1 if field.keeps == "choice" else value
    check(topic, field.name, new)
    return new


def _initially(topic: str) -> dict[str, Any]:
    """What a topic holds at first: its defaults, and nothing or zero in every other field of its Set and Get."""
    commands = (COMMANDS.get(f"{topic}Set"), COMMANDS.get(f"{topic}Get"))
    fields = [field for command in commands if command for field in (*command.arguments, *command.returns)]
    return {field.name: field.empty() for field in fields} | dict(DEFAULTS.get(topic, {}))
