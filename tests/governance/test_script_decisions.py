# SPDX-License-Identifier: Apache-2.0
"""Script versions on a real database: in force by sealed decisions, and useless once tampered."""

import asyncio
from datetime import timedelta

import pytest
from psycopg.errors import UniqueViolation

from evidence.statement import StatementKind
from governance.errors import ScriptEntryError, SelfApprovalError
from governance.script_rules import ScriptRequest
from governance.script_versions import (
    ScriptVerdict,
    list_decisions,
    list_unlogged,
    verify_version,
)
from tests.governance.catalogue_rows import put_in_catalogue
from tests.governance.road import ANALYSIS, MANIFEST, STEPS

KEY = (MANIFEST["id"], MANIFEST["version"])
NEWER = (MANIFEST["id"], "1.1.0")


@pytest.fixture(autouse=True)
async def owned(tamper):
    """What is changed behind our back is changed by who owns the database: here, everybody."""
    await tamper(
        "GRANT UPDATE, DELETE ON script_decisions TO eucora_app",
        "GRANT DELETE ON script_files TO eucora_app",
    )


async def add(road, version=KEY[1], *, ship=True, **changes) -> str:
    async with road.pool.connection() as connection:
        return await put_in_catalogue(
            connection, {**MANIFEST, "version": version, **changes}, STEPS, sealer=road.sealer,
            decisions=road.decisions, now=road.clock.now(), analysis=ANALYSIS, ship=ship,
        )  # fmt: skip


async def decide(road, verdict, sha256, *, key=KEY, actor="user:grace", **changes):
    request = ScriptRequest(
        script_id=key[0], version=key[1], content_sha256=sha256, decision=ScriptVerdict(verdict),
        actor=actor, roles=frozenset({"approver"}), authenticated_at=road.clock.now(),
        correlation_id="cor_decide", reason="for a reason", **changes,
    )  # fmt: skip
    async with road.pool.connection() as connection:
        return await road.decisions.decide(connection, request)


async def verify(road, key=KEY):
    async with road.pool.connection() as connection:
        return await verify_version(connection, road.sealer, *key)


async def statuses(road) -> dict[str, str]:
    rows = await road.query("SELECT version, status FROM scripts ORDER BY version")
    return {row["version"]: row["status"] for row in rows}


async def test_a_version_is_used_from_its_approval_until_it_is_retired(road):
    first = await add(road)
    second = await add(road, "1.1.0", ship=False)
    assert (await verify(road)).content_sha256 == first
    with pytest.raises(ScriptEntryError, match="proposed"):
        await verify(road, NEWER)
    await decide(road, "approve", second, key=NEWER)
    assert await statuses(road) == {"1.0.0": "superseded", "1.1.0": "active"}
    assert (await verify(road, NEWER)).content_sha256 == second
    await verify(road)  # what was approved with it may still run
    await decide(road, "retire", second, key=NEWER)
    with pytest.raises(ScriptEntryError, match="retired"):
        await verify(road, NEWER)
    await decide(road, "roll_back", first)
    assert await statuses(road) == {"1.0.0": "active", "1.1.0": "retired"}
    await verify(road)


async def test_a_decision_is_sealed_with_bytes_and_digest_and_audited(road):
    sha256 = await add(road, ship=False)
    decision = await decide(road, "approve", sha256)
    async with road.pool.connection() as connection:
        opened = await road.sealer.open(connection, decision.bundle_digest)
        assert [decision] == await list_decisions(connection, KEY[0])
    assert opened.statement.kind is StatementKind.SCRIPT_DECISION
    assert {name: opened.files[name] for name in STEPS} == STEPS
    actions = await road.actions()
    assert {"script_decision.sealed", "script.approved"} <= set(actions)


async def test_a_refused_decision_is_audited_and_changes_nothing(road):
    sha256 = await add(road, ship=False)
    with pytest.raises(SelfApprovalError):
        await decide(road, "approve", sha256, actor="system:test")
    (event,) = await road.query(
        "SELECT subject_kind, subject_id, after FROM audit_events"
        " WHERE action = 'script.decision_refused'"
    )
    assert (event["subject_kind"], event["subject_id"]) == ("script", "@".join(KEY))
    assert event["after"]["refusal"] == "self_approval"
    assert await statuses(road) == {"1.0.0": "proposed"}


