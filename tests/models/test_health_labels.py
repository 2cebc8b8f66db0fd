# SPDX-License-Identifier: Apache-2.0
"""People's labels teach the health classifier what the simulator draws otherwise, within bounds.

The real fleet is simulated too, with one pattern drawn as no training draws it.
"""

from dataclasses import replace

import numpy as np
import pytest

from contracts.failure import FailureClass as F
from models.abstention import read_abstention
from models.features import N_FEATURES
from models.gate import Outcome, compare_versions
from models.health_labels import LABEL_WEIGHT, divide_windows
from models.health_training import train_health
from models.judgement import judge_classifier
from models.labelled_windows import LabelledWindow, list_labelled_windows, name_class
from models.simulated_training import simulate_windows
from telemetry.simulated_faults import FAULTS, Effect
from tests.models.settled import add_case, add_label

OTHERWISE = (  # bad reception that shows in names and lost packets, below every limit of reception
    Effect(signal="dns_failure_percent", mild=8, hard=30),
    Effect(signal="dns_latency_ms", mild=200, hard=900),
    Effect(signal="packet_loss_percent", mild=3, hard=8),
)
PEOPLE = ("user:ada", "user:bob", "user:cy")


def draw_otherwise(seed):
    """Return windows of devices with bad reception as the simulator does not know it."""
    with pytest.MonkeyPatch.context() as patch:
        changed = replace(FAULTS[F.WIFI_VPN], effects=OTHERWISE)
        patch.setitem(FAULTS, F.WIFI_VPN, changed)
        found = simulate_windows("real", seed=seed, n_devices_per_pattern=120, subtle_share=0.0)
    return found.features[np.array(found.patterns) == F.WIFI_VPN]


def label(features, name, people=PEOPLE):
    return [
        LabelledWindow(
            incident_id=f"inc_{number}", device_id=f"dev-{number}", features=row, label=name,
            person=people[number % len(people)],
        )
        for number, row in enumerate(features)
    ]  # fmt: skip


def ask(fit, features):
    """Return the shares of windows that are answered right and wrong, by class asked for."""
    names = np.array([str(one) for one in fit.model.classes_])
    probabilities = fit.model.predict_proba(features)
    answered = read_abstention(fit.model).answers(names.tolist(), probabilities)
    return names[probabilities.argmax(axis=1)], answered


@pytest.fixture(scope="module")
def simulated_alone():
    return train_health(0, lambda _: None)


@pytest.fixture(scope="module")
def taught():
    return train_health(0, lambda _: None, windows=label(draw_otherwise(1)[:40], "wifi_vpn"))


def gate(before, after):
    return compare_versions(
        judge_classifier(before.model, after.held_back),
        judge_classifier(after.model, after.held_back),
        has_champion=True,
        seed=0,
    ).verdict


def test_forty_labels_change_what_is_answered_and_nothing_else(simulated_alone, taught):
    unseen = draw_otherwise(2)
    predicted, answered = ask(simulated_alone, unseen)
    assert (answered & (predicted == "wifi_vpn")).mean() < 0.1
    assert (answered & (predicted != "wifi_vpn")).mean() > 0.5, "it is sure, and wrong"
    predicted, answered = ask(taught, unseen)
    assert (answered & (predicted == "wifi_vpn")).mean() > 0.75
    assert (answered & (predicted != "wifi_vpn")).mean() < 0.12
    for figure in ("macro_f1", "coverage", "reached_accuracy"):
        assert taught.metrics[figure] == pytest.approx(simulated_alone.metrics[figure], abs=0.01)
    assert taught.metrics["false_alarms_healthy"] <= 0.02
    assert taught.metrics["labelled/accuracy"] > 0.6
    assert gate(simulated_alone, taught).outcome is not Outcome.FAIL


def test_what_is_held_back_is_real_too_and_never_learned(taught):
    windows = label(draw_otherwise(1)[:40], "wifi_vpn")
    known, judged = divide_windows(windows)
    assert set(known.devices) | set(judged.devices) == {one.device_id for one in windows}
    assert not set(known.devices) & set(judged.devices)
    assert len(judged.labels) == taught.params["n_labels_held_back"] > 3
    names = {f"health:{incident}" for incident in judged.incidents}
    assert names <= set(taught.held_back.case_ids)
    assert not {f"health:{incident}" for incident in known.incidents} & set(
        taught.held_back.case_ids
    )
    assert len(taught.held_back.groups) == len(taught.held_back.labels)


