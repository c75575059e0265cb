"""What the window remembers: layout, colours, last values, presets, and what each panel keeps; a JSON file of the user.

Several windows may be open: what one of them remembers is put into the file as it stands then, key by key, so that none
undoes what another has written.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Texts = dict[str, str]


class Remembered(BaseModel):
    """The content of the file.

    Attributes:
        theme: "system", "light" or "dark".
        geometry, layout: of the window, as Qt writes them, base64.
        station, sample, sequence, folder: last chosen.
        values: "sequence at station" -> parameter -> text, as last used.
        presets: sequence -> name of the preset -> parameter -> text.
        panels: name of a panel -> what it keeps (anything that JSON has).
    """

    model_config = ConfigDict(extra="ignore", validate_assignment=True)

    theme: str = Field(default="system", pattern="^(system|light|dark)$")
    geometry: str = ""
    layout: str = ""
    station: str = "simulated"
    sample: str = ""
    sequence: str = ""
    folder: str = "runs"
    values: dict[str, Texts] = {}
    presets: dict[str, dict[str, Texts]] = {}
    panels: dict[str, dict[str, Any]] = {}


class Settings:
    """The remembered things and their file.

    Args:
        path: of the file; None: that of the user.

    Attributes:
        problem: why the file could not be read; "" if it could. It is kept beside the new one then.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _users_file()
        self.problem = ""
        self.known = self._read()

    def remember(self, **values: Any) -> None:
        """Keep these fields of `Remembered`.

        Raises:
            OSError: the file cannot be written; the values hold for this window.
        """
        for name, value in values.items():
            setattr(self.known, name, value)
        fresh = self._read()
        for name in values:
            setattr(fresh, name, getattr(self.known, name))
        self.known = fresh
        self._write()

    def panel(self, name: str) -> dict[str, Any]:
        """What a panel keeps; a copy."""
        return dict(self.known.panels.get(name, {}))

    def remember_panel(self, name: str, **values: Any) -> None:
        """Keep these values for a panel: anything that JSON has."""
        known = self._read().panels
        self.remember(panels=known | {name: known.get(name, {}) | values})

    def _read(self) -> Remembered:
        try:
            return Remembered.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            self.problem = self._set_aside(error)
            return Remembered()

    def _set_aside(self, error: Exception) -> str:
        aside = self.path.with_suffix(".unreadable.json")
        why = f"{error.error_count()} mistakes" if isinstance(error, ValidationError) else str(error)
        try:
            self.path.replace(aside)
        except OSError:
            return f"{self.path} cannot be read ({why})"
        return f"{self.path} could not be read ({why}) and is now {aside.name}"

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.known.model_dump(mode="json"), indent=1, ensure_ascii=False)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.stem, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(self.path)


def _users_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("stmlab") / "window.json"
