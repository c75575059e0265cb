"""The plan of a run as it stands beside the form: points, duration, file, every limit, powers, refusal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea
from rich.filesize import decimal

from stmlab.display.runs import duration_as_text
from stmlab.display.terminal import points_as_text
from stmlab.gui.measure.written import written_range
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.acquisition.planning import Demand, Plan
    from stmlab.gui.themes import Theme

_SAID = {
    "setpoint_bias": "bias at the setpoint",
    "bias": "bias",
    "setpoint": "setpoint current",
    "rf_frequency": "microwave frequency",
    "rf_amplitude": "amplitude at the connector, peak",
    "junction_amplitude": "amplitude at the junction, peak",
    "modulation": "lock-in sine output, rms",
    "junction_total": "all of it at the junction, peak",
}


class PlanView(QScrollArea):
    """Shows a Plan, or why there is none."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setMargin(4)
        self.setWidget(self.label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.theme = theme
        self._plan: Plan | None = None
        self._file, self._waiting = "", ""

    def show_plan(self, plan: Plan, file: str) -> None:
        """What the run would be, and where its file would lie."""
        self._plan, self._file, self._waiting = plan, file, ""
        self._write()

    def wait(self, why: str) -> None:
        """There is no plan yet."""
        self._waiting = why
        self._write()

    def paint(self, theme: Theme) -> None:
        """In the colours of the theme."""
        self.theme = theme
        self._write()

    def _write(self) -> None:
        if self._waiting:
            self.label.setText(f'<span style="color:{self.theme.faint}">{escape(self._waiting)}</span>')
        elif self._plan is not None:
            self.label.setText("".join(self._parts(self._plan)))

    def _parts(self, plan: Plan) -> list[str]:
        theme, parts = self.theme, []
        if plan.refusal:
            parts.append(f'<p style="color:{theme.bad}"><b>Refused:</b> {escape(plan.refusal)}</p>')
        if plan.estimate is not None:
            known = plan.estimate
            told = f"{points_as_text(known.points)}, {duration_as_text(known.seconds)}"
            parts.append(f"<p><b>{told}</b>, {decimal(known.size)}</p>")
        parts.append(f'<p style="color:{theme.faint}">{escape(self._file)}</p>')
        if plan.demands:
            rows = "".join(map(self._row, plan.demands))
            head = "".join(f'<th align="left">{title}</th>' for title in ("output", "asked", "allowed"))
            parts.append(f'<table cellspacing="0" cellpadding="2" width="100%"><tr>{head}</tr>{rows}</table>')
        parts += [f"<p>{escape(f.name)}: {format_quantity(float(f'{f.value:.3g}'), f.unit)}</p>" for f in plan.figures]
        parts += [f'<p style="color:{theme.warn}">{escape(said)}</p>' for said in plan.unchecked]
        return parts

    def _row(self, demand: Demand) -> str:
        low, high = demand.low, demand.high
        if demand.output == "junction_total" or low == high:
            asked = format_quantity(high, demand.unit)
        else:
            asked = written_range(low, high, demand.unit)
        allowed = written_range(demand.allowed_low, demand.allowed_high, demand.unit)
        colour = self.theme.text if demand.within else self.theme.bad
        mark = "" if demand.within else " ✗"
        cells = (_SAID.get(demand.output, demand.output), asked + mark, allowed)
        return "<tr>" + "".join(f'<td style="color:{colour}">{escape(cell)}</td>' for cell in cells) + "</tr>"
