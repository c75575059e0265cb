"""What the replay of a wire recording has found, as text and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stmlab.acquisition.wire_replay import WireReport


def wire_report_as_text(report: WireReport) -> str:
    """The result in the first line, the first difference with both texts, messages per instrument."""
    lines = [f"{report.path}: {_result(report)}"]
    if (difference := report.difference) is not None:
        recorded, sent = difference.shown
        lines += [
            f"  at         {difference.date}, {difference.seconds:.6g} s after the recording began",
            f"  message    {difference.message} to {difference.instrument}, connection {difference.connection}",
            f"  recorded   {recorded}",
            f"  now        {sent}",
        ]
    lines.append(f"  run        {report.sequence} on {report.station}, {report.date}")
    if report.end != report.recorded_end:
        lines.append(f"  ended      {report.recorded_end or 'not'}; now {report.end or 'stopped there'}")
    else:
        lines.append(f"  ended      {report.end or 'not: the process was killed'}")
    same = ", ".join(f"{count} to {name}" for name, count in report.messages.items())
    lines.append(f"  the same   messages: {same or 'none'}")
    lines.append(f"  file       {report.file}" + (", byte for byte" if report.file == "the same" else ""))
    return "\n".join([*lines, *(f"  note       {note}" for note in report.notes)])


def wire_report_as_dict(report: WireReport) -> dict[str, Any]:
    """The same for a script."""
    difference = report.difference
    found = None
    if difference is not None:
        recorded, sent = difference.shown
        found = asdict(difference) | {"recorded": recorded, "sent": sent}
    return {
        "path": str(report.path),
        "same": report.same,
        "sequence": report.sequence,
        "station": report.station,
        "date": report.date,
        "messages": report.messages,
        "difference": found,
        "cut_off": report.cut_off,
        "recorded_end": report.recorded_end,
        "end": report.end,
        "file": report.file,
        "notes": report.notes,
    }


def _result(report: WireReport) -> str:
    if report.difference is not None and report.end:
        return f"DIFFERS: the run ends otherwise, now {report.end}"
    if report.difference is not None:
        return f"DIFFERS: {report.difference}"
    if report.cut_off:
        return "every byte is the same up to where the recording was cut off"
    if report.file == "another":
        return "every byte on the wire is the same, the run's file is not: DIFFERS"
    if report.end != report.recorded_end:
        return "every byte on the wire is the same, the run ends otherwise: DIFFERS"
    return "every byte is the same"
