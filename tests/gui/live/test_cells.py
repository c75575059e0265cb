"""Values at the places of a run, several of them a place: what follows their changes knows all of them."""

from types import SimpleNamespace

import numpy as np

from stmlab.gui.live.cells import Cells

PLACES, WIDTH = 300, 7


def test_the_envelope_follows_arrays_at_places_in_any_order():
    cells = Cells(SimpleNamespace(cells=PLACES * WIDTH, width=WIDTH, rows=lambda values: values))
    pyramid, edges = cells.pyramid(), np.arange(0, PLACES * WIDTH + 1, 50)
    slots = np.array([290, 3, 120])
    cells.put(slots, np.arange(3.0 * WIDTH).reshape(3, WIDTH))
    rows = np.full((PLACES, WIDTH), np.nan)
    rows[slots] = np.arange(3.0 * WIDTH).reshape(3, WIDTH)
    for gone in ([], [120]):
        cells.empty(np.array(gone, dtype=np.int64))
        rows[gone] = np.nan
        np.testing.assert_array_equal(cells.values, rows.ravel())
        parts = rows.reshape(-1, 50)
        low, high = pyramid.envelope(edges)
        known = np.isfinite(parts).any(axis=1)
        assert np.isnan(low[~known]).all() and np.isnan(high[~known]).all()
        np.testing.assert_array_equal(low[known], np.nanmin(parts[known], axis=1))
        np.testing.assert_array_equal(high[known], np.nanmax(parts[known], axis=1))
