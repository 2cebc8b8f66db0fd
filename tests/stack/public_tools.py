# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/verify.md, run as the page gives them, on a case taken apart."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
KEYS = "The keys, with cmp"
SIGNATURES = "Signatures, with openssl"
FILES = "The script and the case file, with sha256sum"
SUBJECTS = "That all statements are about this proposal"
CHECKPOINT = "The log's checkpoint, with openssl"
SIGSTORE = "Signatures again, with @sigstore/verify"
INCLUSION = "The place of each statement in the log, with Python"


def commands_of(heading: str) -> str:
    """Return the first fenced program below a heading of the page."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    match = re.search(r"```(?:bash|js|python)\n(.*?)```", section, re.DOTALL)
    assert match, f"no program under {heading!r}"
    return match[1]


def run(arguments: list[str], place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=place, capture_output=True, text=True, timeout=150, check=False
    )


def run_shell(heading: str, place: Path) -> subprocess.CompletedProcess[str]:
    return run(["bash", "-euo", "pipefail", "-c", commands_of(heading)], place)


def run_python(place: Path) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-I", "-c", commands_of(INCLUSION)], place)


def install_sigstore_verify(place: Path) -> None:
    """Install the packages that the page names, and write its program to `verify.mjs`."""
    assert shutil.which("npm"), "npm is missing: scripts/install-test-packages installs it"
    (packages,) = re.findall(r"`npm install (.*?)`", PAGE.read_text())
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    installed = run(["npm", "install", *flags, *packages.split()], place)
    assert installed.returncode == 0, installed.stderr
    (place / "verify.mjs").write_text(commands_of(SIGSTORE))
