"""docs/pages.py, by which the guide is built: the tests read and perform its pages in the same way."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _loaded():
    spec = importlib.util.spec_from_file_location("guide_pages", DOCS / "pages.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # its dataclasses look for it there
    spec.loader.exec_module(found)
    return found


pages = _loaded()
