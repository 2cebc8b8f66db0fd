# SPDX-License-Identifier: Apache-2.0
"""A person's own choice: a new bundle linked to the first, or a clear error and no change."""

from typing import Any

import pytest

from governance.approval_terms import Replacement
from governance.decision_checks import ApprovalRequest
from reasoning.errors import OverrideError
from tests.reasoning.situations import (
    FULL_DISK,
    enrol,
    find_outcome,
    only_outcome,
    query,
    report,
    work,
)


@pytest.fixture
async def parent(services):
    """The pending proposal for a full disk."""
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    return await only_outcome(services, "dev-disk")


async def override(services, parent, script_id: str, parameters: dict[str, Any]):
    """Put another script or other parameters in the parent's place."""
    clock = services.ground.clock
    async with services.ground.pool.connection() as connection:
        decided = await services.approvals.override(
            connection,
            ApprovalRequest(
                proposal_id=parent.proposal.proposal_id,
                bundle_digest=parent.proposal.bundle_digest,
                approver="grace",
                roles=frozenset({"approver"}),
                session_authenticated_at=clock.now(),
                correlation_id="cor_override",
                reason="the logs are the cause",
            ),
            Replacement(script_id=script_id, script_version=None, parameters=parameters),
        )
    return await find_outcome(services, decided.replacement_proposal_id)


async def test_another_script_becomes_a_new_bundle_linked_to_the_first(services, parent):
    assert parent.proposal.script_id != "linux-shrink-oversized-logs"
    chosen = await override(
        services, parent, "linux-shrink-oversized-logs", {"limit_mebibytes": 64}
    )
    proposal = chosen.proposal
    assert proposal.parent_proposal_id == parent.proposal.proposal_id
    assert chosen.case["parent_proposal_id"] == parent.proposal.proposal_id
    assert proposal.bundle_digest != parent.proposal.bundle_digest
    assert proposal.parameters == {"limit_mebibytes": 64, "keep_mebibytes": 20}
    assert (proposal.requested_by, proposal.status) == ("grace", "pending")
    assert proposal.target_device_id == "dev-disk"
    before = await find_outcome(services, parent.proposal.proposal_id)
    assert before.proposal.status == "overridden"
    rank = [item["script_id"] for item in chosen.case["candidates"]].index(proposal.script_id) + 1
    assert f"was chosen by a person and ranks {rank} of" in proposal.explanation[-1]["sentence"]


async def test_other_parameters_alone_make_a_new_bundle(services, parent):
    chosen = await override(services, parent, "linux-clean-package-cache", {"minimum_mebibytes": 1})
    assert chosen.proposal.parameters["minimum_mebibytes"] == 1
    assert chosen.case["parameters"] == chosen.proposal.parameters


async def test_a_script_that_was_no_candidate_keeps_its_history(services, parent):
    script_id = "linux-rebuild-certificate-store"  # outcomes count by version: of the parent's
    assert script_id not in {item["script_id"] for item in parent.case["candidates"]}
    (script,) = await query(services, "SELECT version FROM scripts WHERE script_id = %s", script_id)
    assert script["version"] == parent.proposal.script_version
    async with services.ground.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO labels (label_id, kind, incident_id, proposal_id, script_id, label,"
            " actor, created_at) SELECT 'lbl_' || n, 'outcome', %s, %s, %s, 'failed',"
            " 'system:verification', now() FROM generate_series(1, 6) AS n",
            (parent.proposal.incident_id, parent.proposal.proposal_id, script_id),
        )
    chosen = await override(services, parent, script_id, {})
    known = next(item for item in chosen.case["candidates"] if item["script_id"] == script_id)
    assert known["n_failed"] == 6
    history = next(item for item in chosen.case["risk"]["factors"] if item["name"] == "history")
    assert history["value"] >= 80
    assert "it worked in 0 of 6 earlier cases" in chosen.proposal.explanation[-1]["sentence"]


@pytest.mark.parametrize(
    ("script_id", "parameters", "message"),
    [
        ("linux-no-such-script", {}, "no script linux-no-such-script in force"),
        ("windows-clear-temporary-files", {}, "is not for linux"),
        (
            "linux-shrink-oversized-logs",
            {"limit_mebibytes": 0},
            r"limit_mebibytes must be an integer in \[1, 100000\]",
        ),
        (
            "linux-shrink-oversized-logs",
            {"limit_mebibytes": "500; rm -rf /"},
            "limit_mebibytes must be an integer",
        ),
        ("linux-shrink-oversized-logs", {"limit_mebibytes": True}, "must be an integer"),
        ("linux-shrink-oversized-logs", {"target": "dev-other"}, "has no parameter target"),
        ("linux-clear-temporary-files", {"mount": "/var; reboot"}, "mount must match"),
        ("linux-clear-temporary-files", {"mount": "/var\n"}, "mount must match"),
    ],
)
async def test_what_cannot_be_proposed_is_refused_and_changes_nothing(
    services, parent, script_id, parameters, message
):
    with pytest.raises(OverrideError, match=message):
        await override(services, parent, script_id, parameters)
    assert await query(services, "SELECT status FROM proposals") == [{"status": "pending"}]
    assert len(await query(services, "SELECT 1 FROM evidence_bundles WHERE kind = 'proposal'")) == 1


async def test_the_policy_binds_people_too(services, parent):
    async with services.ground.pool.connection() as connection:
        await connection.execute("UPDATE devices SET status = 'retired'")
    with pytest.raises(OverrideError, match="device_retired"):
        await override(services, parent, "linux-shrink-oversized-logs", {})
    assert await query(services, "SELECT status FROM proposals") == [{"status": "pending"}]