TAMPERING = [
    "UPDATE script_files SET content = content || 'x' WHERE step = 'remediate'",
    (
        "UPDATE script_files SET content = 'x', sha256 = encode(sha256('x'), 'hex')"
        " WHERE step = 'verify'"
    ),
    "UPDATE script_files SET sha256 = repeat('0', 64) WHERE step = 'verify'",
    "DELETE FROM script_files WHERE step = 'rollback'",
    "UPDATE scripts SET content_sha256 = repeat('0', 64)",
    "UPDATE scripts SET manifest = jsonb_set(manifest, '{privilege}', '\"admin\"')",
    "UPDATE scripts SET author = 'somebody'",
    "UPDATE scripts SET imported_by = 'user:somebody'",
    "UPDATE scripts SET imported_for = 'user:somebody'",
    "UPDATE scripts SET platforms = '{windows}'",
    "UPDATE scripts SET failure_classes = '{dns}'",
    "UPDATE scripts SET interpreter = 'zsh'",
    'UPDATE scripts SET analysis = \'{"judgeable": true, "severity": "none"}\'',
    "UPDATE scripts SET entry = NULL",
    "UPDATE scripts SET entry = 'x'",
    (
        "UPDATE scripts SET entry = (SELECT entry FROM scripts WHERE version = '1.1.0')"
        " WHERE version = '1.0.0'"
    ),
    "UPDATE scripts SET status = 'rejected'",
    "DELETE FROM script_decisions",
    "UPDATE script_decisions SET decision = 'reject'",
    "UPDATE script_decisions SET actor = 'user:somebody'",
    (
        "UPDATE script_decisions SET bundle_digest = (SELECT bundle_digest FROM script_decisions"
        " WHERE version = '1.1.0') WHERE version = '1.0.0'"
    ),
]


@pytest.mark.parametrize("change", TAMPERING)
async def test_what_was_changed_behind_our_back_is_refused(road, change):
    await add(road)
    await add(road, "1.1.0", ship=False)
    await decide(road, "approve", await digest_of_version(road, NEWER), key=NEWER)
    await decide(road, "roll_back", await digest_of_version(road, KEY))
    await verify(road)
    await road.query(change)
    with pytest.raises(ScriptEntryError):
        await verify(road)


async def digest_of_version(road, key) -> str:
    (row,) = await road.query(
        "SELECT content_sha256 FROM scripts WHERE script_id = %s AND version = %s", *key
    )
    return row["content_sha256"]


async def test_what_was_never_approved_is_not_used_because_a_row_says_active(road):
    await add(road, ship=False)
    await road.query("UPDATE scripts SET status = 'active'")
    with pytest.raises(ScriptEntryError, match="nobody has approved"):
        await verify(road)
    await road.query(
        "INSERT INTO script_decisions (decision_id, script_id, version, content_sha256, decision,"
        " actor, bundle_digest, created_at) SELECT 'scd_x', script_id, version, content_sha256,"
        " 'approve', 'user:grace', (SELECT bundle_digest FROM evidence_bundles LIMIT 1), now()"
        " FROM scripts WHERE EXISTS (SELECT FROM evidence_bundles)"
    )
    with pytest.raises(ScriptEntryError):
        await verify(road)


async def test_what_was_tampered_with_cannot_be_approved(road):
    sha256 = await add(road, ship=False)
    await road.query("UPDATE script_files SET content = 'x' WHERE step = 'remediate'")
    with pytest.raises(ScriptEntryError):
        await decide(road, "approve", sha256)


async def test_nothing_is_shipped_in_a_freeze_or_against_a_persons_word(road):
    now = road.clock.now()
    async with road.pool.connection() as connection:
        window = await road.freezes.announce(
            connection, starts_at=now, ends_at=now + timedelta(hours=1), reason="stock-taking",
            created_by="user:ada", correlation_id="cor_1",
        )  # fmt: skip
    await add(road)
    assert await statuses(road) == {"1.0.0": "proposed"}
    road.clock.advance(60)
    async with road.pool.connection() as connection:
        await road.freezes.lift(
            connection, window.freeze_id, actor="user:ada", correlation_id="cor_1"
        )
        await road.decisions.ship(
            connection, [KEY], actor="system:test", reason="", correlation_id="cor_1"
        )
    assert await statuses(road) == {"1.0.0": "active"}
    await decide(road, "retire", await digest_of_version(road, KEY))
    await add(road, "1.1.0")
    assert await statuses(road) == {"1.0.0": "retired", "1.1.0": "proposed"}
    await decide(road, "approve", await digest_of_version(road, NEWER), key=NEWER)
    await add(road, "1.2.0")
    assert await statuses(road) == {"1.0.0": "retired", "1.1.0": "active", "1.2.0": "proposed"}


async def test_the_database_keeps_one_version_in_force(road):
    await add(road)
    await add(road, "1.1.0", ship=False)
    with pytest.raises(UniqueViolation):
        await road.query("UPDATE scripts SET status = 'active'")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE scripts SET entry = NULL",
        "UPDATE scripts SET status = 'retired'",
        "UPDATE scripts SET imported_by = 'user:somebody'",
        "DELETE FROM script_decisions",
    ],
)
async def test_dispatch_refuses_what_the_catalogue_no_longer_vouches_for(road, change):
    proposal_id = await road.begin()
    await road.approve(proposal_id)
    await road.query(change)
    assert await road.create_job(proposal_id) is None
    (event,) = await road.query("SELECT after FROM audit_events WHERE action = 'job.refused'")
    assert event["after"]["refusal"] == "entry_refused"
    assert await road.incident_status(proposal_id) == "escalated"


