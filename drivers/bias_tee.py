"""The bias tee and all else between the generator's connector and the junction: passive, on no bus.

A bias tee combines the DC bias with the radio frequency. What it stands and how it transmits differ from one to the
next, so every rating is a field of the configuration with its source, and the transfer is that of measured files, in
series: Touchstone ``.s2p`` (touchstone.py) or tables ``.csv`` (transfer_table.py), read when they are first needed. The
tables of the configuration stand in bias_tee_config.py, which imports pydantic (0.1 s) when a station file is read.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.touchstone import LINE_IMPEDANCE
from drivers.transfer_files import READERS
from stmlab.errors import OutOfBounds, StationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.bias_tee_config import BiasTeeConfig, Rating
    from drivers.transfer_table import TransferTable
    from stmlab.arrays import ComplexArray, FloatArray


class BiasTee:
    """The radio-frequency path of a station; implements RadioFrequencyPath.

    Args:
        config: ratings and files.
        directory: in which the files are.
        in_place_of: files of the station that a measured table stands for.

    Raises:
        StationError: a file is missing.
    """

    def __init__(self, config: BiasTeeConfig, directory: Path, in_place_of: tuple[str, ...] = ()) -> None:
        self.config, self._directory, self._in_place_of = config, directory, in_place_of
        self._files = tuple(directory / section for section in config.sections)
        for path in self._files:
            if not path.is_file():
                raise StationError(f"{path}: no such file")

    @classmethod
    def from_config(cls, mapping: Mapping[str, Any], directory: Path) -> BiasTee:
        """The path of a station file; ``mapping`` as in BiasTeeConfig.

        Raises:
            pydantic.ValidationError: a wrong key or value.
            StationError: a file is missing.
        """
        from drivers.bias_tee_config import BiasTeeConfig

        return cls(BiasTeeConfig.model_validate(dict(mapping)), directory)

    def as_measured(self, table: Path) -> BiasTee:
        """See RadioFrequencyPath; its ratings stay.

        Raises:
            StationError: there is no such file.
        """
        config = self.config.model_copy(update={"sections": (str(table),)})
        return BiasTee(config, self._directory, self.config.sections)

    @cached_property
    def sections(self) -> tuple[TransferTable, ...]:
        """The measured transfers, from the generator to the junction.

        Raises:
            StationError: a file is wrong, or the bands do not overlap.
        """
        sections = tuple(READERS[path.suffix.lower()](path) for path in self._files)
        low, high = _common_band(sections)
        if low >= high:
            raise StationError(f"{' and '.join(s.file for s in sections)}: their bands do not overlap")
        return sections

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest frequency for which every section is known, Hz."""
        return _common_band(self.sections)

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Complex amplitude at the junction over amplitude at the connector; same shape as ``frequency`` (Hz).

        Raises:
            OutOfBounds: a frequency lies outside the band of a file, which is named with its band.
        """
        total = np.ones(np.shape(frequency), dtype=complex)
        for section in self.sections:
            total = total * section.transfer(frequency)
        return total

    def check(self, *, voltage: float = 0.0, current: float = 0.0, rf_amplitude: float = 0.0) -> None:
        """Raise OutOfBounds if a DC voltage (V), DC current (A) or RF amplitude (V peak into 50 ohm) is too large."""
        config = self.config
        for name, value, rating, unit in (
            ("bias tee voltage", abs(voltage), config.largest_voltage, "V"),
            ("bias tee current", abs(current), config.largest_current, "A"),
            ("bias tee RF power", rf_amplitude**2 / (2 * LINE_IMPEDANCE), config.largest_power, "W"),
        ):
            if not value <= rating.value:
                raise OutOfBounds(name, value, 0.0, rating.value, unit, rating.source)

    def check_age(self, today: date) -> None:
        """Raise StationError if a file is older than ``largest_age_days``, of the future, or does not say its age."""
        allowed = self.config.largest_age_days
        if allowed is None:
            return
        for section in self.sections:
            try:
                age = (today - date.fromisoformat(section.date[:10])).days
            except ValueError:
                raise StationError(
                    f"{section.file}: date = {section.date!r}: a date such as 2024-05-01 is needed, because "
                    f"rf_path.options.largest_age_days = {allowed:g}"
                ) from None
            if not 0 <= age <= allowed:
                raise StationError(
                    f"{section.file}: measured {age} days ago, 0 to {allowed:g} are allowed "
                    "(rf_path.options.largest_age_days): measure it again with the sequence transfer"
                )

    def describe(self) -> dict[str, Any]:
        """Model, files with date and band, and ratings with their sources."""
        low, high = self.band
        description: dict[str, Any] = {"model": self.config.model, "band_low_Hz": low, "band_high_Hz": high}
        for number, section in enumerate(self.sections, start=1):
            description[f"section_{number}_file"] = section.file
            description[f"section_{number}_date"] = section.date
        if self._in_place_of:
            description["in_place_of"] = ", ".join(self._in_place_of)
        if self.config.largest_age_days is not None:
            description["largest_age_days"] = self.config.largest_age_days
        for name, unit in (("voltage", "V"), ("current", "A"), ("power", "W")):
            rating: Rating = getattr(self.config, f"largest_{name}")
            description[f"largest_{name}_{unit}"] = rating.value
            description[f"largest_{name}_source"] = rating.source
        return description


def _common_band(sections: tuple[TransferTable, ...]) -> tuple[float, float]:
    return max(s.band[0] for s in sections), min(s.band[1] for s in sections)
