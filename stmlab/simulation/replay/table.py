"""What a replay is asked for: the table ``[recorded]`` of a sample file, or the options of ``stmlab run --replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stmlab.errors import FileError, SequenceError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from stmlab.simulation.replay.recorded import RecordedJunction


def _with_unit(unit: str) -> BeforeValidator:
    """Reads a number that is given as text, with a unit or without."""

    def read(given: Any) -> Any:
        try:
            return in_unit(given, unit) if isinstance(given, str) else given
        except SequenceError as error:  # as pydantic wants it, which names the key
            raise ValueError(str(error)) from error

    return BeforeValidator(read)


Volts = Annotated[float, _with_unit("V")]
Seconds = Annotated[float, _with_unit("s")]


class ReplayTable(BaseModel):
    """One recording.

    Attributes:
        file: a run of stmlab, or another program's file that is known.
        pixel: column and row of a grid, counted from 0.
        channel: column that is replayed, where the file leaves a choice.
        modulation: of the bias while dI/dV was recorded, V peak, where the file does not say it.
        bias: at which a trace or a response was recorded, V, where the file does not say it.
        amplitude: of the microwave at the junction, V peak, where the file does not say it.
        pump, probe: heights of the pulses at the junction, V, where the file does not say them.
        width, rise_time: of the pulses, at half maximum and 10-90 %, s, where the file does not say them.
        added_noise: the instruments add their noise to the one that was recorded; if not, they add none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    pixel: tuple[int, int] | None = None
    channel: str | None = None
    modulation: Volts | None = Field(default=None, ge=0, allow_inf_nan=False)
    bias: Volts | None = Field(default=None, allow_inf_nan=False)
    amplitude: Volts | None = Field(default=None, gt=0, allow_inf_nan=False)
    pump: Volts | None = Field(default=None, allow_inf_nan=False)
    probe: Volts | None = Field(default=None, allow_inf_nan=False)
    width: Seconds | None = Field(default=None, gt=0, allow_inf_nan=False)
    rise_time: Seconds | None = Field(default=None, gt=0, allow_inf_nan=False)
    added_noise: bool = False


def recorded_junction(table: ReplayTable) -> RecordedJunction:
    """The file's data as a junction of its kind.

    Raises:
        FileError: it cannot be read, or holds nothing that can be replayed.
        FitError: what it holds cannot be told.
    """
    from stmlab.storage.recorded import is_recorded

    if not table.file.is_file():
        raise FileError(f"{table.file}: no such file")
    if is_recorded(table.file):
        from stmlab.simulation.replay.other_files import junction_of_file

        return junction_of_file(table)
    from stmlab.simulation.replay.own_runs import junction_of_run

    return junction_of_run(table)
