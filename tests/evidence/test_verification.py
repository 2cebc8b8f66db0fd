# SPDX-License-Identifier: Apache-2.0
"""Case files: a good one passes, and no changed one does."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.canonical import canonical_json
from evidence.errors import MalformedCaseError, NotSequencedError, UnknownBundleError
from evidence.export import export_case
from evidence.signing import public_pem
from evidence.verification import VerificationReport, extract_case, verify_case
from kernel.keys import KeyStore


def failed(report: VerificationReport) -> set[str]:
    return {check.name.split()[0] for check in report.checks if not check.passed}


def changed(content: bytes, change: Any) -> bytes:
    document = json.loads(content)
    change(document)
    return canonical_json(document)


async def test_a_whole_case_passes(office) -> None:
    content = await office.whole_case()
    report = verify_case(content, office.trusted_keys())
    assert report.passed, report.checks
    assert report.pinned
    assert len(report.checks) == 6 + 3 * 4
    assert report.checks[-1].detail == "proposal -> approval -> execution -> verification"


async def test_without_trusted_keys_the_report_says_so(office) -> None:
    report = verify_case(await office.whole_case())
    assert report.passed
    assert not report.pinned
    assert "NOT compared" in report.checks[1].detail


async def test_keys_of_another_installation_fail(office, tmp_path: Path) -> None:
    content = await office.whole_case()
    stranger = KeyStore(tmp_path / "stranger")
    evidence_pem = public_pem(stranger.evidence_key().public_key())
    log_pem = public_pem(stranger.log_key().public_key())
    trusted = office.trusted_keys()
    for wrong in (
        replace(trusted, evidence_public_key_pem=evidence_pem),
        replace(trusted, log_public_key_pem=log_pem),
        replace(trusted, log_origin="example.org/log"),
        replace(trusted, log_public_key_pem="no key"),
    ):
        assert failed(verify_case(content, wrong)) == {"keys"}


async def test_a_case_signed_again_by_a_stranger_fails(office, tmp_path: Path) -> None:
    content = await office.whole_case()
    stranger = KeyStore(tmp_path / "stranger")
    forged = changed(
        content,
        lambda case: case.update(
            evidence_public_key_pem=public_pem(stranger.evidence_key().public_key())
        ),
    )
    assert failed(verify_case(forged)) == {"signature"}


async def test_every_flipped_bit_fails(office) -> None:
    content = await office.whole_case()
    assert verify_case(content, office.trusted_keys()).passed

    @settings(
        max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(position=st.integers(0, len(content) - 1), bit=st.integers(0, 7))
    def flip(position: int, bit: int) -> None:
        forged = bytearray(content)
        forged[position] ^= 1 << bit
        for trusted in (None, office.trusted_keys()):
            assert not verify_case(bytes(forged), trusted).passed

    flip()


async def test_changed_parts_are_named(office) -> None:
    content = await office.whole_case()
    script = base64.b64encode(b"rm -rf /\n").decode()

    def drop_approval(case: dict[str, Any]) -> None:
        del case["statements"][1]

    def drop_execution(case: dict[str, Any]) -> None:
        del case["statements"][2]

    def swap(case: dict[str, Any]) -> None:
        case["statements"][1:3] = reversed(case["statements"][1:3])

    def swap_logs(case: dict[str, Any]) -> None:
        one, two = case["statements"][1], case["statements"][2]
        one["log"], two["log"] = two["log"], one["log"]

    def set_files(**files: str) -> Any:
        return lambda case: case["files"].update(files)

    for change, names in (
        (set_files(**{"remediate.sh": script}), {"files"}),
        (set_files(**{"more.sh": script}), {"files"}),
        (lambda case: case["files"].pop("detect.sh"), {"files"}),
        (lambda case: case.update(proposal_id="prp_9"), {"subjects", "log"}),
        (drop_approval, {"order"}),
        (drop_execution, {"order"}),
        (swap, {"order"}),
        (swap_logs, {"log", "order"}),
        (lambda case: case["statements"][0]["log"]["hashes"].pop(), {"inclusion"}),
        (lambda case: case["statements"].pop(0), {"subjects", "files", "log"}),
        (lambda case: case["statements"][0].update(digest="0" * 64), {"signature"}),
        (lambda case: case.update(checkpoint=case["checkpoint"] + "x"), {"checkpoint"}),
        (lambda case: case.update(extra=1), {"format"}),
    ):
        found = failed(verify_case(changed(content, change), office.trusted_keys()))
        assert names <= found, (names, found)


async def test_a_rejected_proposal_must_not_have_been_executed(office) -> None:
    proposal = await office.propose()
    await office.state("approval", proposal.digest, decision="reject")
    assert verify_case(await office.export()).passed
    await office.state("execution", proposal.digest, outcome="succeeded")
    assert failed(verify_case(await office.export())) == {"order"}


async def test_half_a_quorum_is_no_approval(office) -> None:
    proposal = await office.propose()
    for count in (1, 2):
        quorum = {"required": 2, "given": count}
        await office.state("approval", proposal.digest, decision="approve", quorum=quorum)
    await office.state("execution", proposal.digest, outcome="succeeded")
    content = await office.export()
    assert verify_case(content).passed
    case = json.loads(content)
    del case["statements"][2]  # the second approval
    assert failed(verify_case(canonical_json(case))) == {"order"}


async def test_each_step_needs_the_one_that_it_rests_on(office) -> None:
    proposal = await office.propose()
    digest = proposal.digest
    approval = await office.state("approval", digest, decision="approve")
    named = {"approval_digest": approval.digest}
    await office.state("execution", digest, job_id="job_1", kind="remediate", **named)
    await office.state("verification", digest, job_id="job_1", status="fails")
    await office.state("execution", digest, job_id="job_2", kind="rollback", **named)
    content = await office.export()
    assert verify_case(content, office.trusted_keys()).passed
    for without, passes in (
        ((2,), False),  # the verification judges another job than the rollback's
        ((2, 3), False),  # a rollback of nothing
        ((3,), True),  # a rollback may be asked for by a person
        ((4,), True),  # that nothing was left out at the end, a file cannot prove
        ((3, 4), True),
        ((2, 3, 4), True),
        ((1, 2, 3, 4), True),
        ((1,), False),
    ):
        case = json.loads(content)
        for number in reversed(without):
            del case["statements"][number]
        report = verify_case(canonical_json(case), office.trusted_keys())
        assert failed(report) == (set() if passes else {"order"}), without


async def test_a_refused_job_is_an_execution_without_a_verification(office) -> None:
    proposal = await office.propose()
    await office.state("approval", proposal.digest, decision="approve")
    refused = {"job_id": "job_1", "kind": "remediate", "receipt": {"outcome": "refused"}}
    await office.state("execution", proposal.digest, **refused)
    assert verify_case(await office.export(), office.trusted_keys()).passed


async def test_an_execution_names_the_approval_that_it_rests_on(office) -> None:
    proposal = await office.propose()
    await office.state("approval", proposal.digest, decision="approve")
    await office.state("execution", proposal.digest, job_id="job_1", approval_digest="a" * 64)
    assert failed(verify_case(await office.export())) == {"order"}


async def test_an_abstention_without_scripts_verifies(office) -> None:
    await office.propose(script_files={})
    assert verify_case(await office.export(), office.trusted_keys()).passed


async def test_only_sequenced_cases_are_exported(office) -> None:
    parts = {"objects": office.objects, "log": office.log, "key_store": office.key_store}
    with pytest.raises(UnknownBundleError):
        await export_case(office.connection, "prp_1", **parts)
    proposal = await office.propose()
    with pytest.raises(NotSequencedError):
        await export_case(office.connection, "prp_1", **parts)
    await office.export()
    await office.state("approval", proposal.digest)
    with pytest.raises(NotSequencedError):
        await export_case(office.connection, "prp_1", **parts)


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_noise_fails_and_never_raises(content: bytes) -> None:
    assert failed(verify_case(content)) == {"format"}


@pytest.mark.parametrize(
    "content", [b"null", b"{}", b"[" * 100_000, b'{"format":"https://eucora.dev/case/v1"}']
)
def test_other_json_fails(content: bytes, tmp_path: Path) -> None:
    assert failed(verify_case(content)) == {"format"}
    with pytest.raises(MalformedCaseError):
        extract_case(content, tmp_path)


async def test_extraction_stays_below_its_directory(office, tmp_path: Path) -> None:
    content = await office.whole_case()
    place = tmp_path / "parts"
    written = extract_case(content, place)
    assert all(path.is_relative_to(place) and path.is_file() for path in written)
    assert (place / "00-proposal" / "statement.json").is_file()
    hostile = changed(content, lambda case: case["files"].update({"../../up.sh": "AA=="}))
    with pytest.raises(Exception, match="safe file name"):
        extract_case(hostile, tmp_path / "hostile")
    assert not (tmp_path / "hostile").exists()
