# SPDX-License-Identifier: Apache-2.0
"""From a detection or a ticket to a sealed proposal, or to an abstention that says why."""

import asyncio
import json

import pytest

from reasoning.assessment import count_citations
from reasoning.errors import IncidentNotFoundError
from reasoning.graph import proposal_id_for
from telemetry.devices import retire_device
from tests.reasoning.situations import (
    FULL_DISK,
    enrol,
    find_outcome,
    only_outcome,
    open_ticket,
    query,
    reason_about,
    report,
    work,
)

DISK_SCRIPTS = {
    "linux-clean-package-cache",
    "linux-clear-temporary-files",
    "linux-shrink-oversized-logs",
    "linux-reset-browser-cache",
}


async def assert_citations_resolve(services, outcome):
    """Each passage is the cited characters of its document, each metric was reported."""
    cited = [c for item in outcome.proposal.explanation for c in item["citations"]]
    assert cited
    assert all(item["citations"] for item in outcome.proposal.explanation)
    passages = {item["chunk_id"]: item for item in outcome.case["passages"]}
    for citation in cited:
        if citation["kind"] == "passage":
            (row,) = await query(
                services,
                "SELECT body FROM documents WHERE document_id = %s AND version = %s",
                citation["document_id"],
                citation["version"],
            )
            text = row["body"][citation["start_offset"] : citation["end_offset"]]
            assert text == passages[citation["id"]]["text"] != ""
        if citation["kind"] == "metric":
            assert outcome.case["telemetry"]["metrics"][citation["id"]] == citation["value"]
    return {citation["kind"] for citation in cited}


