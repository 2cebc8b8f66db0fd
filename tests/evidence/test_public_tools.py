# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of docs/verify.md, as they stand there, on a real case.

The tools are the system's openssl, coreutils and Python, and npm's @sigstore/verify.
"""

import shutil
from pathlib import Path

import pytest

from evidence.verification import extract_case
from tests.stack.public_tools import (
    CHECKPOINT,
    FILES,
    KEYS,
    SIGNATURES,
    SUBJECTS,
    commands_of,
    install_sigstore_verify,
    run,
    run_python,
    run_shell,
)

GIVEN = ("evidence-key.pem", "log-key.pem")
LATER = ("01-approval", "02-execution", "03-verification")


@pytest.fixture
async def parts(office, tmp_path: Path) -> Path:
    """A whole case, taken apart, beside the keys that somebody was given."""
    await office.propose("prp_0")
    given, place = tmp_path / "case" / "keys", tmp_path / "case" / "parts"
    extract_case(await office.whole_case(), place)
    given.mkdir()
    for name in GIVEN:
        shutil.copy(place / name, given)
    return place


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        (
            KEYS,
            ["evidence-key.pem is the key you were given", "log-key.pem is the key you were given"],
        ),
        (SIGNATURES, ["Verified OK"] * 4),
        (FILES, ["case.json is what was signed", "remediate.sh is what was signed"]),
        (SUBJECTS, [f"{folder} is about this proposal" for folder in LATER]),
        (CHECKPOINT, ["Signature Verified Successfully"]),
    ],
)
async def test_the_shell_commands_of_the_page_pass_and_say_so(
    parts: Path, heading: str, said: list[str]
) -> None:
    answer = run_shell(heading, parts)
    assert answer.returncode == 0, answer.stderr
    assert set(said) <= set(answer.stdout.splitlines())


@pytest.mark.parametrize(
    ("part", "heading", "complaint"),
    [
        ("log-key.pem", KEYS, "log-key.pem is NOT the key you were given"),
        ("00-proposal/statement.json", FILES, "remediate.sh is NOT what was signed"),
        ("02-execution/statement.json", SUBJECTS, "02-execution is NOT about this proposal"),
    ],
)
@pytest.mark.parametrize("flags", ["-euo", "+e"])
async def test_a_difference_is_said_and_ends_with_an_error(
    parts: Path, part: str, heading: str, complaint: str, flags: str
) -> None:
    """Also in a shell as people use it, which goes on after an error."""
    changed = (parts / part).read_text().replace("remediate.sh", "other.sh")
    (parts / part).write_text(changed.replace('"name":"proposal"', '"name":"else"') + "\n")
    options = [flags, "pipefail"] if flags == "-euo" else [flags]
    answer = run(["bash", *options, "-c", commands_of(heading)], parts)
    assert answer.returncode == 1
    assert complaint in answer.stderr


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
