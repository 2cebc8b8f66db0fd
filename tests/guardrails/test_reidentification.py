# SPDX-License-Identifier: Apache-2.0
"""Originals are shown for a reason, within bounds and on record; erased ones never again."""

import pytest

from guardrails.case_masking import CaseMasker
from guardrails.directory import Directory
from guardrails.directory_feed import DirectoryFeed
from guardrails.directory_import import import_names, read_names
from guardrails.erasure import erase_person, find_incidents_of
from guardrails.errors import (
    DirectoryFileError,
    PseudonymMissingError,
    RevealBoundError,
    RevealRefusedError,
    SubjectShreddedError,
    VaultError,
)
from guardrails.masking import Masker
from guardrails.reidentification import MAX_PER_HOUR, Reidentification, RevealRequest
from guardrails.vault import Vault
from kernel.audit import AuditIntake
from telemetry.people import People

REASON = "Orla Quennell must be called back"


@pytest.fixture
def audit(clock, ids):
    return AuditIntake(clock, ids)


@pytest.fixture
def vault(clock):
    return Vault(bytes(range(32)), clock)


@pytest.fixture(scope="module")
def masker():
    return Masker(["Orla Quennell"])


@pytest.fixture
def reidentification(masker, vault, audit, pool, clock, ids):
    cases = CaseMasker(masker, DirectoryFeed(pool, Directory(), clock), vault, audit, pool)
    return Reidentification(vault, cases, clock, ids, audit, refusals=pool)


@pytest.fixture
async def incidents(pool, vault):
    """Three incidents: of Orla, of Orla by another name, of somebody else."""
    originals = (
        {"<PERSON_1>": "Orla Quennell", "<IP_1>": "10.0.0.7"},
        {"<USERNAME_1>": r"CORP\oquen7", "<PERSON_1>": "Ida Zorn"},
        {"<PERSON_1>": "Ida Zorn"},
    )
    names = [f"inc_{number}" for number in range(len(originals))]
    async with pool.connection() as connection:
        for name, kept in zip(names, originals, strict=True):
            await connection.execute(
                "INSERT INTO incidents (incident_id, source, failure_class, confidence, severity,"
                " status, title, description, episode_key, reported_by, correlation_id, opened_at,"
                " updated_at) VALUES (%s, 'ticket', 'dns', 1, 'S2', 'open', 't', 'd', 'k', 'hanna',"
                " 'cor_1', now(), now())",
                (name,),
            )
            await vault.store(connection, name, kept)
        await connection.execute(
            "INSERT INTO users VALUES ('oquen7', 'Orla Quennell', 'orla@corp.example')"
        )
    return names


async def reveal(reidentification, pool, incident_id, *pseudonyms, reason=REASON, actor="user:sec"):
    async with pool.connection() as connection:
        return await reidentification.reveal(
            connection,
            RevealRequest(
                incident_id=incident_id, pseudonyms=pseudonyms, actor=actor, reason=reason,
                correlation_id="cor_9",
            ),
        )  # fmt: skip


async def list_events(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT action, actor, subject_id, after FROM audit_events ORDER BY position"
        )
        return await cursor.fetchall()


async def test_only_what_is_asked_for_is_shown_and_recorded(reidentification, pool, incidents):
    assert await reveal(reidentification, pool, "inc_0", "<IP_1>") == {"<IP_1>": "10.0.0.7"}
    (event,) = await list_events(pool)
    assert event == {
        "action": "vault.revealed", "actor": "user:sec", "subject_id": "inc_0",
        "after": {"pseudonyms": ["<IP_1>"], "reason": "<PERSON_1> must be called back"},
    }  # fmt: skip
    async with pool.connection() as connection:
        holding = await reidentification.describe(connection, "inc_0")
    assert holding.pseudonyms == ("<IP_1>", "<PERSON_1>")
    assert [one["pseudonyms"] for one in holding.reveals] == [["<IP_1>"]]


@pytest.mark.parametrize(
    ("pseudonyms", "reason", "error"),
    [
        ((), REASON, RevealRefusedError),
        (("<IP_1>",), "because", RevealRefusedError),
        (("<IP_1>",), "because " * 200, RevealRefusedError),
        (("<IP_1>", "<IP_9>"), REASON, PseudonymMissingError),
        (("Orla Quennell",), REASON, PseudonymMissingError),
    ],
)
async def test_refusals_are_audited(reidentification, pool, incidents, pseudonyms, reason, error):
    with pytest.raises(error):
        await reveal(reidentification, pool, "inc_0", *pseudonyms, reason=reason)
    (event,) = await list_events(pool)
    assert event["action"] == "vault.reveal_refused"
    assert "Quennell" not in str(event)


