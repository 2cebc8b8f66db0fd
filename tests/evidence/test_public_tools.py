# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of docs/verify.md, as they stand there, on a real case.

The tools are the system's openssl, coreutils and Python, and npm's @sigstore/verify.
"""

from pathlib import Path

import pytest

from evidence.verification import extract_case
from tests.stack.public_tools import (
    CHECKPOINT,
    FILES,
    SIGNATURES,
    SUBJECTS,
    install_sigstore_verify,
    run,
    run_python,
    run_shell,
)


@pytest.fixture
async def parts(office, tmp_path: Path) -> Path:
    """A whole case, taken apart."""
    await office.propose("prp_0")
    place = tmp_path / "parts"
    extract_case(await office.whole_case(), place)
    return place


@pytest.mark.parametrize("heading", [SIGNATURES, FILES, SUBJECTS, CHECKPOINT])
async def test_the_shell_commands_of_the_page_pass(parts: Path, heading: str) -> None:
    answer = run_shell(heading, parts)
    assert answer.returncode == 0, answer.stderr
    if heading == SIGNATURES:
        assert answer.stdout.splitlines() == ["Verified OK"] * 4


async def test_the_inclusion_program_of_the_page_passes(parts: Path) -> None:
    answer = run_python(parts)
    assert answer.returncode == 0, answer.stderr
    assert "03-verification is leaf 4 of 5 in eucora.local/audit" in answer.stdout


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("part", "heading"),
    [
        ("00-proposal/statement.json", SIGNATURES),
        ("03-verification/signature.der", SIGNATURES),
        ("files/remediate.sh", FILES),
        ("files/case.json", FILES),
        ("files/SHA256SUMS", FILES),
        ("00-proposal/statement.json", SUBJECTS),
        ("checkpoint.body", CHECKPOINT),
        ("checkpoint.sig", CHECKPOINT),
    ],
)
async def test_openssl_and_sha256sum_see_one_flipped_bit(
    parts: Path, part: str, heading: str
) -> None:
    flip(parts / part)
    assert run_shell(heading, parts).returncode != 0


@pytest.mark.parametrize("part", ["01-approval/entry.json", "02-execution/statement.json"])
async def test_the_inclusion_program_sees_one_flipped_bit(parts: Path, part: str) -> None:
    flip(parts / part)
    assert run_python(parts).returncode != 0


@pytest.mark.npm
async def test_sigstore_verify_accepts_the_bundles_and_sees_a_flipped_bit(parts: Path) -> None:
    install_sigstore_verify(parts)
    answer = run(["node", "verify.mjs"], parts)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "03-verification verified"
    bundle = parts / "02-execution" / "bundle.sigstore.json"
    statement = parts / "02-execution" / "statement.json"
    original = bundle.read_bytes()
    for forged in (
        original.replace(b'"sig":"ME', b'"sig":"MF'),
        original.replace(b"in-toto", b"in-tota"),
    ):
        assert forged != original
        bundle.write_bytes(forged)
        assert run(["node", "verify.mjs"], parts).returncode != 0
    bundle.write_bytes(original)
    statement.write_bytes(b"{}")
    assert run(["node", "verify.mjs"], parts).returncode != 0
