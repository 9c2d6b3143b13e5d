"""``leadlab data``: public data sets by address and checksum."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from leadlab.cli.console import err, out, print_json, table
from leadlab.cli.options import AsJson
from leadlab.data import FileState, dataset, datasets, get, readers, verify

app = typer.Typer(
    help="Public data sets: what there is, fetching them, checking them.", no_args_is_help=True
)
EXAMPLE = "\n\nExample: `leadlab data {}`"


@app.command("list", help="List the public data sets." + EXAMPLE.format("list"))
def list_data(as_json: AsJson = False) -> None:
    """Name, size, whether it is here, and its licence."""
    known = readers()
    facts = [
        {
            "name": one.name,
            "title": one.title,
            "size": one.size,
            "here": all(s.place.is_file() for s in _states(one.name)),
            "reader": one.name in known,
            "licence": one.licence,
        }
        for one in datasets().values()
    ]
    if as_json:
        print_json(facts)
        return
    rows = [[f["name"], f["size"], "yes" if f["here"] else "no", f["licence"]] for f in facts]
    table("Public data sets", ["name", "size", "here", "licence"], rows)


def _states(name: str) -> list[FileState]:
    return verify(name)


@app.command("get", help="Fetch a data set and check it." + EXAMPLE.format("get bpic2012"))
def get_data(
    name: Annotated[str, typer.Argument(help="Name of a data set.")], as_json: AsJson = False
) -> None:
    """Fetch what is missing, check everything, say where it is."""
    one = dataset(name)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=err, disable=as_json) as progress:
        place = get(name, progress=_Bar(progress, name))
    if as_json:
        print_json({"name": name, "path": str(place)})
        return
    out.print(f"[bold]{one.title}[/bold]\n  at       {place}\n  licence  {one.licence}")
    out.print(f"  cite     {one.citation}\n  note     {one.notes}")


class _Bar:
    """What pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress: Progress, name: str) -> None:
        self.progress, self.name = progress, name
        self.task = progress.add_task(name, total=None, visible=False)
        self.total = 0

    def update(self, n: int) -> None:
        self.progress.update(self.task, advance=n, total=self.total, visible=True)

    def reset(self) -> None:
        self.progress.reset(self.task)

    def close(self) -> None:
        self.progress.stop_task(self.task)


@app.command("verify", help="Check files against their checksums." + EXAMPLE.format("verify"))
def verify_data(
    name: Annotated[str | None, typer.Argument(help="One data set; all when not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """State of each file: ok, missing or altered; exit code 6 where one is altered."""
    names = [dataset(name).name] if name else list(datasets())
    found = [(n, state) for n in names for state in verify(n)]
    if as_json:
        print_json([{"name": n, "file": s.file.path, "state": s.state} for n, s in found])
    else:
        rows = [[n, s.file.path, s.file.bytes, s.state] for n, s in found]
        table("Files", ["data set", "file", "bytes", "state"], rows)
    if any(s.state == "altered" for _, s in found):
        raise typer.Exit(6)
