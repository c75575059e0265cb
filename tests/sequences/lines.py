"""Stations whose simulated line, and what is known of it, are not those of the shipped one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from stmlab.simulation.line import Line, StandingWave
from stmlab.simulation.transfer_files import line_table

CONFIG = Path(__file__).parents[2] / "config"
SECTIONS = 'sections = ["transfer/line.csv", "transfer/bias_tee.s2p"]'
RIPPLE = StandingWave(1 / 3, 2.0e-9)  # (1 + r)/(1 - r) = 2: 6 dB peak to peak, every 500 MHz


def station_file(
    folder: Path,
    *,
    wave: StandingWave | None = None,
    attenuation_dB: float = 30.0,
    sections: tuple[Path, ...] | None = None,
    measured: str = "2024-01-01",
    options: str = "",
) -> Path:
    """The simulated station with ``wave`` on its line, a table of that line of the day ``measured``, and ``options``.

    Args:
        folder: to write into.
        wave: the only standing wave, None: those of the shipped line.
        attenuation_dB: of the attenuators on the line.
        sections: transfer files to be read in place of the line's table and the tee's.
        measured: date of the line's table.
        options: lines for ``[rf_path.options]``.
    """
    waves = (wave,) if wave else Line().standing_waves
    line = Line(attenuation_dB=attenuation_dB, standing_waves=waves)
    table = folder / "line.csv"
    table.write_text(line_table(line, date.fromisoformat(measured)), encoding="ascii")
    used = sections or (table, CONFIG / "transfer" / "bias_tee.s2p")
    listed = f"sections = [{', '.join(repr(str(path)) for path in used)}]"
    text = (CONFIG / "simulated.toml").read_text(encoding="utf-8").replace(SECTIONS, f"{listed}\n{options}")
    assert listed in text
    listed_waves = [f"{{ reflection = {w.reflection!r}, round_trip = {w.round_trip!r} }}" for w in waves]
    text += f"\n[simulation.options.line]\nattenuation_dB = {attenuation_dB!r}\n"
    text += f"standing_waves = [{', '.join(listed_waves)}]\n"
    path = folder / "station.toml"
    path.write_text(text, encoding="utf-8")
    return path
