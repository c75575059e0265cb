"""What the pages link to outside this folder is named in the guide, and linked only where the repository is read."""

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^]]+)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for each page."""
    return _OUTSIDE.sub(lambda link: link[1] if link[1].strip("`") == link[2] else f"{link[1]} (`{link[2]}`)", markdown)
