# SPDX-License-Identifier: Apache-2.0
"""Files over HTTP: bounded, screened, answered with a verdict or a problem that says why."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from retrieval.parsing.limits import MEGABYTE
from tests.api.observation import changed, check_problem, count_rows, events_of
from tests.stack.clamd import MARKER, open_clamd
from tests.stack.copies import open_copy
from tests.stack.served import Served, find_free_port, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
ARTICLE = b"# Wombat dock\n\nThe wombat dock loses its display: reseat the left cable.\n"
FILES = "/v1/knowledge/sources/manuals/files"


@pytest.fixture(scope="module")
def clamd():
    with open_clamd() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    prepared, prepared_postgres, champions, embedder, tmp_path_factory, clamd
) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    values = {"port": find_free_port(), "device_port": find_free_port(), "clamd": clamd.unix}
    async with (
        open_copy(prepared, prepared_postgres, champions, embedder, folder, **values) as services,
        serve(services, folder) as opened,
    ):
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(served):
    return await served.service("knowledge")


async def send(service, content, name="wombat.md", path=FILES, **fields):
    return await service.post(path, files={"file": (name, content)}, data=fields)


async def test_a_file_is_brought_listed_and_removed(served, service):
    answer = await send(
        service, ARTICLE, name="C:\\Users\\x\\wombat.md", trust="internal", group=["desk", "net"]
    )
    assert answer.status_code == 201, answer.text
    brought = answer.json()
    assert (brought["path"], brought["verdict"]) == ("wombat.md", "stored")
    assert brought["source"] == "manuals"
    (document_id,) = brought["document_ids"]
    (document,) = await served.query(
        "SELECT title, trust, access_groups FROM documents WHERE document_id = %s", document_id
    )
    assert document == {
        "title": "Wombat dock", "trust": "internal", "access_groups": ["desk", "net"],
    }  # fmt: skip
    events = await events_of(served, answer.headers["x-correlation-id"])
    assert {event["actor"] for event in events} == {"service:monitor-knowledge"}
    assert [event["action"] for event in events] == [
        "source.created", "ingestion.started", "document.stored", "knowledge_file.stored",
        "ingestion.finished",
    ]  # fmt: skip

    again = await send(service, ARTICLE)
    assert (again.status_code, again.json()["verdict"]) == (200, "unchanged")
    sources = (await service.get("/v1/knowledge/sources")).json()["sources"]
    (manuals,) = [each for each in sources if each["source"] == "manuals"]
    assert (manuals["documents"], manuals["trust"]) == (1, "internal")
    listed = (await service.get(FILES, params={"verdict": "stored"})).json()["files"]
    assert [each["path"] for each in listed] == ["wombat.md"]
    gone = await service.delete(FILES, params={"path": "wombat.md"})
    assert gone.json() == {"documents": 1}
    check_problem(await service.delete(FILES, params={"path": "wombat.md"}), 404)
    assert (await send(service, ARTICLE)).status_code == 201
    assert (await service.delete("/v1/knowledge/sources/manuals")).json() == {"documents": 1}


async def test_a_service_knows_of_no_source_that_is_others(served, service):
    closed = "/v1/knowledge/sources/payroll"
    assert (await send(service, ARTICLE, path=f"{closed}/files", group="audit")).status_code == 201
    assert (await service.get(f"{closed}/files")).status_code == 200  # it made the source
    other = await served.service("knowledge", "incidents")
    sources = (await other.get("/v1/knowledge/sources")).json()["sources"]
    assert "payroll" not in [each["source"] for each in sources]
    before = await count_rows(served)
    opening = {"group": "service:monitor-knowledge-incidents"}
    answer = await send(other, b"# Key\n\nOpens it.", "key.md", f"{closed}/files", **opening)
    check_problem(answer, 409, "take another name")
    check_problem(await other.get(f"{closed}/files"), 404)
    check_problem(await other.delete(f"{closed}/files", params={"path": "wombat.md"}), 404)
    check_problem(await other.delete(closed), 404)
    assert changed(before, await count_rows(served)) == set()
    assert (await service.delete(closed)).json() == {"documents": 1}


async def test_a_bad_file_is_answered_with_its_reason(served, service):
    for content, name, verdict, reason in (
        (b"%PDF-1.7\n broken", "broken.pdf", "rejected", "broken"),
        (b" ", "empty.md", "rejected", "empty"),
        (b"MZ\x00\x01\x02", "tool.exe", "rejected", "unknown_format"),
        (b"# Virus\n\n" + MARKER, "virus.md", "quarantined", "infected"),
    ):
        problem = check_problem(await send(service, content, name), 422)
        assert (problem["verdict"], problem["reason"]) == (verdict, reason), name
        assert problem["detail"]
    refused = (await service.get(FILES, params={"verdict": "rejected"})).json()["files"]
    assert len(refused) == 3


async def test_bad_requests_change_nothing(served, service):
    before = await count_rows(served)
    body = b"x" * (51 * MEGABYTE)
    check_problem(await send(service, body), 413, "exceeds")
    check_problem(await service.post(FILES, json={"file": "x"}), 415)
    check_problem(await service.post(FILES, data={"trust": "internal"}), 415)
    malformed = {"content-type": "multipart/form-data; boundary=x"}
    check_problem(await service.post(FILES, content=b"--x\r\nwhat", headers=malformed), 400)
    check_problem(
        await service.post(FILES, content=b"", headers={"content-type": "multipart/form-data"}),
        400,
    )
    check_problem(await service.post(FILES, files={"other": ("a.md", ARTICLE)}), 400, "field")
    two = [("file", ("a.md", ARTICLE)), ("file", ("b.md", ARTICLE))]
    check_problem(await service.post(FILES, files=two), 400)
    check_problem(await send(service, ARTICLE, name="..."), 400, "no name")
    check_problem(await send(service, ARTICLE, trust="starter"), 400, "internal or external")
    check_problem(await send(service, ARTICLE, platform="amiga"), 400)
    check_problem(await send(service, ARTICLE, group="x" * 61), 422)
    check_problem(await send(service, ARTICLE, group="a\x00b"), 400)
    for name in ("starter", "Upper", "-x", "x" * 41, "%2e%2e"):
        answer = await send(service, ARTICLE, path=f"/v1/knowledge/sources/{name}/files")
        check_problem(answer, 422)
    check_problem(await service.get("/v1/knowledge/sources/nothing/files"), 404)
    check_problem(await service.delete("/v1/knowledge/sources/nothing"), 404)
    assert changed(before, await count_rows(served)) == set()


async def test_only_services_with_the_scope_come_in(served):
    other = await served.service("telemetry", "incidents", "read")
    stranger = await served.client()
    before = await count_rows(served)
    for client, status in ((other, 403), (stranger, 401)):
        check_problem(await send(client, ARTICLE), status)
        check_problem(await client.get("/v1/knowledge/sources"), status)
        check_problem(await client.get(FILES), status)
        check_problem(await client.delete(FILES, params={"path": "x"}), status)
    assert changed(before, await count_rows(served)) == set()


async def test_without_a_scanner_no_file_is_taken(served, service, clamd):
    before = await count_rows(served)
    clamd.kill()
    check_problem(await send(service, ARTICLE, name="late.md"), 503)
    assert changed(before, await count_rows(served)) == set()