async def test_a_full_disk_becomes_a_sealed_proposal_that_cites_its_grounds(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    outcome = await only_outcome(services, "dev-disk")
    proposal, case = outcome.proposal, outcome.case
    assert (proposal.status, proposal.diagnosis) == ("pending", "disk_full")
    assert proposal.script_id in DISK_SCRIPTS
    assert await assert_citations_resolve(services, outcome) == {"passage", "metric", "script"}
    assert any(item["document_id"] == "linux-disk-full" for item in proposal.passages)
    temporary = next(
        item for item in case["candidates"] if item["script_id"] == "linux-clear-temporary-files"
    )
    assert temporary["parameters"]["mount"] == "/var"  # bound to the fullest file system
    probabilities = [item["probability"] for item in case["candidates"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) >= 4
    assert {key: case[key] for key in ("target_device_id", "parameters", "parent_proposal_id")} == {
        "target_device_id": "dev-disk",
        "parameters": proposal.parameters,
        "parent_proposal_id": None,
    }
    assert proposal.confidence == case["candidates"][0]["probability"] >= 0.5
    assert case["policy"]["allow"] is True
    assert case["risk"]["score"] == proposal.risk_score > 0
    (incident,) = await query(services, "SELECT status FROM incidents")
    assert incident["status"] == "proposed"


async def test_the_bundle_holds_the_catalogues_exact_bytes(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    outcome = await only_outcome(services, "dev-disk")
    rows = await query(
        services,
        "SELECT step, content FROM script_files WHERE script_id = %s AND version = %s",
        outcome.proposal.script_id,
        outcome.proposal.script_version,
    )
    sealed = {
        name: content for name, content in outcome.bundle.files.items() if name != "case.json"
    }
    assert sealed == {f"{row['step']}.sh": bytes(row["content"]) for row in rows}


async def test_a_dead_service_binds_its_name(services):
    await enrol(services, "dev-service")
    services_now = [
        {"name": "cron.service", "running": True},
        {"name": "cups.service", "running": False},
    ]
    for ago in (120, 60, 0):
        await report(services, "dev-service", ago_seconds=ago, software={"services": services_now})
        await work(services)
    outcome = await only_outcome(services, "dev-service")
    assert outcome.proposal.script_id == "linux-restart-service"
    assert "cups.service" in outcome.proposal.parameters.values()
    await assert_citations_resolve(services, outcome)


def burn(**shares):
    """Return a report's hardware with processes and their shares of a core."""
    processes = [
        {"pid": 100 + number, "name": name, "cpu_percent": share, "memory_percent": 1.0}
        for number, (name, share) in enumerate(shares.items())
    ]
    return {"processes": processes}


async def test_a_fix_is_bound_to_the_process_of_the_incident_and_not_to_the_busiest(services):
    await enrol(services, "dev-burn")
    for ago in (120, 60):
        await report(services, "dev-burn", ago_seconds=ago, hardware=burn(rogue=95.0, builder=5.0))
        await work(services)
    # In the report that tells, another process is busier.
    await report(services, "dev-burn", hardware=burn(rogue=95.0, builder=99.0))
    await work(services)
    outcome = await only_outcome(services, "dev-burn")
    assert outcome.case["incident"]["entity"] == "rogue"
    assert outcome.proposal.script_id == "linux-stop-runaway-process"
    chosen = outcome.proposal.parameters
    assert (chosen["process_name"], chosen["pid"]) == ("rogue", 100)


async def test_no_other_process_is_stopped_when_that_of_the_incident_is_gone(services):
    await enrol(services, "dev-burn")
    for ago in (180, 120, 60):
        await report(services, "dev-burn", ago_seconds=ago, hardware=burn(rogue=95.0))
    await report(services, "dev-burn", hardware=burn(builder=99.0))
    await work(services)
    outcome = await _abstention(services)
    assert outcome.case["incident"]["entity"] == "rogue"
    obstacles = {item["script_id"]: item["obstacle"] for item in outcome.case["candidates"]}
    assert obstacles["linux-stop-runaway-process"].endswith("no value for parameter process_name")


@pytest.mark.parametrize(
    ("os_family", "title", "description", "script_ids"),
    [
        (
            "windows",
            "Nothing comes out of the printer",
            "Every job I send just sits in the queue with status printing and I can't delete it.",
            {"windows-clear-print-queue"},
        ),
        (
            "linux",
            "Thunderbird shows an empty inbox",
            "My mail program opens but the folder list is broken and search finds nothing.",
            {"linux-reset-mail-client-cache"},
        ),
        (
            "macos",
            "The clock on my Mac is twelve minutes behind",
            "Sign-in to web sites is refused because the time is wrong.",
            {"macos-resume-time-synchronisation"},
        ),
    ],
)
async def test_a_ticket_becomes_a_proposal_for_its_platform(
    services, os_family, title, description, script_ids
):
    await enrol(services, "dev-ticket", os_family)
    await open_ticket(services, title, description, device_id="dev-ticket")
    await work(services)
    outcome = await only_outcome(services, "dev-ticket")
    assert outcome.proposal.script_id in script_ids, outcome.proposal.abstention_reason
    assert outcome.proposal.requested_by == "hanna"
    assert await assert_citations_resolve(services, outcome) >= {"passage", "incident"}
    assert all(item["script_id"].startswith(os_family) for item in outcome.case["candidates"])


async def _abstention(services, device_id=None):
    rows = await query(services, "SELECT proposal_id FROM proposals")
    assert len(rows) == 1
    outcome = await find_outcome(services, rows[0]["proposal_id"])
    proposal = outcome.proposal
    assert (proposal.status, proposal.script_id, proposal.target_device_id) == (
        "abstained", None, None,
    )  # fmt: skip
    assert set(outcome.bundle.files) == {"case.json"}
    assert outcome.case["script"] is None
    assert proposal.abstention_reason == outcome.case["abstention_reason"]
    assert proposal.explanation[-1]["sentence"] == (
        f"No script is proposed: {proposal.abstention_reason}."
    )
    assert all(item["citations"] for item in proposal.explanation)
    (incident,) = await query(services, "SELECT status FROM incidents")
    assert incident["status"] == "escalated"
    return outcome


async def test_without_a_device_it_abstains(services):
    await open_ticket(services, "The disk is full", "No space left on device", device_id=None)
    await work(services)
    outcome = await _abstention(services)
    assert outcome.proposal.abstention_reason == "the incident names no device"


async def test_an_unknown_failure_is_left_to_people(services):
    await enrol(services, "dev-odd")
    await open_ticket(
        services,
        "Question about my holiday request",
        "Who approves it while Petra is away? Also the coffee machine on floor 3 smells.",
        device_id="dev-odd",
    )
    await work(services)
    outcome = await _abstention(services)
    assert outcome.proposal.diagnosis == "unknown"
    assert outcome.proposal.abstention_reason == "the failure class is not clear"


async def test_below_the_threshold_it_abstains_with_both_figures(open_prepared):
    async with open_prepared(confidence_threshold=0.99) as services:
        await enrol(services, "dev-disk")
        await report(services, "dev-disk", hardware=FULL_DISK)
        await work(services)
        outcome = await _abstention(services)
        best = outcome.case["candidates"][0]["probability"]
        assert outcome.proposal.abstention_reason == (
            f"the best script's confidence {best:.2f} is below 0.99"
        )


async def test_a_script_without_its_parameter_does_not_apply(services):
    await enrol(services, "dev-silent")  # no telemetry: nothing to bind a service's name to
    await open_ticket(
        services,
        "The cups service is down",
        "systemctl says the cups service is failed, the daemon is not running any more.",
        device_id="dev-silent",
    )
    await work(services)
    outcome = await _abstention(services)
    assert outcome.proposal.diagnosis == "service_down"
    assert outcome.proposal.abstention_reason.startswith("no script applies: ")
    assert "no value for parameter" in outcome.proposal.abstention_reason


async def test_a_platform_without_scripts_is_said(services):
    async with services.ground.pool.connection() as connection:
        await connection.execute("UPDATE scripts SET status = 'retired'")
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    outcome = await _abstention(services)
    assert outcome.proposal.abstention_reason == (
        "no catalogue script serves this failure on this platform"
    )


async def test_the_policy_can_forbid_and_is_quoted(services):
    await enrol(services, "dev-gone")
    await report(services, "dev-gone", hardware=FULL_DISK)
    ground = services.ground
    incident = await open_ticket(
        services, "Disk full", "No space left on device on /var", device_id="dev-gone"
    )
    async with ground.pool.connection() as connection:
        await retire_device(
            connection,
            audit=ground.audit,
            actor="user:ada",
            correlation_id="cor_retire",
            device_id="dev-gone",
        )
    outcome = await reason_about(services, incident)
    assert (outcome.proposal.status, outcome.proposal.script_id) == ("abstained", None)
    assert outcome.case["policy"]["allow"] is False
    assert "device_retired" in outcome.case["policy"]["reasons"]
    assert "device_retired" in outcome.proposal.abstention_reason


async def test_personal_data_stored_unmasked_by_mistake_is_masked_before_reasoning(services):
    await enrol(services, "dev-ticket")
    incident = await open_ticket(
        services, "Printer", "Print jobs are stuck in the queue", device_id="dev-ticket"
    )
    async with services.ground.pool.connection() as connection:
        await connection.execute(
            "UPDATE incidents SET description = description || %s",
            (" call jane.canary@example.com or look at \\\\fs01\\home\\jcanary",),
        )
    outcome = await reason_about(services, incident)
    dumped = json.dumps(outcome.case) + json.dumps(outcome.proposal.explanation)
    states = await query(services, "SELECT blob FROM checkpoint_blobs WHERE blob IS NOT NULL")
    assert len(states) >= 8
    for content in (dumped.encode(), *(bytes(row["blob"]) for row in states)):
        assert b"canary" not in content
    assert "<EMAIL_1>" in dumped


async def test_the_state_is_plain_data(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    blobs = await query(services, "SELECT channel, type, blob FROM checkpoint_blobs")
    assert {row["type"] for row in blobs} <= {"msgpack", "empty", "null"}
    # An extension type of msgpack would name the module of a class of ours.
    for row in blobs:
        for room in (b"telemetry.", b"contracts.", b"governance.", b"reasoning.", b"models."):
            assert room not in bytes(row["blob"] or b""), row["channel"]


async def test_racing_workers_seal_once(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    incident = await open_ticket(
        services, "Disk full", "No space left on device on /var", device_id="dev-disk"
    )
    outcomes = await asyncio.gather(*(reason_about(services, incident) for _ in range(4)))
    assert len({each.proposal.bundle_digest for each in outcomes}) == 1
    assert await query(
        services,
        "SELECT count(*) AS bundles,"
        " (SELECT count(*) FROM audit_events WHERE subject_kind = 'proposal') AS events"
        " FROM evidence_bundles WHERE kind = 'proposal'",
    ) == [{"bundles": 1, "events": 2}]


async def test_proposing_twice_and_at_once_changes_nothing(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    incident = await open_ticket(
        services, "Disk full", "No space left on device on /var", device_id="dev-disk"
    )
    first = await reason_about(services, incident)
    again = await asyncio.gather(*(reason_about(services, incident) for _ in range(3)))
    assert {each.proposal.bundle_digest for each in again} == {first.proposal.bundle_digest}
    counts = await query(
        services, "SELECT count(*) AS n FROM evidence_bundles WHERE kind = 'proposal' UNION ALL"
        " SELECT count(*) FROM audit_events WHERE action = 'proposal.created'"
    )  # fmt: skip
    assert [row["n"] for row in counts] == [1, 1]


async def test_an_unknown_incident_is_an_error(services):
    with pytest.raises(IncidentNotFoundError, match="inc_nowhere"):
        await services.reasoner.propose(
            proposal_id=proposal_id_for("inc_nowhere", "test"),
            incident_id="inc_nowhere",
            requested_by="hanna",
            correlation_id="cor_none",
        )


def test_what_counts_as_a_ground():
    cited = [
        {"citations": [{"kind": "incident", "id": "i"}, {"kind": "script", "id": "s"}]},
        {"citations": [{"kind": "passage", "id": "p"}, {"kind": "metric", "id": "m"}]},
    ]
    assert count_citations(cited) == 2
    assert count_citations(cited[:1]) == 0


async def test_the_risk_says_that_nobody_looked_for_vulnerabilities(services):
    await enrol(services, "dev-disk")
    await report(services, "dev-disk", hardware=FULL_DISK)
    await work(services)
    factors = (await only_outcome(services, "dev-disk")).case["risk"]["factors"]
    (found,) = [each for each in factors if each["name"] == "sbom_vulnerability"]
    assert (found["value"], found["reason"]) == (
        60.0,
        "nobody has looked for known vulnerabilities",
    )
