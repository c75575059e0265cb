"""The catalogue of a folder: what is in its files, found again quickly; tags and notes beside them.

The files are the truth. An index in the user's cache folder spares reading those that have not changed; it may be
deleted at any time.
"""

from __future__ import annotations

from stmlab.storage.catalogue.index import cache_folder
from stmlab.storage.catalogue.notes import Note, Notes, add_note, add_tags, read_notes, remove_tags
from stmlab.storage.catalogue.query import FIELDS, Condition, ordered, parsed, selected
from stmlab.storage.catalogue.scan import Catalogue, Entry, catalogue
from stmlab.storage.catalogue.summary import RECORDED, UNREADABLE, FittedValue, Summary

__all__ = [
    "FIELDS",
    "RECORDED",
    "UNREADABLE",
    "Catalogue",
    "Condition",
    "Entry",
    "FittedValue",
    "Note",
    "Notes",
    "Summary",
    "add_note",
    "add_tags",
    "cache_folder",
    "catalogue",
    "ordered",
    "parsed",
    "read_notes",
    "remove_tags",
    "selected",
]
