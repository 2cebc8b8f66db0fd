# SPDX-License-Identifier: Apache-2.0
"""One pseudonym for one person in all that concerns an incident, and its original in the vault."""

import asyncio

import pytest

from guardrails.case_masking import CaseMasker
from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed
from guardrails.masking import Masker
from guardrails.vault import Vault
from kernel.audit import AuditIntake

TICKET = {"<PERSON_1>": "Orla Quennell", "<USERNAME_1>": "oquen7"}


@pytest.fixture(scope="module")
def masker():
    return Masker(["Orla Quennell", "Ulf Sandvoss"])


@pytest.fixture
def vault(clock):
    return Vault(bytes(range(32)), clock)


@pytest.fixture
def cases(masker, vault, pool, clock, ids):
    return CaseMasker(
        masker, DirectoryFeed(pool, Directory(), clock), vault, AuditIntake(clock, ids), pool
    )


@pytest.fixture
async def incident(pool, vault):
    """An incident of a device with a user that no directory knows yet."""
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
            " VALUES ('dev_1', 'ZRH-LT-77', 'linux', now())"
        )
        await connection.execute("INSERT INTO users VALUES ('izorn', 'Ida Zorn')")
        await connection.execute(
            "INSERT INTO device_user_map VALUES ('dev_1', 'izorn', now(), now())"
        )
        await connection.execute(
            "INSERT INTO incidents (incident_id, device_id, source, failure_class, confidence,"
            " severity, status, title, description, episode_key, reported_by, correlation_id,"
            " opened_at, updated_at) VALUES ('inc_1', 'dev_1', 'ticket', 'dns', 1, 'S2', 'open',"
            " 't', '<PERSON_1> called', 'k', 'hanna', 'cor_1', now(), now())"
        )
        await vault.store(connection, "inc_1", TICKET)
    return "inc_1"


async def events(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT actor, after FROM audit_events WHERE action = 'vault.stored'"
        )
        return [(row["actor"], row["after"]["pseudonyms"]) for row in await cursor.fetchall()]


async def mask(cases, pool, incident_id, value):
    async with pool.connection() as connection:
        return await cases.mask_on(
            connection, incident_id, value, actor="device:dev_1", correlation_id="cor_1"
        )


async def test_later_texts_keep_the_incidents_pseudonyms(cases, pool, vault, incident):
    output = ["files of QUENNELL, ORLA and oquen7", {"owner": "Ida Zorn on zrh-lt-77"}]
    masked = await mask(cases, pool, incident, output)
    assert masked == [
        "files of <PERSON_1> and <USERNAME_1>",
        {"owner": "<PERSON_2> on <HOST_1>"},
    ]
    reason = await cases.mask_apart(
        incident, "Ida says Orla's disk; Ulf Sandvoss agrees", actor="user:a", correlation_id="c"
    )
    assert reason == "<PERSON_2> says <PERSON_1>'s disk; <PERSON_3> agrees"
    async with pool.connection() as connection:
        assert await vault.reveal(connection, incident) == TICKET | {
            "<PERSON_2>": "Ida Zorn", "<HOST_1>": "zrh-lt-77", "<PERSON_3>": "Ulf Sandvoss",
        }  # fmt: skip
    assert await events(pool) == [
        ("device:dev_1", ["<HOST_1>", "<PERSON_2>"]),
        ("user:a", ["<PERSON_3>"]),
    ]


async def test_masking_again_changes_nothing(cases, pool, incident):
    masked = await mask(cases, pool, incident, "Ida Zorn on 10.0.0.7")
    assert await mask(cases, pool, incident, masked) == masked
    assert await mask(cases, pool, incident, "Ida Zorn on 10.0.0.7") == masked
    assert len(await events(pool)) == 1


async def test_two_who_name_somebody_new_at_once_agree(cases, pool, vault, incident):
    texts = [f"host 10.0.0.{number} is down" for number in range(5)]
    masked = await asyncio.gather(*(mask(cases, pool, incident, text) for text in texts))
    assert sorted(masked) == [f"host <IP_{number + 1}> is down" for number in range(5)]
    async with pool.connection() as connection:
        originals = await vault.reveal(connection, incident)
    told = {text.split()[1]: one.split()[1] for text, one in zip(texts, masked, strict=True)}
    assert {originals[pseudonym]: pseudonym for pseudonym in told.values()} == told


async def test_of_an_erased_incident_nothing_is_kept(cases, pool, vault, incident):
    async with pool.connection() as connection:
        await vault.shred(connection, incident)
    assert await mask(cases, pool, incident, "Ida Zorn") == "<PERSON_2>"
    assert await events(pool) == []


async def test_nobody_comes_to_the_number_of_an_erased_person(cases, pool, vault, incident):
    assert await mask(cases, pool, incident, "Ida Zorn") == "<PERSON_2>"
    async with pool.connection() as connection:
        await vault.shred(connection, incident)
    texts = ["Ulf Sandvoss", *(f"host 10.0.0.{number} of Ida Zorn" for number in range(4))]
    masked = await asyncio.gather(*(mask(cases, pool, incident, text) for text in texts))
    given = [word for one in masked for word in one.split() if word.startswith("<")]
    assert len(set(given)) == len(given) == 9, "each text of its own, also two at once"
    assert not {"<PERSON_1>", "<PERSON_2>"} & set(given), "they stand for others in older texts"
    assert await mask(cases, pool, incident, "Orla Quennell") == "<PERSON_8>"
    async with pool.connection() as connection:
        await vault.shred(connection, incident)
    assert await mask(cases, pool, incident, "Orla Quennell") == "<PERSON_9>", "erased again"


async def test_erasing_while_something_is_masked_keeps_nothing(cases, pool, vault, incident):
    """The key is read, the person is erased, and only then is the text masked."""

    class ErasedMeanwhile(Vault):
        async def reveal(self, connection, subject_id):
            known = await super().reveal(connection, subject_id)
            async with pool.connection() as apart:
                await vault.shred(apart, subject_id)
            return known

    cases._vault = ErasedMeanwhile(bytes(range(32)), cases._vault._clock)
    assert await mask(cases, pool, incident, "Ulf Sandvoss") == "<PERSON_2>"
    assert await events(pool) == []


async def test_of_an_unknown_incident_nothing_is_kept(cases, pool):
    assert await mask(cases, pool, "inc_none", "Orla Quennell") == "<PERSON_1>"
    assert await events(pool) == []
