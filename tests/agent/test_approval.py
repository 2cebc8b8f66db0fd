# SPDX-License-Identifier: Apache-2.0
"""An approval approves one job: not other bytes, parameters, another proposal or device.

Every job here is signed with the real job key and points at a genuine, logged approval: all that
somebody who stole the job key can do.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.errors import RefusalError
from agent.verification import Memory, Trust, check_job
from contracts.canonical import canonical_json, digest_of, sha256_hex
from contracts.job import RefusalReason
from tests.fakes.job_issuer import ORIGIN, JobIssuer

STEPS = {"detect": "exit 0", "remediate": "exit 0", "verify": "exit 0"}
ISSUER = JobIssuer()
OLD = ISSUER.payload(STEPS)
EVIDENCE = (
    "proposal_id",
    "bundle_digest",
    "approval_digest",
    "inclusion",
    "evidence",
    "expires_at",
)


def detail_of(payload: dict[str, Any]) -> str:
    """Return why the device refuses a job for want of an approval."""
    with pytest.raises(RefusalError) as caught:
        accept(payload)
    assert caught.value.reason is RefusalReason.APPROVAL_MISMATCH
    return caught.value.detail


def accept(payload: dict[str, Any], device_id: str = "dev_1") -> None:
    check_job(
        ISSUER.sign(payload),
        trust=Trust(
            device_id=device_id,
            job_key=ISSUER.job_key.public_key(),
            log_key=ISSUER.log_key.public_key(),
            log_origin=ORIGIN,
        ),
        memory=Memory(last_sequence=0, checkpoint=None),
        now=datetime.now(UTC),
        interpreters=("bash", "python"),
    )


def step(text: str) -> dict[str, str]:
    content = text.encode()
    return {
        "content_base64": base64.b64encode(content).decode(),
        "sha256": sha256_hex(content),
    }


def _other_bytes(payload: dict[str, Any]) -> None:
    payload["steps"] = payload["steps"] | {"remediate": step("rm -rf /")}


def _one_step_more(payload: dict[str, Any]) -> None:
    payload["steps"] = payload["steps"] | {"rollback": step("rm -rf /")}


def _one_step_less(payload: dict[str, Any]) -> None:
    payload["steps"] = {"remediate": payload["steps"]["remediate"]}


def _swapped_steps(payload: dict[str, Any]) -> None:
    payload["steps"] = payload["steps"] | {"remediate": step("true"), "verify": step("exit 0")}


def _other_parameters(payload: dict[str, Any]) -> None:
    payload["parameters"] = {"path": "/etc", "force": True}
    payload["parameters_sha256"] = digest_of(payload["parameters"])


def _other_proposal(payload: dict[str, Any]) -> None:
    payload["proposal_id"] = "prop_2"


def _other_script(payload: dict[str, Any]) -> None:
    payload["script_sha256"] = "0" * 64


def _longer_life(payload: dict[str, Any]) -> None:
    payload["expires_at"] = (datetime.now(UTC) + timedelta(days=9)).isoformat()


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (_other_bytes, "the steps are not"),
        (_one_step_more, "the steps are not"),
        (_one_step_less, "the steps are not"),
        (_swapped_steps, "the steps are not"),
        (_other_parameters, "the parameters are not"),
        (_other_proposal, "subject_id"),
        (_other_script, "sha256"),
        (_longer_life, "later than its approval"),
    ],
)
def test_an_old_approval_is_not_one_of_a_changed_job(
    change: Callable[[dict[str, Any]], None], detail: str
) -> None:
    accept(OLD)
    payload = dict(OLD)
    change(payload)
    assert detail in detail_of(payload)


def test_an_approval_for_another_device_approves_nothing_here() -> None:
    ISSUER.device_id = "dev_2"
    try:
        others = ISSUER.payload(STEPS)
    finally:
        ISSUER.device_id = "dev_1"
    accept(others, "dev_2")
    assert "device_id" in detail_of(others | {"device_id": "dev_1"})


def test_evidence_of_two_proposals_cannot_be_mixed() -> None:
    other = ISSUER.payload(STEPS, parameters={"path": "/etc"})
    accept(other)
    mixed = dict(other) | {name: OLD[name] for name in EVIDENCE}
    assert "the parameters are not" in detail_of(mixed)
    for name in OLD["evidence"]:
        evidence = OLD["evidence"] | {name: other["evidence"][name]}
        assert "digest" in detail_of(OLD | {"evidence": evidence})


@pytest.mark.parametrize("text", ["", "!", "AAAA", base64.b64encode(b"[]").decode()])
@pytest.mark.parametrize("name", ["approval_base64", "proposal_base64", "case_base64"])
def test_evidence_that_is_no_evidence_is_refused(name: str, text: str) -> None:
    detail_of(OLD | {"evidence": OLD["evidence"] | {name: text}})


@pytest.mark.parametrize(
    "change",
    [
        {"subject_kind": "job"},
        {"action": "execution.sealed"},
        {"device_id": None},
        {"subject_id": "prop_9"},
        {"evidence": None},
    ],
)
def test_an_entry_that_is_no_sealed_approval_of_this_job_is_refused(change: dict[str, Any]) -> None:
    entry = json.loads(base64.b64decode(OLD["inclusion"]["leaf_entry_base64"])) | change
    inclusion = ISSUER.prove(ISSUER.append(entry))
    assert next(iter(change)) in detail_of(OLD | {"inclusion": inclusion})


@pytest.mark.parametrize(
    "change",
    [{"decision": "reject"}, {"expires_at": None}, {"expires_at": "soon"}, {"proposal_id": "x"}],
)
def test_a_logged_statement_that_is_no_approval_is_refused(change: dict[str, Any]) -> None:
    statement = json.loads(base64.b64decode(OLD["evidence"]["approval_base64"]))
    statement["predicate"] |= change
    assert detail_of(with_approval(statement))


def test_a_statement_of_another_kind_is_refused() -> None:
    statement = json.loads(base64.b64decode(OLD["evidence"]["approval_base64"]))
    statement["predicateType"] = statement["predicateType"].replace("approval", "execution")
    assert "predicateType" in detail_of(with_approval(statement))


def test_a_rollback_may_come_after_the_approval_has_ended() -> None:
    payload = ISSUER.payload(STEPS | {"rollback": "exit 0"}, kind="rollback")
    _longer_life(payload)
    accept(payload)


def with_approval(statement: dict[str, Any]) -> dict[str, Any]:
    """Log another statement in the approval's place."""
    content = canonical_json(statement)
    digest = sha256_hex(content)
    entry = json.loads(base64.b64decode(OLD["inclusion"]["leaf_entry_base64"]))
    entry["evidence"] = [digest, OLD["bundle_digest"]]
    return OLD | {
        "approval_digest": digest,
        "inclusion": ISSUER.prove(ISSUER.append(entry)),
        "evidence": OLD["evidence"] | {"approval_base64": base64.b64encode(content).decode()},
    }
