# SPDX-License-Identifier: Apache-2.0
"""`eucora kb labels`: past tickets with what solved them, brought and looked at.

Exit code 3: some lines could not be taken, the others were.
"""

import csv
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import Actor, console, fail, name_actor, print_table, with_ground

if TYPE_CHECKING:
    from api.search_feedback import PastTicket

REFUSED_EXIT = 3
BATCH = 200  # labels a transaction: few enough that others do not wait for it
MAX_LINE_BYTES = 1024 * 1024  # far above the longest ticket, far below what would fill the memory
EXCERPT = 80  # characters of a ticket in a list: a line of a terminal
labels_app = typer.Typer(no_args_is_help=True, help="What helped with past tickets.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a file: a past ticket, or why it is none."""

    number: int  # of the line it begins in, from 1
    ticket: "PastTicket | None" = None
    fault: str = ""


@labels_app.command("import")
def labels_import(
    path: Annotated[
        Path, typer.Argument(help="CSV or JSON lines: text, document_id and, if wanted, label.")
    ],
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Bring past tickets with the document that helped (or did_not_help); names are masked.

    Every line gets a verdict; those that were taken are not listed. Exit code 3 if some were not.
    """
    name = name_actor(actor)
    lines = _read(path)

    async def act(ground: Any) -> list[tuple[int, str]]:
        from api.ground import open_embedder  # noqa: PLC0415 - heavy
        from api.search_feedback import SearchFeedback  # noqa: PLC0415 - heavy

        feedback = SearchFeedback(ground, open_embedder(ground))
        verdicts = []
        for start in range(0, len(lines), BATCH):
            batch = lines[start : start + BATCH]
            taken = await feedback.take_tickets(
                [line.ticket for line in batch if line.ticket is not None],
                groups=None,
                actor=name,
                correlation_id=ground.ids.new("cor"),
            )
            told = iter(taken)
            verdicts += [(line.number, line.fault or next(told).value) for line in batch]
        return verdicts

    verdicts = with_ground(act)
    _print_verdicts(verdicts, as_json=as_json)
    if any(verdict not in {"stored", "repeated"} for _, verdict in verdicts):
        raise typer.Exit(REFUSED_EXIT)


def _print_verdicts(verdicts: Sequence[tuple[int, str]], *, as_json: bool) -> None:
    remarks = [(number, verdict) for number, verdict in verdicts if verdict != "stored"]
    n_stored = len(verdicts) - len(remarks)
    if as_json:
        listed = [{"line": number, "verdict": verdict} for number, verdict in verdicts]
        print(json.dumps({"stored": n_stored, "lines": listed}))
        return
    if remarks:
        print_table(("line", "verdict"), [(str(number), why) for number, why in remarks])
    console.print(f"{n_stored} of {len(verdicts)} labels were stored", highlight=False)


def _read(path: Path) -> list[Line]:
    read = {".csv": _read_csv, ".jsonl": _read_json}.get(path.suffix.lower())
    if read is None:
        fail("bring a file whose name ends in .csv or .jsonl")
    try:
        return list(read(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        fail(f"{path.name} cannot be read: {error}")


def _read_csv(path: Path) -> Iterator[Line]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"text", "document_id"} <= set(rows.fieldnames or ()):
            fail(f"{path.name}: its first line must name the columns text and document_id")
        begins = rows.line_num + 1
        for row in rows:
            yield _read_line(begins, row)
            begins = rows.line_num + 1


def _read_json(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                document = json.loads(line) if len(line) <= MAX_LINE_BYTES else None
            except (ValueError, RecursionError):
                document = None
            if isinstance(document, dict):
                yield _read_line(number, document)
            else:
                yield Line(number=number, fault="not_an_object")


def _read_line(number: int, row: dict[str, Any]) -> Line:
    from api.search_feedback import PastTicket  # noqa: PLC0415 - heavy
    from guardrails.sanitise import plain_text  # noqa: PLC0415 - heavy
    from retrieval.labels import Label  # noqa: PLC0415 - heavy

    text, document_id, word = (row.get(name) for name in ("text", "document_id", "label"))
    if not isinstance(text, str) or not isinstance(document_id, str):
        return Line(number=number, fault="no_text_or_document")
    if word not in {None, "", *Label}:
        return Line(number=number, fault="unknown_label")
    ticket = PastTicket(
        text=text,
        document_id=plain_text(document_id).strip(),
        label=Label(word) if word else Label.HELPED,
    )
    return Line(number=number, ticket=ticket)


@labels_app.command("list")
def labels_list(
    document: Annotated[str | None, typer.Option(help="Only those on this document.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """List what people and outcomes said of documents, newest first; texts are masked."""

    async def read(connection: Any) -> Any:
        from api.search_feedback import list_labels  # noqa: PLC0415 - heavy

        return await list_labels(connection, document_id=document, limit=limit)

    rows = _fetch(read)
    if as_json:
        print(json.dumps([{**row, "created_at": row["created_at"].isoformat()} for row in rows]))
        return
    cells = [
        (
            f"{row['created_at']:%Y-%m-%d %H:%M}",
            row["document_id"],
            row["label"],
            row["origin"],
            row["actor"],
            " ".join(row["text"].split())[:EXCERPT],
        )
        for row in rows
    ]
    headings = ("since", "document", "label", "origin", "by", "text")
    print_table(headings, cells, whole=headings[:4])


@labels_app.command("count")
def labels_count(*, as_json: Json = False) -> None:
    """Count labels by origin."""

    async def read(connection: Any) -> Any:
        from api.search_feedback import count_labels  # noqa: PLC0415 - heavy

        return await count_labels(connection)

    rows = _fetch(read)
    if as_json:
        print(json.dumps(rows))
        return
    cells = [
        (row["origin"], row["label"],
         *(str(row[name]) for name in ("n_labels", "n_texts", "n_documents")))
        for row in rows
    ]  # fmt: skip
    print_table(("origin", "label", "labels", "texts", "documents"), cells)


def _fetch(read: Callable[[Any], Awaitable[Any]]) -> list[dict[str, Any]]:
    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            return await read(connection)

    return [asdict(row) for row in with_ground(act)]
