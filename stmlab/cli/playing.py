"""Runs on a console: one that is being written is followed, one that is over is played again."""

from __future__ import annotations

import math
import sys
import time
from itertools import groupby
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from stmlab.cli.common import JsonOption, app, print_json, refusing
from stmlab.errors import SequenceError
from stmlab.events import PointTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stmlab.acquisition.player import Player
    from stmlab.events import Event
    from stmlab.storage import Run

_LOOK = 0.2  # s between looks at a run that is being written; at least four times what a look takes
_TOLD = 20  # points that come at once and are told one by one
_AT_ONCE = 256  # events between looks at the keyboard
_LONGEST = 0.1  # s that a key waits for its effect
_JUMP = 0.1  # of the run
_KEYS = "space: pause and go on; n: next event; left, right: jump; + and -: speed; q: leave"


def follow(file: Path, *, as_json: bool) -> None:
    """Tell what comes while a run is being written, until it ends; Ctrl-C leaves it alone.

    Raises:
        FileError: as `open_run`.
        typer.Exit: status 1: the run was killed.
    """
    from stmlab.storage.following import Follower

    try:
        follower = Follower(file)
        tell = _teller(as_json=as_json)
        while True:
            start = time.monotonic()
            _tell_all(follower.look(), tell, as_json=as_json)
            if follower.over:
                break
            time.sleep(max(_LOOK, 4 * (time.monotonic() - start)))
    except KeyboardInterrupt:
        print("not followed any more; the run goes on", file=sys.stderr)
        return
    if not follower.run.complete:
        if as_json:
            print_json({"event": "killed", "message": follower.run.message})
        print(f"stmlab: {file}: {follower.run.message}", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
@refusing
def replay(
    file: Annotated[Path, typer.Argument(help="A run.")],
    speed: Annotated[float | None, typer.Option("--speed", help="Seconds of the run per second [default: 1].")] = None,
    fast: Annotated[bool, typer.Option("--as-fast-as-possible", help="Without any waiting.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Play a run again: its points, states and fits as they came. Nothing is moved, nothing written.

    On a terminal: space pauses and goes on, n plays the next event, the arrows jump, + and - set the speed, q leaves.
    With --json one object a line for each event. To measure on recorded data, see `stmlab run SEQUENCE --replay FILE`.
    """
    from stmlab.acquisition.player import Player
    from stmlab.cli.keys import keys, no_key
    from stmlab.storage import open_run

    if fast and speed is not None:
        raise SequenceError(f"--speed {speed:g} and --as-fast-as-possible: one of them is allowed")
    run = open_run(file)
    player = Player(run, speed=math.inf if fast else 1.0 if speed is None else speed)
    tell = _teller(as_json=as_json)
    player.listen(lambda event: None if player.jumping else tell(event))
    try:
        with keys() as read_key:
            if read_key is not None:
                print(_KEYS, file=sys.stderr)
            _play(player, read_key or no_key)
    except KeyboardInterrupt:
        return
    _tell_the_end(run, player)


def _play(player: Player, read_key: Callable[[float], str]) -> None:
    """Until the run is over, or somebody has had enough."""
    before = time.monotonic()
    duration = player.duration
    while not player.ended:
        key = read_key(min(player.wait, _LONGEST))
        now = time.monotonic()
        if key == "q":
            return
        if key:
            _press(player, key, duration)
        player.advance(now - before, _AT_ONCE)
        before = now


def _press(player: Player, key: str, duration: float) -> None:
    if key == " ":
        player.paused = not player.paused
    elif key == "n":
        player.paused = True
        player.step()
        return
    elif key in ("left", "right"):
        player.jump(player.time + (_JUMP if key == "right" else -_JUMP) * duration)
    elif key in ("+", "-"):
        player.speed *= 2.0 if key == "+" else 0.5
    else:
        return
    speed = "" if math.isinf(player.speed) else f", {player.speed:g} times as fast"
    state = "paused" if player.paused else "playing"
    print(f"-- {state} at {player.time:.2f} of {duration:.2f} s{speed}", file=sys.stderr)


def _tell_the_end(run: Run, player: Player) -> None:
    if player.ended and not run.complete:
        print(f"-- {run.message}", file=sys.stderr)
    later = sum(stored.place is None for stored in run.stored_fits)
    if player.ended and later:
        print(f"-- {later} fit{'s' * (later > 1)} added later: `stmlab show {run.path}`", file=sys.stderr)


def _teller(*, as_json: bool) -> Callable[[Event], None]:
    """What tells one event."""
    from stmlab.display.events import EventLines, event_as_dict

    if as_json:
        return lambda event: print_json(event_as_dict(event))
    lines = EventLines()
    return lambda event: print(lines(event), flush=True)


def _tell_all(events: Sequence[Event], tell: Callable[[Event], None], *, as_json: bool) -> None:
    """Every event; of many points that come at once how many, and the last one."""
    for points, group in groupby(events, lambda event: isinstance(event, PointTaken)):
        found = list(group)
        if points and not as_json and len(found) > _TOLD:
            print(f"  ... {len(found) - 1} points ...")
            found = found[-1:]
        for event in found:
            tell(event)
    sys.stdout.flush()
