"""A folder of runs, and a look into it that uses an index of its own."""

from dataclasses import dataclass

import pytest

from stmlab.storage import Writer
from stmlab.storage.catalogue import catalogue


@dataclass(frozen=True)
class Folder:
    """A folder under test: ``index`` is its own, ``read`` the files that were opened."""

    path: object
    index: object
    write: object
    read: list

    def look(self, **options):
        """What is listed, by its path below the folder."""
        self.read.clear()
        found = catalogue(self.path, index=self.index, **options)
        return {str(entry.path.relative_to(self.path)): entry for entry in found.entries}

    def troubles(self):
        return catalogue(self.path, index=self.index).troubles


@pytest.fixture
def folder(tmp_path, whole_run, monkeypatch):
    from stmlab.storage.catalogue import scan

    read = []
    for name in ("look_at_run", "look_at_recording"):
        look = getattr(scan, name)
        monkeypatch.setattr(scan, name, lambda path, look=look: read.append(path.name) or look(path))
    monkeypatch.setattr(scan, "_SETTLED", -(10**12))  # files of a test are young

    def write(name, events=None, **more):
        (path := tmp_path / "runs" / name).parent.mkdir(parents=True, exist_ok=True)
        writer = Writer(path)
        for event in whole_run(**more) if events is None else events:
            writer(event)
        writer.close()
        return path

    (tmp_path / "runs").mkdir()
    return Folder(tmp_path / "runs", tmp_path / "cache" / "index.sqlite", write, read)
