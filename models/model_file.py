# SPDX-License-Identifier: Apache-2.0
"""The file of a model: a skops archive, the same bytes for the same numbers, never a pickle.

skops names what it stores after memory addresses and the time of day. Here they are numbered in
the order in which they stand, so that a model's digest says what the model is: the same seed and
data give the same digest. Only scikit-learn's own types are trusted, whatever a file claims.
"""

import io
import json
import zipfile
from typing import Any

from models.errors import ModelArtifactError

FILE_NAME = "model.skops"
_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can state


def write_model(model: Any) -> bytes:
    """Return a scikit-learn estimator as the bytes of a skops archive."""
    from models.skops_runtime import dumps  # noqa: PLC0415 - slow import

    with zipfile.ZipFile(io.BytesIO(dumps(model))) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        names = _renumber(schema)
        contents = [(names[name], archive.read(name)) for name in names]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in [*contents, (_SCHEMA, json.dumps(schema, indent=1).encode())]:
            archive.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), content)
    return target.getvalue()


def read_model(content: bytes) -> Any:
    """Return the estimator in a skops archive.

    Raises:
        ModelArtifactError: it is no such archive, names types that are not trusted, or was written
            by library versions whose types these cannot build.
    """
    from models.skops_runtime import (  # noqa: PLC0415 - slow import
        UntrustedTypesFoundException,
        loads,
    )

    try:
        return loads(content, trusted=[])
    except UntrustedTypesFoundException as error:
        message = "the model file names types that are not trusted"
        raise ModelArtifactError(message) from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        message = "the model file is not a skops archive"
        raise ModelArtifactError(message) from error
    except Exception as error:  # the file says which code builds its types: any error is its own
        message = (
            f"the model file cannot be built with the installed libraries ({type(error).__name__}:"
            f" {error}); train this model again with them"
        )
        raise ModelArtifactError(message) from error


def _renumber(schema: dict[str, Any]) -> dict[str, str]:
    """Number nodes and files in the order of the schema; return the files' new names by old ones.

    Plain values get numbers of their own: whether two of them were one object says nothing.
    """
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    n_nodes = 0
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("__id__"), int):
                n_nodes += 1
                is_plain = node.get("__loader__") == "JsonNode"
                known = n_nodes if is_plain else numbers.setdefault(node["__id__"], n_nodes)
                node["__id__"] = known
            if isinstance(name := node.get("file"), str):
                suffix = name.rpartition(".")[2]
                node["file"] = files.setdefault(name, f"{len(files) + 1}.{suffix}")
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))
    return files
