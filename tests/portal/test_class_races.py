# SPDX-License-Identifier: Apache-2.0
"""People say what an incident is while the reasoner works: what is sealed is for what they say."""

import html

import pytest

from api.accounts import Role
from api.class_labels import Consequence, label_incident
from contracts.failure import FailureClass as F
from reasoning import steps
from reasoning.graph import proposal_id_for
from telemetry.incident_classes import ClassStatement, list_class_labels
from telemetry.incident_parts import IncidentParts
from telemetry.incidents import IncidentStatus
from tests.reasoning.situations import (
    FULL_DISK,
    enrol,
    find_outcome,
    open_ticket,
    query,
    report,
    work,
)

FULL = ("Disk full", "The disk is full: no space left on device, I cannot save files.")


@pytest.fixture
async def incident_id(desk):
    """An open incident of a full disk that nobody has reasoned about."""
    await enrol(desk.services, "dev-1")
    for minutes in (3, 2, 1):
        await report(desk.services, "dev-1", ago_seconds=60 * minutes, hardware=FULL_DISK)
    async with desk.services.ground.pool.connection() as connection:
        await connection.execute("UPDATE outbox SET done_at = now()")
    return await open_ticket(desk.services, *FULL, device_id="dev-1")


async def say(services, incident_id, failure_class, actor="user:ada"):
    """Name an incident's class; return what that leads to."""
    async with services.ground.pool.connection() as connection:
        labelled = await label_incident(
            services.ground,
            connection,
            ClassStatement(
                incident_id=incident_id, failure_class=failure_class, seen_class=None,
                actor=actor, reason="",
            ),
        )  # fmt: skip
    return labelled.consequence


async def propose(services, incident_id, cause):
    """Bring one thread to its end; return its bundle's digest, None if nothing was sealed."""
    return await services.reasoner.propose(
        proposal_id=proposal_id_for(incident_id, cause),
        incident_id=incident_id,
        requested_by="hanna",
        correlation_id="cor_race",
    )


async def read_state(services, incident_id):
    """Return the incident's status and what was sealed for it, oldest first."""
    (incident,) = await query(
        services, "SELECT status FROM incidents WHERE incident_id = %s", incident_id
    )
    proposals = await query(
        services,
        "SELECT proposal_id, status, diagnosis, abstention_reason FROM proposals"
        " WHERE incident_id = %s ORDER BY created_at",
        incident_id,
    )
    return incident["status"], proposals


def interrupt(patch, act):
    """Act once, while the reasoner looks for candidates."""
    find_candidates, is_first = steps.find_candidates, [True]

    async def interrupted(*arguments, **named):
        if is_first:
            is_first.clear()
            await act()
        return await find_candidates(*arguments, **named)

    patch.setattr(steps, "find_candidates", interrupted)


async def test_a_class_that_is_denied_meanwhile_is_not_proposed_for(desk, incident_id, monkeypatch):
    said = []

    async def deny():
        said.append(await say(desk.services, incident_id, F.UNKNOWN))

    interrupt(monkeypatch, deny)
    await work(desk.services)
    assert said == [Consequence.SHOWN]
    status, (proposal,) = await read_state(desk.services, incident_id)
    assert (status, proposal["status"]) == ("escalated", "abstained")
    assert proposal["abstention_reason"] == "a person says that it is none of the known failures"


async def test_a_thread_that_was_cut_off_goes_on_for_the_class_of_today(desk, incident_id):
    services = desk.services

    async def die():
        raise ConnectionAbortedError

    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, die)
        with pytest.raises(ConnectionAbortedError):
            await propose(services, incident_id, "first")
    assert await say(services, incident_id, F.DNS) is Consequence.PROPOSED_ANEW
    assert await propose(services, incident_id, "first") is not None
    status, (proposal,) = await read_state(services, incident_id)
    assert proposal["diagnosis"] == "dns"
    case = (await find_outcome(services, proposal["proposal_id"])).case
    async with services.ground.pool.connection() as connection:
        (label,) = await list_class_labels(connection, incident_id)
    assert case["incident"]["failure_class"] == "dns"
    assert case["incident"]["class_label"]["label_id"] == label.label_id
    assert status == ("proposed" if proposal["status"] == "pending" else "escalated")


