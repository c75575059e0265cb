"""Faults of instruments and junction, on purpose: what goes wrong, at which message or time, how often.

In a station file each stands in a table ``[[simulation.fault]]``; on the command line it reads
``stmlab simulate --fault "drop nanonis match=Bias.Set message=3"``; at run time it is armed and disarmed through the
control port (see ``control``). A fault acts on the wire or on the physics, whoever talks to the instrument.

A fault on the wire counts the messages of its instrument (all connections together) that ``match``, from the moment
when it is armed and ``after`` seconds have passed: the ``message``-th is the first that it hits, ``times`` in a row are
hit (0: every one until it is disarmed). A fault of instrument or junction happens at the ``message``-th match if
``instrument`` and ``match`` or ``message`` are given, else by itself ``after`` seconds after it was armed.
"""

from __future__ import annotations

import re
import shlex
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from stmlab.errors import StationError

Instrument = Literal["sr860", "sr830", "m8195a", "nanonis"]
WireKind = Literal["drop", "delay", "garble", "half", "double", "swap", "wrong_value", "mute", "error"]
Kind = Literal[WireKind, "reset", "overload", "tip_jump", "trip", "withdrawn", "drift", "stuck_closed", "stuck_open"]
_ON_WIRE = frozenset(get_args(WireKind))


class Fault(BaseModel):
    r"""One fault.

    Attributes:
        kind: on the wire
            ``drop`` the connection is closed instead of an answer;
            ``delay`` the answer comes ``seconds`` late (of the client's time; other connections are served meanwhile);
            ``garble`` some bytes of the answer are others, its length and line end stay;
            ``half`` the second half of the answer is missing;
            ``double`` the answer comes twice;
            ``swap`` the answer to the connection's previous question comes instead;
            ``wrong_value`` the first number in the answer is ``value``, or if that is not given a seeded other one;
            ``mute`` the message and all later ones on all connections are swallowed, until it is disarmed;
            ``error`` the instrument reports an error that nobody made (error queue, *ESR?, Nanonis' error section).
            Of an instrument: ``reset`` all its settings are those after power-on (the controller's tip is withdrawn).
            Of the junction and what moves the tip:
            ``overload`` the lock-in's input exceeds its range for ``seconds`` (0: a spike, seen once);
            ``tip_jump`` the tip changes: as if it were ``value`` (m, default 0.1 nm) closer;
            ``trip`` SafeTip trips; ``withdrawn`` the tip is withdrawn by hand;
            ``drift`` the surface comes closer by ``value`` (m/s) for ``seconds`` (0: until disarmed);
            ``stuck_closed`` the loop does not open, ``stuck_open`` it does not close, though the controller says that
            it does, until disarmed.
        instrument: whose messages are counted; "" for a fault of the junction that happens by itself.
        match: regular expression, searched in the message: the line of a SCPI instrument, the name of a Nanonis
            command (``Bias\.Set``); "" matches every message.
        message: the first match that is hit, from 1; 0: the next one on the wire, none for a fault of the junction.
        after: s on the microscope's clock, from arming, before messages count or the fault happens.
        times: how many matches are hit in a row; 0: every one until disarmed.
        seconds, value: see ``kind``.
        lost: the message does not arrive either: it is not carried out (drop, half, delay, error).
        seed: of garbled bytes and wrong values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    instrument: Instrument | Literal[""] = ""
    match: str = ""
    message: int = Field(default=0, ge=0)
    after: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    times: int = Field(default=1, ge=0)
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    value: float | None = Field(default=None, allow_inf_nan=False)
    lost: bool = False
    seed: int = Field(default=0, ge=0)

    @field_validator("match")
    @classmethod
    def _is_an_expression(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return match

    @model_validator(mode="after")
    def _complete(self) -> Fault:
        if not self.instrument and (self.on_wire or self.kind == "reset" or self.match or self.message):
            raise ValueError(f"kind = {self.kind!r} needs an instrument, so that its messages can be counted")
        if self.kind == "delay" and not self.seconds > 0:
            raise ValueError("kind = 'delay' needs seconds")
        if self.kind == "drift" and self.value is None:
            raise ValueError("kind = 'drift' needs a value, m/s")
        return self

    @property
    def on_wire(self) -> bool:
        """Whether it changes messages or answers; otherwise instrument or junction."""
        return self.kind in _ON_WIRE


def read_fault(text: str) -> Fault:
    """A fault from ``KIND [INSTRUMENT] [KEY=VALUE ...]``, as on the command line.

    Raises:
        StationError: it cannot be read; the text says what is allowed.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise StationError(f"--fault {text!r}: {error}") from error
    given = dict(word.split("=", 1) for word in parts if "=" in word)
    plain = [word for word in parts if "=" not in word]
    if not 1 <= len(plain) <= 2:
        raise StationError(f"--fault {text!r}: KIND [INSTRUMENT] [KEY=VALUE ...] is allowed")
    given |= dict(zip(("kind", "instrument"), plain, strict=False))
    try:
        return Fault.model_validate(given)
    except ValidationError as error:
        raise StationError(f"--fault {text!r}: {explained(error)}") from error


def explained(error: ValidationError) -> str:
    """Pydantic's report on a fault as one line: key and what is allowed, for the first mistake."""
    first = error.errors(include_url=False)[0]
    key, words = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
    return f"{key}: {words}" if key else words
