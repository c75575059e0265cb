"""What the system says when it refuses a file, in one line."""

from __future__ import annotations


def reason(error: Exception) -> str:
    """The system's own words out of HDF5's report, which runs over several lines and names its internals."""
    report = getattr(error, "strerror", None) or str(error)
    words = report.partition("error message = '")[2].partition("'")[0]
    return words or report.partition("\n")[0]
