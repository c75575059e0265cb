"""Commands that find files again: runs, tag, note."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stmlab.cli.common import JsonOption, app, print_json, refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stmlab.storage.catalogue import Entry, Notes

FileArgument = Annotated[Path, typer.Argument(help="A run, or a file that another program recorded.")]


@app.command()
@refusing
def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look, folders below included.")] = Path(),
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help='Only files for which this is true: "rate > 1e9", "rate > 1 GHz and state = finished", '
            '"date >= 2026-11", "note ~ drift". May be given again.',
        ),
    ] = None,
    sample: Annotated[str | None, typer.Option("--sample", help="Only this sample.")] = None,
    sequence: Annotated[str | None, typer.Option("--sequence", help="Only this sequence.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only files that have this tag.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only this state: finished, killed, running ...")] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="NAME", help="By date, sample, size, a fitted value such as rate ...")
    ] = "date",
    reverse: Annotated[bool, typer.Option("--reverse", help="Largest, or latest, first.")] = False,
    recorded: Annotated[bool, typer.Option("--recorded", help="List what other programs recorded, too.")] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Draw those that are missing; --json says where they are.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the runs in a folder: found again by date, sample, sequence, tag, state or fitted value."""
    from stmlab.display.catalogue import catalogue_as_table, catalogue_as_text
    from stmlab.display.terminal import printable
    from stmlab.storage.catalogue import Condition, catalogue, ordered, parsed, selected

    conditions = [condition for text in where or [] for condition in parsed(text)]
    chosen = {"sample": sample, "sequence": sequence, "tag": tag, "state": state}
    conditions += [Condition(name, "=", value) for name, value in chosen.items() if value is not None]
    with _progress("reading") as progress:
        found = catalogue(folder, recorded=recorded, progress=progress)
    entries = ordered(selected(found.entries, conditions), sort, descending=reverse)
    for trouble in found.troubles:
        print(f"stmlab: {printable(trouble)}", file=sys.stderr)
    drawn = not thumbnails or _draw(entries)
    if as_json:
        print_json([_as_dict(entry) for entry in entries])
    else:
        if entries:
            print(catalogue_as_table(entries, folder))
        print(catalogue_as_text(found, entries, recorded=recorded), file=sys.stderr)
    if not drawn:
        raise typer.Exit(1)


@app.command()
@refusing
def tag(
    file: FileArgument,
    tags: Annotated[list[str] | None, typer.Argument(help="Tags to add; none shows what there is.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A tag to take off.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tag a file, or take tags off it; they stand in FILE.notes.json beside it, and the data are never touched."""
    from stmlab.storage.catalogue import add_tags, remove_tags

    found = add_tags(file, tags or [])
    if remove:
        found = remove_tags(file, remove)
    _show(file, found, as_json=as_json)


@app.command()
@refusing
def note(
    file: FileArgument,
    text: Annotated[str | None, typer.Argument(help="What to write; without it, what there is is shown.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a note about a file; it stands with its date in FILE.notes.json beside it."""
    from stmlab.storage.catalogue import add_note, add_tags

    _show(file, add_tags(file, []) if text is None else add_note(file, text), as_json=as_json)


def _show(file: Path, found: Notes, *, as_json: bool) -> None:
    if as_json:
        notes = [{"date": note.date, "text": note.text} for note in found.notes]
        print_json({"file": str(file), "tags": list(found.tags), "notes": notes})
        return
    print(f"tags: {', '.join(found.tags) or 'none'}")
    for each in found.notes:
        print(f"{each.date}  {each.text}")


def _as_dict(entry: Entry) -> dict[str, Any]:
    from stmlab.display.catalogue import entry_as_dict
    from stmlab.display.thumbnails import thumbnail_path

    picture = thumbnail_path(entry)
    return {**entry_as_dict(entry), "thumbnail": str(picture) if picture.exists() else None}


def _draw(entries: list[Entry]) -> bool:
    """Every thumbnail that is missing; what cannot be drawn is said. Whether all went well."""
    from stmlab.display.terminal import printable
    from stmlab.display.thumbnails import thumbnail
    from stmlab.errors import StmlabError
    from stmlab.storage.catalogue import UNREADABLE

    well = True
    with _progress("drawing") as progress:
        for done, entry in enumerate(entries, 1):
            try:
                if entry.state != UNREADABLE:
                    thumbnail(entry)
            except StmlabError as error:
                print(f"stmlab: {printable(str(error))}", file=sys.stderr)
                well = False
            progress(done, len(entries))
    return well


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal, from the first call."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = None

        def show(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                task = bar.add_task(doing, total=total)
            bar.update(task, completed=done)

        yield show
