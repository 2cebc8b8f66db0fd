# SPDX-License-Identifier: Apache-2.0
"""`eucora verify` says how much it has proven: with keys, without, and of a changed case."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import UNPINNED, app
from evidence.verification import extract_case


@pytest.fixture
async def case(office, tmp_path: Path) -> Path:
    """A whole case as it is downloaded; the keys beside it are the right ones."""
    await office.propose("prp_0")
    content = await office.whole_case()
    extract_case(content, tmp_path / "parts")
    file = tmp_path / "prp_0.json"
    file.write_bytes(content)
    return file


async def verify(case: Path, *words: str) -> tuple[int, str]:
    ended = await asyncio.to_thread(CliRunner().invoke, app, ["verify", str(case), *words])
    return ended.exit_code, ended.stdout


def flip_a_bit(case: Path) -> None:
    content = bytearray(case.read_bytes())
    content[len(content) // 2] ^= 1
    case.write_bytes(content)


def keys_beside(case: Path) -> list[str]:
    parts = case.parent / "parts"
    return [
        "--evidence-key", str(parts / "evidence-key.pem"), "--log-key", str(parts / "log-key.pem"),
    ]  # fmt: skip


async def test_only_keys_from_outside_make_a_case_verified(case: Path) -> None:
    for words, conclusion in (([], UNPINNED), (keys_beside(case), "verified")):
        code, output = await verify(case, *words)
        assert code == 0
        *checks, last = output.splitlines()
        assert last == conclusion
        assert all(line.startswith("ok     ") for line in checks), "a line was wrapped"
        code, output = await verify(case, "--json", *words)
        report = json.loads(output)
        assert (code, report["passed"], report["conclusion"]) == (0, True, conclusion)
        assert report["pinned"] is (conclusion == "verified")


async def test_a_changed_case_is_not_verified_with_or_without_keys(case: Path) -> None:
    flip_a_bit(case)
    for words in ([], keys_beside(case)):
        code, output = await verify(case, *words)
        assert (code, output.splitlines()[-1]) == (1, "NOT verified")
