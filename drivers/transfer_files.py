"""How a file of a measured transfer is read, by the end of its name."""

from __future__ import annotations

from drivers.touchstone import read_touchstone
from drivers.transfer_table import read_table

READERS = {".csv": read_table, ".s2p": read_touchstone}
