"""Where stmlab keeps what outlives a run, on this computer: who owns a station, whether its tip is free, logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def station_directory() -> Path:
    """The folder of locks, marks and guardians' logs, made if it is not there."""
    from platformdirs import user_state_path

    path = user_state_path("stmlab") / "stations"
    path.mkdir(parents=True, exist_ok=True)
    return path


def canonical(address: str) -> str:
    """An address in the one way of writing it that stands for all: TCPIP0::LocalHost::5025::SOCKET is TCPIP::127...."""
    parts = address.strip().lower().split("::")
    parts[0] = re.sub(r"(?<=[a-z])0$", "", parts[0])
    return "::".join("127.0.0.1" if part == "localhost" else part for part in parts)


def file_stem(address: str) -> str:
    """The name of an address' files."""
    return re.sub(r"[^a-z0-9.-]+", "_", canonical(address))
