# SPDX-License-Identifier: Apache-2.0
"""Sets for `benchmarks.retrieval`: what is searched, what is asked, and what would be right.

A set is a folder with `corpus.jsonl.gz`, `queries.jsonl.gz` and `qrels.tsv`. Training queries that
are also test queries, by id or by text, are left out.
"""

import csv
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Qrels = dict[str, set[str]]  # ids of relevant documents, by query


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSet:
    """Documents, queries by id and their relevant documents."""

    name: str
    documents: list[dict[str, Any]]
    queries: dict[str, str]
    qrels: Qrels


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, compressed or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_qrels(path: Path) -> Qrels:
    """Read relevant documents by query from a tab-separated file with a header."""
    qrels: Qrels = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if float(row.get("score") or 1) > 0:
                qrels.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return qrels


def read_set(folder: Path, queries: Path | None = None, qrels: Path | None = None) -> RetrievalSet:
    """Read a set; only queries with a relevant document in it count."""
    documents = read_lines(folder / "corpus.jsonl.gz")
    known = {document["_id"] for document in documents}
    relevant = _restrict(read_qrels(qrels or folder / "qrels.tsv"), known)
    texts = {
        row["_id"]: row["text"]
        for row in read_lines(queries or folder / "queries.jsonl.gz")
        if row["_id"] in relevant
    }
    return RetrievalSet(
        name=folder.resolve().name,
        documents=documents,
        queries=texts,
        qrels={query: relevant[query] for query in texts},
    )


def _restrict(qrels: Qrels, known: set[str]) -> Qrels:
    """Return the relevant documents that there are, of queries that have any."""
    return {query: found & known for query, found in qrels.items() if found & known}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Queries to learn from, by id, and their relevant documents."""

    queries: dict[str, str]
    qrels: Qrels


def read_training(queries: Path, qrels: Path, test: RetrievalSet) -> Training:
    """Read queries to learn from, for a set of which the test queries are known."""
    known = {document["_id"] for document in test.documents}
    texts = {row["_id"]: row["text"] for row in read_lines(queries)}
    return _leave_out(texts, _restrict(read_qrels(qrels), known), test.queries)


def hold_out(whole: RetrievalSet, share: float) -> tuple[Training, RetrievalSet]:
    """Return what to learn from, and the set with this last share of its queries to test on."""
    names = list(whole.queries)
    cut = round(len(names) * (1 - share))
    earlier = {name: whole.queries[name] for name in names[:cut]}
    later = {name: whole.queries[name] for name in names[cut:]}
    test = replace(whole, queries=later, qrels={name: whole.qrels[name] for name in later})
    return _leave_out(earlier, whole.qrels, later), test


def _leave_out(queries: Mapping[str, str], qrels: Qrels, test: Mapping[str, str]) -> Training:
    """Return answered queries that are no test queries, by id or by text."""
    texts = set(test.values())
    kept = {
        name: text
        for name, text in queries.items()
        if name not in test and text not in texts and name in qrels
    }
    return Training(queries=kept, qrels={name: qrels[name] for name in kept})
