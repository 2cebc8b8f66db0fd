# SPDX-License-Identifier: Apache-2.0
"""Each check refuses what it must, and the order of checks leaves no way around."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusalError
from agent.verification import (
    Memory,
    Trust,
    VerifiedJob,
    check_consistency,
    check_job,
    consistency_range,
    restore_job,
)
from contracts.canonical import canonical_json, digest_of, sha256_hex
from contracts.dsse import seal
from contracts.job import RefusalReason
from tests.fakes.job_issuer import ORIGIN, JobIssuer, consistency_path

STEPS = {"detect": "exit 0", "remediate": "exit 0", "rollback": "exit 0"}
ISSUER = JobIssuer()
PAYLOAD = ISSUER.payload(STEPS)
ENVELOPE = ISSUER.sign(PAYLOAD)
NEW = Memory(last_sequence=0, checkpoint=None)


def trust_of(issuer: JobIssuer, device_id: str = "dev_1") -> Trust:
    return Trust(
        device_id=device_id,
        job_key=issuer.job_key.public_key(),
        log_key=issuer.log_key.public_key(),
        log_origin=ORIGIN,
    )


def check(
    envelope: bytes,
    *,
    issuer: JobIssuer = ISSUER,
    memory: Memory = NEW,
    interpreters: tuple[str, ...] = ("bash", "python"),
) -> VerifiedJob:
    return check_job(
        envelope,
        trust=trust_of(issuer),
        memory=memory,
        now=datetime.now(UTC),
        interpreters=interpreters,
    )


def reason_of(envelope: bytes, **options: Any) -> RefusalReason:
    with pytest.raises(RefusalError) as caught:
        check(envelope, **options)
    return caught.value.reason


def test_a_sound_job_passes() -> None:
    verified = check(ENVELOPE)
    assert verified.contents["remediate"] == b"exit 0"
    assert verified.envelope_sha256 == sha256_hex(ENVELOPE)


def _change_step(payload: dict[str, Any]) -> None:
    content = base64.b64encode(b"exit 1").decode()
    step = payload["steps"]["remediate"] | {"content_base64": content}
    payload["steps"] = payload["steps"] | {"remediate": step}


def _change_inclusion(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(payload: dict[str, Any]) -> None:
        payload["inclusion"] = payload["inclusion"] | changes

    return change


def _set(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda payload: payload.update(changes)


def _foreign_approval(payload: dict[str, Any]) -> None:
    """The approval of another bundle, correctly logged and proved."""
    other = ISSUER.payload(STEPS)
    payload["inclusion"] = other["inclusion"]


def _other_event(payload: dict[str, Any]) -> None:
    evidence = [payload["approval_digest"], payload["bundle_digest"]]
    ISSUER.append({"action": "approval.refused", "evidence": evidence})
    index = len(ISSUER.entries) - 1
    payload["inclusion"] = ISSUER.prove(index)


PAST = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()


def _set_parameters(parameters: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Replace the parameters, with the right digest."""
    return _set(parameters=parameters, parameters_sha256=digest_of(parameters))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set(device_id="dev_2"), "wrong_device"),
        (_set(expires_at=PAST), "expired"),
        (_set(sequence=0), "malformed"),
        (_set(kind="rollback", steps={}), "malformed"),
        (_set(schema_version=2), "malformed"),
        (_set(surprise=1), "malformed"),
        (_set(timeout_seconds=4000), "malformed"),
        (_set(parameters={"path": "/etc"}), "parameters_mismatch"),
        (_set_parameters({"A=B": "x"}), "parameters_mismatch"),
        (_set_parameters({"a": "x\0y"}), "parameters_mismatch"),
        (_set_parameters({"path": "x" * 9000}), "parameters_mismatch"),
        (_change_step, "digest_mismatch"),
        (_change_inclusion(leaf_index=0), "not_in_log"),
        (_change_inclusion(tree_size=99), "not_in_log"),
        (_change_inclusion(hashes=[]), "not_in_log"),
        (_change_inclusion(checkpoint="x"), "not_in_log"),
        (_change_inclusion(leaf_entry_base64="!"), "not_in_log"),
        (_foreign_approval, "approval_mismatch"),
        (_other_event, "approval_mismatch"),
        (_set(bundle_digest="0" * 64), "approval_mismatch"),
        (_set(approval_digest="0" * 64), "approval_mismatch"),
        (_set(interpreter="python"), "approval_mismatch"),
        (_set(job_id="job of Jane"), "malformed"),
    ],
)
def test_a_correctly_signed_but_wrong_job_is_refused(
    change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    payload = dict(PAYLOAD)
    change(payload)
    assert reason_of(ISSUER.sign(payload)) == reason


def test_foreign_keys_are_refused() -> None:
    stranger = Ed25519PrivateKey.generate()
    assert reason_of(ISSUER.sign(PAYLOAD, stranger)) is RefusalReason.BAD_SIGNATURE
    other = JobIssuer()
    other.job_key = ISSUER.job_key
    assert reason_of(other.issue(STEPS)) is RefusalReason.NOT_IN_LOG


def test_other_payload_types_and_sizes_are_malformed() -> None:
    typed = seal(
        payload_type="text/plain",
        payload=canonical_json(PAYLOAD),
        key_id="job",
        sign=ISSUER.job_key.sign,
    )
    assert reason_of(typed) is RefusalReason.MALFORMED
    for content in (b"", b"[]", b"{" * 5000, b"x" * (9 * 2**20), b"\xff\xfe", b"null"):
        assert reason_of(content) is RefusalReason.MALFORMED


def test_a_script_that_this_device_cannot_start_is_refused() -> None:
    reason = reason_of(ENVELOPE, interpreters=("python",))
    assert reason is RefusalReason.UNSUPPORTED_INTERPRETER


def test_a_journaled_job_is_verified_again_before_anything_undoes_it() -> None:
    trust, digest = trust_of(ISSUER), sha256_hex(ENVELOPE)
    assert restore_job(ENVELOPE, digest, trust).contents == check(ENVELOPE).contents
    exchanged = ISSUER.issue({"remediate": "exit 0", "rollback": "exit 1"})
    forged = ISSUER.sign(PAYLOAD, Ed25519PrivateKey.generate())
    parameters = dict(PAYLOAD) | {"parameters": {"path": "/etc"}}
    changed = ISSUER.sign(parameters)
    for envelope, stated, reason in (
        (exchanged, digest, "malformed"),
        (b"", digest, "malformed"),
        (forged, sha256_hex(forged), "bad_signature"),
        (changed, sha256_hex(changed), "parameters_mismatch"),
    ):
        with pytest.raises(RefusalError) as caught:
            restore_job(envelope, stated, trust)
        assert caught.value.reason == reason


def test_a_passed_sequence_is_a_replay() -> None:
    memory = Memory(last_sequence=PAYLOAD["sequence"], checkpoint=None)
    assert reason_of(ENVELOPE, memory=memory) is RefusalReason.REPLAYED


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing(position: int, bit: int) -> None:
    """Base64 padding bits and the key id are not signed; they must not matter either."""
    changed = bytearray(ENVELOPE)
    changed[position] ^= 1 << bit
    try:
        verified = check(bytes(changed))
    except RefusalError:
        return
    assert verified.job == check(ENVELOPE).job


@given(st.binary(max_size=200))
def test_noise_is_malformed(content: bytes) -> None:
    assert reason_of(content) is RefusalReason.MALFORMED


@given(st.integers(1, 24), st.integers(0, 8), st.data())
def test_logs_that_grew_are_consistent_and_rewritten_ones_are_not(
    n_first: int, n_more: int, data: st.DataObject
) -> None:
    issuer = JobIssuer()
    for number in range(n_first):
        issuer.append({"number": number})
    memory = Memory(last_sequence=0, checkpoint=issuer.checkpoint())
    for number in range(n_more):
        issuer.append({"more": number})
    verified = check(issuer.issue(STEPS), issuer=issuer, memory=memory)
    trust = trust_of(issuer)
    sizes = consistency_range(memory, verified.checkpoint, trust)
    assert sizes == (n_first + 1, len(issuer.entries))
    proof = consistency_path(sizes[0], issuer.entries)
    note = check_consistency(memory, verified, trust, proof)
    assert note == verified.job.inclusion.checkpoint

    # The other way round: the job waited while the log grew; the memory keeps the larger note.
    grown = Memory(last_sequence=0, checkpoint=note)
    late = JobIssuer()
    late.__dict__.update(issuer.__dict__)
    late.append({"later": 1})
    larger = Memory(last_sequence=0, checkpoint=late.checkpoint())
    back = consistency_range(larger, verified.checkpoint, trust)
    assert back is not None
    kept = check_consistency(larger, verified, trust, consistency_path(back[0], late.entries))
    assert kept == larger.checkpoint
    assert consistency_range(grown, verified.checkpoint, trust) is None
    assert check_consistency(grown, verified, trust, []) == note

    rewritten = data.draw(st.integers(0, n_first))
    issuer.entries[rewritten] = b"{}"
    forged = check(issuer.issue(STEPS), issuer=issuer, memory=memory)
    sizes = consistency_range(memory, forged.checkpoint, trust)
    assert sizes is not None
    with pytest.raises(RefusalError) as caught:
        check_consistency(memory, forged, trust, consistency_path(sizes[0], issuer.entries))
    assert caught.value.reason is RefusalReason.INCONSISTENT_LOG
