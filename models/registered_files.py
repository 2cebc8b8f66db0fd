# SPDX-License-Identifier: Apache-2.0
"""Which models are registered and where their files lie, read from MLflow's tables without MLflow.

To import MLflow takes seconds and 200 MB, in every process that only reads the models in use (ADR
0031), and in each command that lists versions. What is not found here (another kind of database,
other tables, no such model, files elsewhere) is None or no rows: then MLflow is asked, which also
knows what is wrong.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psycopg
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg.rows import dict_row

from kernel.queries import load_queries

QUERIES = load_queries(__file__, "registered_files")
DIGEST_TAG = "eucora.sha256"
EVALUATION_TAG = "eucora.evaluation_sha256"
_POSTGRESQL = "postgresql+psycopg://"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredFile:
    """A registered version: its folder as an URL, and its file's SHA-256 (hex) when registered."""

    name: str
    version: str
    source: str
    digest: str

    @property
    def folder(self) -> Path:
        """The folder on this machine that the URL names."""
        return _read_folder(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEvaluation:
    """What a version's training left beside its file: where, and what its files' digests were.

    Attributes:
        name: of the model.
        version: its number.
        source: the folder of the training as an URL.
        digests: SHA-256 (hex) by name of a file, as a JSON object.

    """

    name: str
    version: str
    source: str
    digests: str

    @property
    def folder(self) -> Path:
        """The folder on this machine that the URL names."""
        return _read_folder(self.source)


def find_by_alias(tracking_uri: str, name: str, alias: str) -> RegisteredFile | None:
    """Return the version of a model that carries an alias; blocking."""
    return _find(tracking_uri, QUERIES["find_by_alias"], {"name": name, "alias": alias})


def find_by_number(tracking_uri: str, name: str, version_number: str) -> RegisteredFile | None:
    """Return a version of a model by its number; blocking."""
    return _find(tracking_uri, QUERIES["find_by_number"], {"name": name, "version": version_number})


def list_rows(tracking_uri: str, name: str | None) -> list[dict[str, Any]]:
    """Return the versions of a model, or of all, as rows; none where MLflow has to be asked."""
    return _read_rows(tracking_uri, QUERIES["list_versions"], {"name": name})


def find_evaluation(
    tracking_uri: str, name: str, version_number: str
) -> RegisteredEvaluation | None:
    """Return where a version's training has put its files; blocking."""
    values = {"name": name, "version": version_number, "tag": EVALUATION_TAG}
    row = _read_one(tracking_uri, QUERIES["find_evaluation"], values)
    return None if row is None else RegisteredEvaluation(name=name, version=version_number, **row)


def _find(tracking_uri: str, query: LiteralString, values: dict[str, Any]) -> RegisteredFile | None:
    row = _read_one(tracking_uri, query, {**values, "tag": DIGEST_TAG})
    return None if row is None else RegisteredFile(**row)


def _read_folder(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _read_one(
    tracking_uri: str, query: LiteralString, values: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the only row of a query, if its folder is on this machine."""
    rows = _read_rows(tracking_uri, query, values)
    return rows[0] if len(rows) == 1 and rows[0]["source"].startswith("file:///") else None


def _read_rows(
    tracking_uri: str, query: LiteralString, values: dict[str, Any]
) -> list[dict[str, Any]]:
    if not tracking_uri.startswith(_POSTGRESQL):
        return []
    address = tracking_uri.replace(_POSTGRESQL, "postgresql://", 1)
    try:
        with psycopg.connect(address, row_factory=dict_row, autocommit=True) as connection:
            return _ask(connection, query, values)
    except psycopg.OperationalError as error:
        _logger.warning("MLflow's database does not answer, so MLflow is asked: %s", error)
        return []


def _ask(
    connection: psycopg.Connection[dict[str, Any]], query: LiteralString, values: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return what a query finds; nothing where tables or columns of it are not there."""
    try:
        return connection.execute(query, values).fetchall()
    except (UndefinedTable, UndefinedColumn) as error:
        made = connection.execute(QUERIES["has_tables"]).fetchone()
        if made is not None and made["made"]:  # else nothing was ever registered
            _logger.warning("MLflow's tables are not as they were, so it is asked: %s", error)
        return []