async def test_two_threads_of_one_incident_seal_once(desk, incident_id):
    services = desk.services
    digests = []

    async def overtake():
        digests.append(await propose(services, incident_id, "second"))

    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, overtake)
        assert await propose(services, incident_id, "first") is None
    assert await propose(services, incident_id, "first") is None, "it has ended"
    assert digests[0] is not None
    status, (proposal,) = await read_state(services, incident_id)
    assert (status, proposal["status"]) == ("proposed", "pending")


async def test_nothing_is_proposed_for_what_a_person_took_over_meanwhile(
    desk, incident_id, monkeypatch
):
    ground = desk.services.ground

    async def take_over():
        async with ground.pool.connection() as connection:
            await ground.incidents.transition(
                connection, incident_id, IncidentStatus.ESCALATED, actor="user:ada", reason="mine"
            )

    interrupt(monkeypatch, take_over)
    await work(desk.services)
    assert await read_state(desk.services, incident_id) == ("escalated", [])


async def test_an_override_is_for_the_class_that_the_incident_has_then(desk, monkeypatch):
    before = (await desk.propose()).proposal
    grace = await desk.let_in("grace", Role.APPROVER)

    async def confirm():
        await say(desk.services, before.incident_id, F.DISK_FULL, "user:bob")

    interrupt(monkeypatch, confirm)
    form = {
        "bundle_digest": before.bundle_digest, "reason": "logs",
        "script_id": "linux-shrink-oversized-logs", "parameter:limit_mebibytes": "64",
    }  # fmt: skip
    path = f"/proposals/{before.proposal_id}/override"
    answer = await grace.submit(path, **form)
    assert answer.status_code == 303, answer.text
    case = (await find_outcome(desk.services, answer.headers["location"].split("/")[-1])).case
    assert case["incident"]["class_label"]["models_class"] == "disk_full"


async def test_nothing_takes_the_place_of_a_proposal_whose_incident_went_on(desk):
    before = (await desk.propose()).proposal
    grace = await desk.let_in("grace", Role.APPROVER)
    await desk.change("UPDATE incidents SET status = 'escalated'")
    form = {"script_id": "linux-shrink-oversized-logs", "reason": "logs"}
    answer = await grace.submit(
        f"/proposals/{before.proposal_id}/override",
        bundle_digest=before.bundle_digest, **form,
    )  # fmt: skip
    assert answer.status_code == 422
    assert "the incident is escalated meanwhile" in answer.text


async def test_who_decides_sees_that_somebody_says_another_class(desk):
    before = (await desk.propose()).proposal
    grace = await desk.let_in("grace", Role.APPROVER)
    path = f"/proposals/{before.proposal_id}"
    assert 'id="contradiction"' not in await grace.page(path)
    await say(desk.services, before.incident_id, F.DNS, "user:bob")
    page = html.unescape(await grace.page(path))
    assert "user:bob says that this is dns" in page
    assert "this was proposed for disk full" in page
    await say(desk.services, before.incident_id, F.DISK_FULL, "user:bob")
    assert 'id="contradiction"' not in await grace.page(path)
    await say(desk.services, before.incident_id, F.DNS, "user:bob")
    answer = await grace.submit(f"{path}/approve", bundle_digest=before.bundle_digest)
    assert answer.status_code == 303, "a person decides with open eyes"


async def test_an_incident_that_joins_a_fleets_meanwhile_is_not_proposed_for(
    desk, incident_id, monkeypatch
):
    whole_id = await open_ticket(desk.services, *FULL, device_id=None)

    async def join() -> None:
        ground = desk.services.ground
        async with ground.pool.connection() as connection:
            linked = await IncidentParts(ground.clock, ground.audit).link(
                connection, [incident_id], whole_id, actor="system", correlation_id="cor_race"
            )
        assert [each.incident_id for each in linked] == [incident_id]

    interrupt(monkeypatch, join)
    assert await propose(desk.services, incident_id, "first") is None
    assert await read_state(desk.services, incident_id) == ("open", [])
