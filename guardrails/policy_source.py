# SPDX-License-Identifier: Apache-2.0
"""The text of a policy version: its Rego files and the cases that they must decide.

The digest is of the Rego files alone: it names what decides. Cases travel with them, so that a
stored version can be tested as its author meant it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from contracts.canonical import digest_of
from guardrails.errors import PolicyLoadError

POLICIES_DIR: Final = Path(__file__).with_name("policies")  # those that a release ships
MAX_FILES = 50
MAX_BYTES = 512 * 1024
CASES_FOLDER = "cases"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}\.(?:rego|yaml)")


@dataclass(frozen=True, kw_only=True)
class PolicySource:
    """Rego by file name, and tables of cases (YAML) by file name."""

    files: Mapping[str, str]
    cases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the Rego files by name."""
        return digest_of(dict(self.files))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON value that is signed and stored."""
        return {"cases": dict(self.cases), "files": dict(self.files)}


def read_folder(folder: Path) -> PolicySource:
    """Return the policies of a folder: its `*.rego` files and the `*.yaml` below `cases/`.

    Raises:
        PolicyLoadError: there are none, or they cannot be read.

    """
    files = _read_files(folder, "*.rego")
    if not files:
        raise PolicyLoadError(f"no policy in {folder}: it holds no *.rego file")
    return check_source(
        PolicySource(files=files, cases=_read_files(folder / CASES_FOLDER, "*.yaml"))
    )


def _read_files(folder: Path, pattern: str) -> dict[str, str]:
    texts = {}
    try:
        for path in sorted(folder.glob(pattern)):
            if not path.is_file():
                raise PolicyLoadError(
                    f"{path.name} is no file, but {_describe_other(path)}: take it away, or put the"
                    " policy's text there"
                )
            texts[path.name] = path.read_text(encoding="utf-8-sig")  # editors add the mark unseen
    except UnicodeDecodeError as error:
        raise PolicyLoadError(
            f"{path.name} is not UTF-8 text (its byte {error.start + 1} is"
            f" 0x{error.object[error.start]:02x}): save it as UTF-8"
        ) from error
    except OSError as error:
        raise PolicyLoadError(f"cannot read the policies in {folder}: {error}") from error
    return texts


def _describe_other(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a link to nothing" if path.is_symlink() else "something else"


def parse_source(document: Any) -> PolicySource:
    """Return the policies that a stored JSON value states.

    Raises:
        PolicyLoadError: it is not what `PolicySource.as_json` returns.

    """
    try:
        source = PolicySource(files=dict(document["files"]), cases=dict(document["cases"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyLoadError("a stored policy is not in the form in which it is stored") from error
    if not source.files or set(document) != {"files", "cases"}:
        raise PolicyLoadError("a stored policy has no files, or more than files and cases")
    return check_source(source)


def check_source(source: PolicySource) -> PolicySource:
    """Return policies whose names are plain and whose size is bounded.

    Raises:
        PolicyLoadError: they are not.

    """
    texts = {**source.files, **source.cases}
    for name, text in texts.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(text, str):
            raise PolicyLoadError(f"{str(name)[:80]!r} is not the name of a policy's file")
    if not all(name.endswith(".rego") for name in source.files):
        raise PolicyLoadError("a policy is a *.rego file")
    if len(texts) > MAX_FILES or sum(map(len, texts.values())) > MAX_BYTES:
        raise PolicyLoadError(f"policies have at most {MAX_FILES} files and {MAX_BYTES} characters")
    return source
