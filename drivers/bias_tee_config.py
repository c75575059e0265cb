"""What the station file says of the radio-frequency path: ratings with their sources, and the files of its transfer."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from drivers.transfer_files import READERS


class Rating(BaseModel):
    """A value that must not be exceeded, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=1)


class BiasTeeConfig(BaseModel):
    """What the station file says of the radio-frequency path.

    Attributes:
        model: what stands on the tee.
        sections: transfer files in series, from the generator to the junction, beside the station file.
        largest_voltage: at the DC port, V.
        largest_current: through the DC port, A.
        largest_power: at the RF port, W.
        largest_age_days: of a measured file, for a spectrum to be called flattened; None: any age, or no date.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    sections: tuple[str, ...] = Field(min_length=1)
    largest_voltage: Rating
    largest_current: Rating
    largest_power: Rating
    largest_age_days: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("sections")
    @classmethod
    def _readable(cls, sections: tuple[str, ...]) -> tuple[str, ...]:
        for section in sections:
            if Path(section).suffix.lower() not in READERS:
                raise ValueError(f"{section!r}: a file that ends in {' or '.join(READERS)} is allowed")
        return sections