async def test_the_bound_is_of_a_person_and_an_hour(
    reidentification, pool, incidents, clock, vault
):
    many = {f"<IP_{number}>": f"10.0.1.{number}" for number in range(2, MAX_PER_HOUR + 1)}
    async with pool.connection() as connection:
        await vault.store(connection, "inc_0", many)
    await reveal(reidentification, pool, "inc_0", *many)
    await reveal(reidentification, pool, "inc_0", "<IP_1>")
    with pytest.raises(RevealBoundError):
        await reveal(reidentification, pool, "inc_0", "<PERSON_1>")
    await reveal(reidentification, pool, "inc_0", "<PERSON_1>", actor="user:other")
    clock.advance(3601)
    await reveal(reidentification, pool, "inc_0", "<PERSON_1>")


async def test_an_erased_person_is_revealed_no_more(
    reidentification, pool, incidents, vault, audit
):
    async with pool.connection() as connection:
        assert await find_incidents_of(connection, vault, "oquen7") == ["inc_0", "inc_1"]
        erased = await erase_person(
            connection, vault, People(), audit, "oquen7",
            actor="cli:dpo", correlation_id="cor_8", reason="they asked",
        )  # fmt: skip
    assert erased.incident_ids == ("inc_0", "inc_1")
    assert erased.was_known
    with pytest.raises(SubjectShreddedError, match="erased"):
        await reveal(reidentification, pool, "inc_0", "<IP_1>")
    assert await reveal(reidentification, pool, "inc_2", "<PERSON_1>") == {"<PERSON_1>": "Ida Zorn"}
    async with pool.connection() as connection:
        holding = await reidentification.describe(connection, "inc_0")
        assert holding.pseudonyms == ()
        assert holding.erased_at is not None
        cursor = await connection.execute("SELECT 1 FROM users")
        assert await cursor.fetchall() == []
    recorded = str(await list_events(pool)).casefold()
    assert "person.erased" in recorded
    assert not {word for word in ("oquen7", "quennell") if word in recorded}
    async with pool.connection() as connection:
        with pytest.raises(VaultError, match=r"nothing names .* column user_id of the file that"):
            await erase_person(
                connection, vault, People(), audit, "oquen7",
                actor="cli:dpo", correlation_id="cor_8", reason="they asked",
            )  # fmt: skip


@pytest.mark.parametrize("called", ["orla quennell", "ORLA@corp.example", "Oquen7"])
async def test_who_is_called_by_a_name_is_told_with_the_user_id(pool, audit, vault, called):
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO users (user_id, display_name, upn)"
            " VALUES ('oquen7', 'Orla Quennell', 'orla@corp.example')"
        )
        with pytest.raises(VaultError, match="is no user id, but how the directory calls oquen7:"):
            await erase_person(
                connection, vault, People(), audit, called,
                actor="cli:dpo", correlation_id="cor_8", reason="they asked",
            )  # fmt: skip


async def test_a_directory_is_imported_and_stated_again(pool, audit, clock, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        "user_id,display_name,upn,asset_tag,more\n"
        'oquen7,"Quennell, Orla",orla@corp.example,AT-1,x\n'
        ",Ulf Sandvoss,,,\n",
        encoding="utf-8-sig",
    )
    counts = []
    for _ in range(2):
        async with pool.connection() as connection:
            found = await import_names(
                connection,
                read_names(path),
                People(),
                clock,
                audit,
                actor="cli:a",
                correlation_id="c",
            )
            counts.append((found.n_users, found.n_entries))
    assert counts == [(1, 2), (0, 0)]
    assert [event["after"] for event in await list_events(pool)] == [
        {"n_users": 1, "n_entries": 2}, {"n_users": 0, "n_entries": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a,b\n1,2\n", "names none of the columns"),
        (b"user_id\n\xff\xfe\n", "UTF-8"),
        (b"user_id\n" + b"x" * 300 + b"\n", "line 2: user_id"),
        (b"", "names none of the columns"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, content, complaint):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(DirectoryFileError, match=complaint):
        read_names(path)
