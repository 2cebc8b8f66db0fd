# SPDX-License-Identifier: Apache-2.0
"""Which policy is in force: by two people, on evidence, in every process at once, or denial."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from api.case_export import export_activation
from api.policy_changes import PolicyChanges
from api.policy_in_force import open_policy
from contracts.policy import check_question
from evidence.verification import verify_case
from governance.errors import (
    AlreadyDecidedError,
    BundleChangedError,
    GovernanceError,
    InvalidRequestError,
    RoleMissingError,
    SelfApprovalError,
    StaleSessionError,
)
from governance.policy_rules import PolicyDecider
from guardrails import policy_process
from guardrails.errors import (
    PolicyChangeError,
    PolicyLoadError,
    PolicyNotFoundError,
    PolicyTrustError,
)
from guardrails.policy_cases import read_cases
from guardrails.policy_records import KEPT_FOR, list_decisions
from guardrails.policy_source import POLICIES_DIR, PolicySource, read_folder
from guardrails.policy_store import (
    find_active,
    find_change,
    find_previous,
    find_replaced,
    list_activations,
    list_unlogged,
    list_versions,
)
from guardrails.policy_trials import dry_run
from kernel.database import connect

SOURCE = read_folder(POLICIES_DIR)
PLAIN = check_question(
    next(c.question for c in read_cases(SOURCE) if c.table == "approval.yaml" and c.allow)
)
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning")]


def did(name, reason="because", roles=("approver",), hours_ago=0):
    return PolicyDecider(
        actor=name,
        reason=reason,
        roles=frozenset(roles),
        authenticated_at=datetime.now(UTC) - timedelta(hours=hours_ago),
        correlation_id="cor_policy",
    )


def stricter(bound=10):
    """A version in which a smaller risk goes to the board, with cases that say so."""
    cases = {
        "own.yaml": json.dumps(
            {
                "decision": "approval",
                "base": read_cases(SOURCE)[0].question,
                "cases": [{"name": "a risk of 20", "requires_quorum": 2}],
            }
        )
    }
    text = SOURCE.files["quorum.rego"].replace("cab_risk := 50", f"cab_risk := {bound}")
    return PolicySource(files={**SOURCE.files, "quorum.rego": text}, cases=cases)


async def decide(services, policy, question=PLAIN):
    async with services.ground.pool.connection() as connection:
        return await policy.decide(connection, question)


async def fetch(services, statement, *values):
    async with services.ground.pool.connection() as connection:
        return await (await connection.execute(statement, values)).fetchall()


async def change_rows(services, statement, *values):
    """Change rows as who owns the database can: the application may not."""
    async with await connect(services.ground.addresses.owner) as connection:
        await connection.execute(statement, values)


async def test_a_version_is_in_force_everywhere_when_another_person_has_decided(services):
    changes = services.policies
    async with open_policy(services.ground) as here, open_policy(services.ground) as there:
        first = await decide(services, here)
        assert (first.allow, first.requires_quorum) == (True, 1)
        assert first.policy_digest == SOURCE.digest, "the shipped policies are version 1"

        change = await changes.propose(stricter(), did("user:ada"))
        assert (await decide(services, there)).policy_digest == SOURCE.digest
        for who, error in (
            (did("user:ada"), SelfApprovalError),
            (did("cli:ADA"), SelfApprovalError),
            (did("system:worker"), InvalidRequestError),
            (did("user:bert", " "), InvalidRequestError),
            (did("user:bert", roles=("admin", "auditor")), RoleMissingError),
            (did("user:bert", hours_ago=24 * 365), StaleSessionError),
        ):
            with pytest.raises(error):
                await changes.activate(change.change_id, who)
        for decide_so in (changes.activate, changes.reject):
            with pytest.raises(RoleMissingError, match="approver or security reviewer"):
                await decide_so(change.change_id, did("user:bert", roles=("admin",)))
        with pytest.raises(RoleMissingError):
            await changes.propose_rollback(did("user:bert", roles=("admin",)))
        activation = await changes.activate(change.change_id, did("user:bert"))
        for policy in (here, there):
            answer = await decide(services, policy)
            assert (answer.requires_quorum, answer.policy_digest) == (2, stricter().digest)
        with pytest.raises(AlreadyDecidedError, match="activated by user:bert"):
            await changes.activate(change.change_id, did("user:carl"))

        back = await changes.propose_rollback(did("user:bert", "too strict"))
        with pytest.raises(SelfApprovalError, match="another person"):
            await changes.activate(back.change_id, did("user:bert"))
        await changes.activate(back.change_id, did("user:ada"))
        assert (await decide(services, here)).policy_digest == SOURCE.digest
        with pytest.raises(PolicyChangeError, match="no earlier policy"):
            await changes.propose_rollback(did("user:bert"))

    content = await export_activation(services.ground, activation.activation_id)
    report = verify_case(content)
    assert report.passed, report
    events = await fetch(
        services,
        "SELECT action, actor, evidence FROM audit_events WHERE subject_kind = 'policy'"
        " AND actor <> 'system:bootstrap' ORDER BY event_id",
    )
    actions = [event["action"] for event in events]
    assert actions.count("policy.change_proposed") == 2
    assert actions.count("policy.activated") == actions.count("policy.rolled_back") == 1
    assert actions.count("policy.sealed") == 2
    assert actions.count("policy.change_refused") == 12
    (activated,) = [event for event in events if event["action"] == "policy.activated"]
    assert (activated["actor"], activated["evidence"]) == ("user:bert", [activation.bundle_digest])


async def test_what_was_proposed_against_another_policy_is_not_put_in_force(services):
    changes = services.policies
    one = await changes.propose(stricter(10), did("user:ada"))
    two = await changes.propose(stricter(11), did("user:ada"))
    await changes.activate(one.change_id, did("user:bert"))
    with pytest.raises(BundleChangedError, match="proposed against another policy"):
        await changes.activate(two.change_id, did("user:bert"))
    await changes.reject(two.change_id, did("user:ada", "taken back"))
    with pytest.raises(AlreadyDecidedError, match="rejected by user:ada"):
        await changes.reject(two.change_id, did("user:bert"))
    with pytest.raises(PolicyNotFoundError):
        await changes.activate("pch_none", did("user:bert"))


async def test_two_people_at_once_put_one_version_in_force(services):
    changes = services.policies
    made = [await changes.propose(stricter(bound), did("user:ada")) for bound in (10, 11, 12)]
    ended = await asyncio.gather(
        *(changes.activate(change.change_id, did("user:bert")) for change in made),
        return_exceptions=True,
    )
    assert sum(not isinstance(one, Exception) for one in ended) == 1
    assert sum(isinstance(one, GovernanceError) for one in ended) == 2


async def test_versions_that_do_not_load_or_fail_their_cases_are_not_taken(services):
    text = SOURCE.files["approval.rego"] + '\ndeny contains "x" if time.now_ns() > 0\n'
    unreliable = PolicySource(files={**SOURCE.files, "approval.rego": text}, cases=SOURCE.cases)
    untested = PolicySource(files=stricter().files)
    failing = PolicySource(files=stricter().files, cases=SOURCE.cases)
    for source, complaint in [
        (unreliable, "time.now_ns"),
        (untested, "comes with cases"),
        (failing, "cases are decided otherwise"),
    ]:
        with pytest.raises(PolicyLoadError, match=complaint):
            await services.policies.propose(source, did("user:ada"))
    with pytest.raises(PolicyChangeError, match="in force already"):
        await services.policies.propose(SOURCE, did("user:ada"))
    assert len(await fetch(services, "SELECT 1 FROM policies")) == 1


TAMPERED = {
    "no envelope": "UPDATE policies SET envelope = replace(envelope, 'payload', 'payloaf')",
    "the envelope of another version that our key has signed": """
        UPDATE policies SET envelope = (
            SELECT o.envelope FROM policies AS o WHERE o.policy_digest <> policies.policy_digest
        )""",
    "another signed version in the place of the one that was sealed": """
        UPDATE policy_activations SET policy_digest = (
            SELECT policy_digest FROM policies WHERE version = 2
        )""",
    "another name than the sealed one": "UPDATE policy_activations SET activated_by = 'user:no'",
    "an activation that nobody has sealed": """
        INSERT INTO policy_activations (activation_id, kind, policy_digest,
            previous_activation_id, proposed_by, activated_by, reason, bundle_digest, created_at)
        SELECT 'pac_new', 'activation', p.policy_digest, a.activation_id, 'user:ada', 'user:bert',
            'x', a.bundle_digest, now()
        FROM policy_activations AS a, policies AS p WHERE p.version = 2""",
    "none in force": "DELETE FROM policy_activations",
}


async def test_the_same_change_waits_once(services):
    changes = services.policies
    first = await changes.propose(stricter(), did("user:ada"))
    with pytest.raises(PolicyChangeError, match=f"{first.change_id} asks for the same since"):
        await changes.propose(stricter(), did("user:carl"))
    other = await changes.propose(stricter(12), did("user:carl"))
    await changes.reject(first.change_id, did("user:bert"))
    again = await changes.propose(stricter(), did("user:carl"))
    await changes.activate(other.change_id, did("user:bert"))
    renewed = await changes.propose(stricter(), did("user:ada"))
    assert renewed.change_id != again.change_id, "that one was against what was in force before"
    back = await changes.propose_rollback(did("user:ada"))
    with pytest.raises(PolicyChangeError, match=back.change_id):
        await changes.propose_rollback(did("user:carl"))


async def test_a_decided_change_is_compared_with_what_it_replaced(services):
    changes = services.policies
    one = await changes.propose(stricter(), did("user:ada"))
    two = await changes.propose(stricter(12), did("user:ada"))
    shipped = await active_digest(services)
    await changes.activate(one.change_id, did("user:bert"))
    await changes.reject(two.change_id, did("user:bert"))
    three = await changes.propose(stricter(13), did("user:ada"))
    await changes.activate(three.change_id, did("user:bert"))
    assert await replaced_by(services, one) == shipped, "not itself"
    assert await replaced_by(services, two) == one.policy_digest, "what was in force by then"
    four = await changes.propose(stricter(14), did("user:ada"))
    assert await replaced_by(services, four) == three.policy_digest


async def active_digest(services):
    async with services.ground.pool.connection() as connection:
        return (await find_active(connection)).policy_digest


async def replaced_by(services, change):
    async with services.ground.pool.connection() as connection:
        stored = await find_change(connection, change.change_id)
        return (await find_replaced(connection, stored)).policy_digest


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_does_not_fit_denies_until_another_version_is_in_force(services, what):
    changes = services.policies
    proposed = await changes.propose(stricter(), did("user:ada"))
    if what == "none in force":
        await change_rows(services, "DELETE FROM policy_changes")
    await change_rows(services, TAMPERED[what])
    async with open_policy(services.ground) as policy:
        answer = await decide(services, policy)
        assert (answer.allow, answer.requires_quorum) == (False, 2)
        assert answer.reasons == ("policy_untrusted",)
        if what == "none in force":  # preparation takes it for no first start
            assert "rows were deleted" in str(await changes.install_shipped(SOURCE))
            assert (await decide(services, policy)).reasons == ("policy_untrusted",)
            return
        if "envelope" in what:  # nor is anything put in force that is damaged
            with pytest.raises(PolicyTrustError):
                await changes.activate(proposed.change_id, did("user:bert"))
        fresh = await changes.propose(stricter(12), did("user:ada"))
        await changes.activate(fresh.change_id, did("user:bert"))
        answer = await decide(services, policy)
        assert answer.allow, answer


async def test_a_decision_behind_others_that_compile_is_denied_in_bounded_time(
    services, monkeypatch
):
    monkeypatch.setattr(policy_process, "WAIT_SECONDS", 0.2)
    async with open_policy(services.ground) as policy:
        async with policy._lock:
            answer = await asyncio.wait_for(decide(services, policy), 20)
        assert (answer.allow, answer.reasons) == (False, ("policy_slow",))
        assert (await decide(services, policy)).allow


async def test_deleting_the_newest_activation_does_not_bring_the_one_before_back(services):
    changes = services.policies
    proposed = await changes.propose(stricter(), did("user:ada"))
    async with open_policy(services.ground) as policy:
        activation = await changes.activate(proposed.change_id, did("user:bert"))
        await change_rows(services, "DELETE FROM policy_changes")
        await change_rows(
            services,
            "DELETE FROM policy_activations WHERE activation_id = %s",
            activation.activation_id,
        )
        answer = await decide(services, policy)
        assert (answer.allow, answer.reasons) == (False, ("policy_untrusted",))
        async with services.ground.pool.connection() as connection:
            with pytest.raises(PolicyTrustError, match=activation.activation_id):
                await policy.find_policy(connection)
            (told,) = await list_unlogged(connection)
            assert told.startswith(f"the activation {activation.activation_id} of a policy is not")
        fresh = await changes.propose(stricter(12), did("user:ada"))
        await changes.activate(fresh.change_id, did("user:bert"))
        assert (await decide(services, policy)).allow, "people can put it right"


async def test_another_order_of_the_rows_brings_no_older_policy_back(services):
    changes = services.policies
    proposed = await changes.propose(stricter(), did("user:ada"))
    async with open_policy(services.ground) as policy:
        activation = await changes.activate(proposed.change_id, did("user:bert"))
        await change_rows(
            services,
            "UPDATE policy_activations SET position = DEFAULT WHERE activation_id <> %s",
            activation.activation_id,
        )
        async with services.ground.pool.connection() as connection:
            active = await find_active(connection)
        assert active.activation_id == activation.activation_id
        assert (await decide(services, policy)).requires_quorum == 2


async def test_a_change_between_two_readings_denies_nothing(services):
    """While policies are put in force one after another, no question meets a contradiction."""
    changes = services.policies

    async def change():
        for bound in (10, 11):
            made = await changes.propose(stricter(bound), did("user:ada"))
            raced = await asyncio.gather(
                *(changes.activate(made.change_id, did(who)) for who in ("user:bert", "user:carl")),
                return_exceptions=True,
            )
            assert sum(isinstance(one, AlreadyDecidedError) for one in raced) == 1

    async def ask(policy):
        while not changing.done():
            answer = await decide(services, policy)
            assert answer.allow, answer

    async with open_policy(services.ground) as here, open_policy(services.ground) as there:
        changing = asyncio.create_task(change())
        await asyncio.gather(changing, ask(here), ask(there))
    async with services.ground.pool.connection() as connection:
        assert len(await list_activations(connection)) == 3
        assert await list_unlogged(connection) == []


async def test_a_new_release_proposes_its_policies_and_changes_nothing(services):
    told = await services.policies.install_shipped(stricter())
    assert "eucora policy activate pch_" in str(told)
    assert await services.policies.install_shipped(stricter()) is None
    async with services.ground.pool.connection() as connection:
        active = await find_active(connection)
        assert active.policy_digest == SOURCE.digest
        assert [version.version for version in await list_versions(connection)] == [2, 1]
    (change,) = await fetch(services, "SELECT change_id, proposed_by FROM policy_changes")
    assert change["proposed_by"] == "system:bootstrap"
    await services.policies.activate(change["change_id"], did("user:ada"))


async def test_a_rollback_passes_over_what_was_rolled_back(services):
    changes = services.policies
    for bound in (10, 11):
        change = await changes.propose(stricter(bound), did("user:ada"))
        await changes.activate(change.change_id, did("user:bert"))
    found = []
    for _ in range(2):
        change = await changes.propose_rollback(did("user:ada"))
        await changes.activate(change.change_id, did("user:bert"))
        found.append(change.policy_digest)
    assert found == [stricter(10).digest, SOURCE.digest]
    async with services.ground.pool.connection() as connection:
        history = await list_activations(connection)
        assert len(history) == 5
        with pytest.raises(PolicyChangeError):
            await find_previous(connection, history[0])
    change = await changes.propose(stricter(12), did("user:ada"))
    await changes.activate(change.change_id, did("user:bert"))
    change = await changes.propose_rollback(did("user:ada"))
    assert change.policy_digest == SOURCE.digest, "11 and 10 were rolled back before"


async def test_questions_are_kept_and_asked_again(services):
    await change_rows(services, "DELETE FROM policy_decisions")
    risky = check_question(
        {
            **next(
                c.question for c in read_cases(SOURCE) if c.name == "above the bound of exceptions"
            )
        }
    )
    async with open_policy(services.ground) as policy:
        await decide(services, policy)
        denied = await decide(services, policy, risky)
        assert denied.reasons == ("exception_missing",)
        async with services.ground.pool.connection() as connection:
            await policy.decide(connection, risky)
            await policy.decide(connection, PLAIN)
            await connection.rollback()  # takes the yes back; the denial stays
    async with services.ground.pool.connection() as connection:
        kept = await list_decisions(connection, limit=10)
        assert [one.allow for one in kept] == [False, False, True]
        assert (await list_decisions(connection, limit=10, proposal_id="pro_2")) == []
        found = await dry_run(SOURCE, kept)
        assert (found.n_asked, found.changed, found.counts) == (3, (), {})
        lenient = SOURCE.files["quorum.rego"].replace(
            "exception_risk := 75", "exception_risk := 99"
        )
        lenient = lenient.replace("cab_risk := 50", "cab_risk := 10")
        files = {**SOURCE.files, "quorum.rego": lenient}
        found = await dry_run(PolicySource(files=files), kept)
        assert found.counts == {"deny->allow": 2, "quorum": 1}
        frozen = SOURCE.files["approval.rego"].replace('"pending"', '"nothing"')
        files = {**SOURCE.files, "approval.rego": frozen}
        found = await dry_run(PolicySource(files=files), kept)
        assert found.counts == {"allow->deny": 1, "reasons": 2}


async def test_old_questions_make_room(services):
    now = services.ground.clock.now()
    async with open_policy(services.ground) as policy:
        for _ in range(3):
            await decide(services, policy)
        await change_rows(
            services, "UPDATE policy_decisions SET decided_at = %s", now - 2 * KEPT_FOR
        )
        (before,) = await fetch(services, "SELECT count(*) AS n FROM policy_decisions")
        for _ in range(before["n"]):
            await decide(services, policy)
    (left,) = await fetch(
        services, "SELECT count(*) AS n FROM policy_decisions WHERE decided_at < %s", now - KEPT_FOR
    )
    assert left["n"] == 0


async def test_nobody_puts_in_force_what_is_not_audited(services, monkeypatch):
    """The row, its evidence and its event are one transaction."""
    change = await services.policies.propose(stricter(), did("user:ada"))

    async def fail(*_arguments, **named):
        if named.get("action") == "policy.activated":
            raise RuntimeError("no audit")
        return await record(*_arguments, **named)

    record = services.ground.audit.record
    monkeypatch.setattr(services.ground.audit, "record", fail)
    with pytest.raises(RuntimeError):
        await PolicyChanges(services.ground).activate(change.change_id, did("user:bert"))
    async with services.ground.pool.connection() as connection:
        active = await find_active(connection)
        assert active.policy_digest == SOURCE.digest