async def forget(road, *decision_ids):
    """Delete decisions as whoever owns the database can, with their evidence."""
    for decision_id in decision_ids:
        await road.query("DELETE FROM script_decisions WHERE decision_id = %s", decision_id)


async def test_deleting_a_retirement_does_not_revive_a_version(road):
    sha256 = await add(road)
    retired = await decide(road, "retire", sha256)
    await forget(road, retired.decision_id)
    await road.query("UPDATE scripts SET status = 'active'")
    with pytest.raises(ScriptEntryError, match=r"audit log's newest decision is script\.retired"):
        await verify(road)
    async with road.pool.connection() as connection:
        (told,) = await list_unlogged(connection)
    assert told == f"the decision {retired.decision_id} on the script {'@'.join(KEY)} is not in the database"  # noqa: E501 # fmt: skip
    await road.query("UPDATE scripts SET status = 'proposed'")
    async with road.pool.connection() as connection:
        assert not await road.decisions.ship(
            connection, [KEY], actor="system:test", reason="", correlation_id="cor_1"
        ), "the next preparation does not put it in force, either"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            (
                "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind,"
                " subject_id, correlation_id, after, evidence) SELECT 'evt_x', now(), actor,"
                " action, subject_kind, subject_id, 'c', after, evidence FROM audit_events"
                " WHERE action = 'script.retired'"
            ),
            "more than once in the audit log",
        ),
        (
            "UPDATE script_decisions SET position = DEFAULT WHERE decision = 'ship'",
            "in another order in the database than in the audit log",
        ),
    ],
)
async def test_repeated_decisions_and_another_order_are_said(road, change, told):
    sha256 = await add(road)
    await decide(road, "retire", sha256)
    async with road.pool.connection() as connection:
        assert await list_unlogged(connection) == []
        await connection.execute(change)
        (sentence,) = await list_unlogged(connection)
    assert sentence.endswith(told)


async def test_deleting_a_newer_version_does_not_bring_the_older_one_back(road):
    await add(road)
    await add(road, "1.1.0", ship=False)
    newer = await decide(road, "approve", await digest_of_version(road, NEWER), key=NEWER)
    await verify(road)  # superseded: what was approved with it may still run
    await road.query("UPDATE scripts SET status = 'superseded' WHERE version = '1.1.0'")
    await road.query("UPDATE scripts SET status = 'active' WHERE version = '1.0.0'")
    with pytest.raises(ScriptEntryError, match=r"the decisions that 1\.1\.0 is"):
        await verify(road)
    await forget(road, newer.decision_id)
    with pytest.raises(ScriptEntryError, match="rows were deleted or changed"):
        await verify(road)


async def test_a_decision_whose_predecessor_is_gone_breaks_the_sealed_chain(road):
    """Also where somebody took the events out of the log: the seal names what was before."""
    sha256 = await add(road)
    retired = await decide(road, "retire", sha256)
    await decide(road, "roll_back", sha256)
    await verify(road)
    await forget(road, retired.decision_id)
    with pytest.raises(ScriptEntryError, match="the decision before the sealed one is missing"):
        await verify(road)


async def test_an_event_that_was_rewritten_does_not_help(road, tamper):
    sha256 = await add(road)
    retired = await decide(road, "retire", sha256)
    await road.sequence()
    await forget(road, retired.decision_id)
    await road.query("UPDATE scripts SET status = 'active'")
    await tamper(
        "UPDATE audit_events e SET action = s.action, after = s.after, evidence = s.evidence"
        " FROM audit_events s WHERE e.action = 'script.retired' AND s.action = 'script.shipped'"
    )
    with pytest.raises(ScriptEntryError, match="the audit log was changed"):
        await verify(road)


async def test_a_decision_between_two_readings_is_no_contradiction(road):
    """Dispatch of an approved job goes on while another version is put in force."""
    await add(road)
    await add(road, "1.1.0", ship=False)
    digests = {key: await digest_of_version(road, key) for key in (KEY, NEWER)}

    async def change() -> None:
        for key, verdict in ((NEWER, "approve"), (KEY, "roll_back"), (NEWER, "roll_back")):
            await decide(road, verdict, digests[key], key=key)

    async def use() -> int:
        used = [await verify(road) for _ in range(40)]
        return len(used)

    assert await asyncio.gather(use(), change()) == [40, None]
