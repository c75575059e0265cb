"""What people read: runs, fits, recordings and stations as text and as plain values; figures in `figures`."""

from __future__ import annotations

from stmlab.display.fits import fits_as_table
from stmlab.display.recordings import recording_as_dict, recording_as_text
from stmlab.display.runs import (
    estimate_as_dict,
    estimate_as_text,
    fit_as_text,
    outcome_as_dict,
    outcome_as_text,
    run_as_dict,
    run_as_text,
)
from stmlab.display.stations import (
    approached_as_dict,
    approached_as_text,
    sequence_as_text,
    station_as_text,
    tip_as_text,
)
from stmlab.display.terminal import on_terminal, points_as_text, quantity_as_text
from stmlab.display.wire import wire_report_as_dict, wire_report_as_text

__all__ = [
    "approached_as_dict",
    "approached_as_text",
    "estimate_as_dict",
    "estimate_as_text",
    "fit_as_text",
    "fits_as_table",
    "on_terminal",
    "outcome_as_dict",
    "outcome_as_text",
    "points_as_text",
    "quantity_as_text",
    "recording_as_dict",
    "recording_as_text",
    "run_as_dict",
    "run_as_text",
    "sequence_as_text",
    "station_as_text",
    "tip_as_text",
    "wire_report_as_dict",
    "wire_report_as_text",
]
