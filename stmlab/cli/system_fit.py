"""``stmlab fit --system``: a spin system fitted to all files at once, and compared with its alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.cli.common import STOPPED, fit_status, wrote
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stmlab.analysis.files import Asked
    from stmlab.results import FitResult


def fitted_together(files: Sequence[Path], system: str, asked: Asked, png: Path | None) -> tuple[FitResult, int]:
    """The fit, and the exit status: of a fit that reached its time limit or was stopped.

    Raises:
        FitError, FileError, StationError: as `fit_system`.
        SequenceError: start values beside those of the file.
    """
    from stmlab.analysis.iterations import ended_early
    from stmlab.analysis.system_files import fit_system
    from stmlab.cli.fit_progress import fits_on_terminal

    if asked.guide is not None:
        raise SequenceError(
            "--system: the file says where parameters begin and what is given; no --start, --fix, --exchange"
        )
    with fits_on_terminal() as interrupt:
        found = fit_system(
            files, system, model=asked.model, channel=asked.channel, settings=asked.settings, within=asked.within
        )
    if png is not None:
        from stmlab.display.figures import save_figure
        from stmlab.display.figures.fits import draw_fits

        save_figure(draw_fits(", ".join(file.name for file in files), [("", found)]), png)
        wrote(png)
    return found, STOPPED if interrupt.stopped else fit_status(ended_early(found))
