"""pymeasure's adapters, without what a run never uses.

``pymeasure.adapters``, which every driver needs, imports ``unittest.mock`` for an adapter that only tests use, and with
it asyncio and ssl (0.05 s). So it is imported here with a stand-in for it, before any driver. The adapter of the tests
gives way to the real one when it is first used, and behaves as ever.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Adapter", "standing_in"]


@contextmanager
def standing_in(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """While the context lasts, these stand for modules that have not been imported yet."""
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules |= missing
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def _later_magic_mock(*args: Any, **kwargs: Any) -> Any:
    """Stands for ``MagicMock`` in ``protocol.py`` until it is first used, and then gives way to it."""
    from unittest.mock import MagicMock

    vars(sys.modules["pymeasure.adapters.protocol"]).update(MagicMock=MagicMock)
    return MagicMock(*args, **kwargs)


_mock = ModuleType("unittest.mock")
vars(_mock).update(MagicMock=_later_magic_mock)
with standing_in({"unittest.mock": _mock}):
    from pymeasure.adapters import Adapter
