"""The panels of the data, in the order in which their docks are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stmlab.gui.panel import Panel


def data_panels() -> tuple[type[Panel], ...]:
    """The panel classes."""
    from stmlab.gui.data.catalogue import CataloguePanel
    from stmlab.gui.data.fit_panel import FitPanel
    from stmlab.gui.data.map_panel import MapPanel
    from stmlab.gui.data.overlay import OverlayPanel
    from stmlab.gui.data.replay import ReplayPanel

    return (CataloguePanel, OverlayPanel, FitPanel, MapPanel, ReplayPanel)