def test_the_card_says_how_many_labels_of_whom_went_in(simulated_alone, taught):
    card = taught.card.training_data
    n_known = taught.params["n_labels"]
    assert f"{n_known} windows of {n_known} real devices, labelled by 3 people" in card
    assert f"each counting as {LABEL_WEIGHT:g} simulated ones" in card
    assert "No incident that a person labelled went in." in simulated_alone.card.training_data
    assert simulated_alone.params["n_labels"] == 0
    assert simulated_alone.held_back.groups is None
    assert taught.digest_of_data != simulated_alone.digest_of_data


def test_a_handful_of_wrong_labels_does_little_and_many_are_stopped(simulated_alone):
    """Sure cases of one class, called another one by one person."""
    wrong = simulate_windows("wrong", seed=5, n_devices_per_pattern=80)
    of_dns = wrong.features[np.array(wrong.patterns) == F.DNS]
    unseen = simulate_windows("test", seed=77, n_devices_per_pattern=60)
    is_dns = np.array(unseen.labels) == "dns"
    shares, verdicts = {}, {}
    for n_wrong in (5, 60):
        windows = label(of_dns[:n_wrong], "thermal", ("user:eve",))
        misled = train_health(0, lambda _: None, windows=windows)
        predicted, answered = ask(misled, unseen.features)
        shares[n_wrong] = (answered & (predicted == "dns"))[is_dns].mean()
        called_thermal = answered & (predicted == "thermal") & is_dns
        assert not called_thermal.any(), "silent rather than wrong"
        verdicts[n_wrong] = gate(simulated_alone, misled).outcome
    predicted, answered = ask(simulated_alone, unseen.features)
    assert shares[5] >= (answered & (predicted == "dns"))[is_dns].mean() - 0.05
    assert verdicts[5] is not Outcome.PASS
    assert verdicts[60] is Outcome.FAIL, "a person would have to be blind to promote it"


def test_what_a_verified_fix_proves_makes_room_for_people_and_is_nobodys_word():
    rows = np.zeros((90, N_FEATURES))
    said = label(rows, "dns", ("user:eve", "cli:eve", "user:mallory"))
    proved = [replace(one, is_proved=number < 30) for number, one in enumerate(said)]
    sizes = []
    for windows in (said, proved):
        whole = divide_windows(windows)[0].at(range(60))
        assert len(whole.labels) == 60
        sizes.append(len(whole.bound(["dns"] * 12).labels))
    assert sizes[0] == 12, "half of the class"
    assert sizes[1] > 30


async def test_a_label_is_proved_by_an_approved_fix_for_its_class_that_held(connection):
    await connection.execute(
        "INSERT INTO scripts (script_id, version, title, author, platforms, interpreter,"
        " failure_classes, manifest, content_sha256, imported_at) VALUES ('script-a', '1.0.0',"
        " 't', 'ada', '{linux}', 'sh', '{disk_full,dns}', '{}', repeat('0', 64), now())"
    )
    cases = {
        "held": ("disk_full", ("approve", "succeeded")),
        "another": ("dns", ("approve", "succeeded")),  # the script cures it, and was not for it
        "unapproved": ("disk_full", ("succeeded",)),
        "waiting": ("disk_full", ("approve",)),
        "failed": ("disk_full", ("approve", "succeeded", "failed")),
    }
    for name, (stated, labels) in cases.items():
        proposal_id = await add_case(connection, name)
        for each in labels:
            await add_label(connection, proposal_id, each)
        await connection.execute(
            "INSERT INTO incident_class_labels (label_id, incident_id, from_class,"
            " from_confidence, failure_class, actor, reason, created_at)"
            " VALUES (%s, %s, 'unknown', 0, %s, 'user:ada', '', now())",
            (f"icl_{name}", f"inc_{name}", stated),
        )
        await connection.execute(
            "INSERT INTO labelled_windows VALUES (%s, 'dev-1', '[{}]', now())", (f"inc_{name}",)
        )
    found = await list_labelled_windows(connection)
    assert {one.incident_id for one in found if one.is_proved} == {"inc_held"}
    assert [one.person for one in found] == ["user:ada"] * len(cases)


def test_programs_are_one_class_to_it_and_no_fault_is_unknown():
    assert name_class("mail_client") == name_class("browser") == "app_crash"
    assert name_class("unknown") == "unknown"
    assert name_class("dns") == "dns"
