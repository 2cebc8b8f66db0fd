# SPDX-License-Identifier: Apache-2.0
"""Named SQL queries, kept in `<package>/sql/<name>.sql` beside the module that uses them.

An entry is a line `-- name: find_device`, one line of description, and one statement with
`%(name)s` parameters. The text is part of the program, hence its type: LiteralString.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import LiteralString, cast

from kernel.errors import QueryFileError

_NAME_LINE = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


def load_queries(package_file: str, name: str) -> Mapping[str, LiteralString]:
    """Read the queries of one file.

    Args:
        package_file: `__file__` of a module of the package.
        name: the file's name without `.sql`.

    Raises:
        QueryFileError: the file has no entries, a name occurs twice, an entry lacks its
            description or its statement.
    """
    path = Path(package_file).parent / "sql" / f"{name}.sql"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise QueryFileError(f"cannot read {path.name}") from error
    _, *pieces = _NAME_LINE.split(text)
    queries: dict[str, LiteralString] = {}
    for query_name, body in zip(pieces[::2], pieces[1::2], strict=True):
        first, _, statement = body.lstrip("\n").partition("\n")
        if not first.startswith("-- ") or not statement.strip().rstrip(";"):
            raise QueryFileError(f"{path.name}: {query_name} needs a description and a statement")
        if query_name in queries:
            raise QueryFileError(f"{path.name}: {query_name} occurs twice")
        queries[query_name] = cast("LiteralString", statement.strip().rstrip(";"))
    if not queries:
        raise QueryFileError(f"{path.name}: no named query")
    return MappingProxyType(queries)
