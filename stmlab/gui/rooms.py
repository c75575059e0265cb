"""The panels of the window, in the order in which their docks are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stmlab.gui.panel import Panel


def panels() -> tuple[type[Panel], ...]:
    """Every panel class; within one area the first is in front."""
    from stmlab.gui.data.panels import data_panels
    from stmlab.gui.instruments.panel import InstrumentsPanel
    from stmlab.gui.instruments.state_bar import StateBar
    from stmlab.gui.live.panel import LivePanel
    from stmlab.gui.log import LogPanel
    from stmlab.gui.measure.panel import MeasurePanel
    from stmlab.gui.models.panel import ModelsPanel
    from stmlab.gui.queue.panel import QueuePanel
    from stmlab.gui.queue.run_panel import RunPanel

    return (
        StateBar,
        MeasurePanel,
        RunPanel,
        LivePanel,
        LogPanel,
        *data_panels(),
        ModelsPanel,
        QueuePanel,
        InstrumentsPanel,
    )
