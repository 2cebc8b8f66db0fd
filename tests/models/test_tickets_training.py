# SPDX-License-Identifier: Apache-2.0
"""What the ticket classifier learns from: phrasings, labelled masked tickets, nothing held back."""

from pathlib import Path

import pytest

from models import ticket_training
from models.ticket_corpus import build_corpus, is_held_back
from models.ticket_labels import LabelledTicket, conclude_class, list_labelled_tickets
from models.ticket_training import choose_tickets, train_tickets
from models.tickets import fit_ticket_model
from tests.models.settled import MOMENT, add_case, add_label

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TICKETS = [
    LabelledTicket(
        masked_text=f"The kettle{number} says frobnicate\n<USERNAME_1>",
        label="dns",
        device=f"d{number}",
    )
    for number in range(20)
]


@pytest.fixture(scope="module")
def trained():
    """Return a fit on phrasings and tickets, and the texts that it learned from."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ticket_training,
            "fit_ticket_model",
            lambda texts, *rest, **given: (
                seen.extend(texts) or fit_ticket_model(texts, *rest, **given)
            ),
        )
        return train_tickets(KNOWLEDGE, 3, lambda _: None, TICKETS), seen


def test_what_is_held_back_is_never_learned(trained):
    fit, seen = trained
    assert len(fit.held_back.inputs) == len(fit.held_back.labels) > 150
    assert not set(fit.held_back.inputs) & set(seen)
    assert len(set(fit.held_back.case_ids)) == len(fit.held_back.inputs)


def test_which_groups_are_held_back_never_changes():
    assert [number for number in range(20) if is_held_back(f"dns/{number}")] == [11, 12, 14]


def test_versions_of_any_seed_are_judged_on_the_same_texts_and_learn_from_others():
    judged, known = [], []
    for seed in (0, 1):
        examples = build_corpus(KNOWLEDGE, seed=seed).examples
        judged.append([one for one in examples if is_held_back(one.group)])
        known.append({one.text for one in examples if not is_held_back(one.group)})
    assert judged[0] == judged[1]
    assert len(judged[0]) > 150
    assert known[0] != known[1]


def test_real_tickets_are_learned_or_held_back(trained):
    fit, seen = trained
    texts = {one.masked_text for one in TICKETS}
    assert texts == (texts & set(seen)) | (texts & set(fit.held_back.inputs))
    assert 0 < len(texts & set(fit.held_back.inputs)) < len(texts)
    assert fit.params["n_real_tickets"] == len(TICKETS)


def test_the_figures_of_abstention_are_stated(trained):
    metrics = trained[0].metrics
    assert metrics["macro_f1"] > 0.7
    assert metrics["calibration_error"] < 0.1
    assert metrics["reached_accuracy"] >= metrics["target_accuracy"] - 0.03
    assert 0.4 < metrics["coverage"] < metrics["pooled_coverage"]


@pytest.mark.parametrize(
    ("said", "cured", "label"),
    [
        ("unknown", ["dns"], "dns"),
        ("thermal", ["dns"], "dns"),
        ("dns", ["dns", "dhcp"], "dns"),
        ("thermal", ["dns", "dhcp"], None),
        ("unknown", ["unknown"], None),
        ("dns", [], None),
        ("dns", ["no such class"], None),
    ],
)
def test_a_fix_proves_a_class_or_leaves_several(said, cured, label):
    assert conclude_class(said, cured) == label


async def add_script(connection, script_id, failure_classes):
    await connection.execute(
        "INSERT INTO scripts (script_id, version, title, author, platforms, interpreter,"
        " failure_classes, manifest, content_sha256, imported_at)"
        " VALUES (%s, '1.0.0', 't', 'ada', '{linux}', 'sh', %s, '{}', %s, %s)",
        (script_id, failure_classes, "0" * 64, MOMENT),
    )


async def add_ticket(connection, name, *labels, source="ticket", **changes):
    proposal_id = await add_case(connection, name, **changes)
    await connection.execute(
        "UPDATE incidents SET source = %s, title = %s, description = '<USERNAME_1> waits'"
        " WHERE incident_id = %s",
        (source, name, f"inc_{name}"),
    )
    for label in labels:
        await add_label(connection, proposal_id, label)
    return proposal_id


async def test_people_and_telemetry_label_tickets(connection):
    await add_script(connection, "script-a", ["disk_full"])
    await add_script(connection, "script-b", ["dns"])
    await add_ticket(connection, "proved", "approve", "succeeded", minute=1)
    await add_ticket(connection, "only approved", "approve", minute=2)
    await add_ticket(connection, "failed", "approve", "failed", minute=3)
    await add_ticket(connection, "rejected", "reject", status="rejected", minute=4)
    await add_ticket(connection, "detected", "approve", "succeeded", source="detection", minute=5)
    overridden = await add_ticket(
        connection, "corrected", "override", status="overridden", minute=6
    )
    await add_case(connection, "corrected later", script_id="script-b", parent=overridden, minute=7)
    await connection.execute(
        "UPDATE proposals SET incident_id = 'inc_corrected'"
        " WHERE proposal_id = 'prp_corrected later'"
    )
    assert await list_labelled_tickets(connection) == [
        LabelledTicket(masked_text="proved\n<USERNAME_1> waits", label="disk_full", device="dev-1"),
        LabelledTicket(
            masked_text="corrected\n<USERNAME_1> waits",
            label="dns",
            person="system",  # who asked for the replacement
            device="dev-1",
        ),
    ]
    await add_label(connection, "prp_corrected later", "failed")
    found = await list_labelled_tickets(connection)
    assert [one.label for one in found] == ["disk_full"]


async def state_class(connection, incident_id, failure_class, actor="user:ada"):
    await connection.execute(
        "INSERT INTO incident_class_labels (label_id, incident_id, from_class, from_confidence,"
        " failure_class, actor, reason, created_at) VALUES (%s, %s, 'unknown', 0, %s, %s, '', %s)",
        (f"icl_{incident_id}_{failure_class}", incident_id, failure_class, actor, MOMENT),
    )


async def test_what_people_state_comes_first(connection):
    await add_script(connection, "script-a", ["disk_full"])
    await add_ticket(connection, "proved", "approve", "succeeded", minute=1)
    await add_ticket(connection, "open", minute=2)
    await add_ticket(connection, "detected", source="detection", minute=3)
    for name in ("proved", "detected"):
        await state_class(connection, f"inc_{name}", "dns")
    await state_class(connection, "inc_open", "proxy")
    await state_class(connection, "inc_open", "unknown", "user:bob")
    found = await list_labelled_tickets(connection)
    assert [(one.masked_text.split("\n")[0], one.label, one.person) for one in found] == [
        ("proved", "dns", "user:ada"),
        ("open", "unknown", "user:bob"),
    ]


async def test_a_ticket_without_a_device_is_bounded_by_who_reported_it(connection):
    await add_script(connection, "script-a", ["disk_full"])
    for name, reporter in (("one", "user:Eve"), ("two", "cli:eve"), ("three", "user:bob")):
        await add_ticket(connection, name)
        await connection.execute(
            "UPDATE incidents SET device_id = NULL, reported_by = %s WHERE incident_id = %s",
            (reporter, f"inc_{name}"),
        )
        await state_class(connection, f"inc_{name}", "dns")
    found = await list_labelled_tickets(connection)
    assert [one.device for one in found] == ["reported by eve"] * 2 + ["reported by bob"]


def flood(people, device):
    return [
        LabelledTicket(
            masked_text=f"t{number}", label="dns", person=people[number % len(people)],
            device=device(number),
        )
        for number in range(500)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("people", "of_others"),
    [(["user:eve"], 1 / 2), (["user:eve", "cli:eve"], 1 / 2), (["user:eve", "user:mallory"], 1.0)],
)
def test_peoples_tickets_are_bounded_beside_phrasings_and_proved_ones(people, of_others):
    corpus = build_corpus(KNOWLEDGE, seed=0).examples
    n_others = sum(one.label == "dns" for one in corpus) + len(TICKETS)
    said = flood(people, str)
    kept = choose_tickets([*TICKETS, *said], corpus)
    assert [one for one in kept if one.person] == said[-int(n_others * of_others) :]
    assert kept[: len(TICKETS)] == TICKETS


def test_tickets_that_name_no_device_are_few():
    corpus = build_corpus(KNOWLEDGE, seed=0).examples
    n_phrasings = sum(one.label == "dns" for one in corpus)
    for device in ("reported by eve", ""):
        kept = choose_tickets(flood(["user:eve", "user:mallory"], lambda _, d=device: d), corpus)
        assert len(kept) == n_phrasings // 9
