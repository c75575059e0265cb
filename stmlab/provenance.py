"""What ran: versions of the packages that touch data, and the revision of the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Provenance:
    """What ran: see `versions` and `git_revision`."""

    versions: dict[str, str]
    git: str


PACKAGES = ("stmlab", "pymeasure", "numpy", "h5py", "scipy", "lmfit")


def provenance() -> Provenance:
    """Of this process."""
    return Provenance(versions(), git_revision())


def versions() -> dict[str, str]:
    """Package -> installed version (from metadata: nothing is imported)."""
    return {name: _version(name) for name in PACKAGES}


@cache  # the metadata of a package are read once in a process
def _version(name: str) -> str:
    return metadata.version(name)


def git_revision() -> str:
    """The checkout's commit, read from ``.git`` without calling git; "" for an installed package."""
    git = Path(__file__).parent.parent / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        loose = git / reference
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        for line in (git / "packed-refs").read_text(encoding="ascii").splitlines():
            if line.endswith(f" {reference}"):
                return line.split(" ")[0]
    except OSError:
        pass  # no checkout, or a worktree: the version alone says what ran
    return ""
