"""Whose turn it is to be read: each of an instrument's properties once in a round, evenly over its time."""

from __future__ import annotations


class Turns:
    """The properties of one instrument that are read by turns.

    Args:
        names: of the properties.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.all = names
        self._twice = names * 2
        self._next = 0
        self._owed = 0.0  # turns that have come and were not taken: the fraction of one

    def due(self, share: float) -> tuple[str, ...]:
        """Those whose turn has come in another ``share`` of a round, in their order; all of them after a whole one."""
        owed = self._owed + share * len(self.all)
        count = int(owed)
        if count >= len(self.all):
            self._owed = 0.0
            return self.all
        self._owed = owed - count
        if not count:
            return ()
        first = self._next
        self._next = (first + count) % len(self.all)
        return self._twice[first : first + count]
