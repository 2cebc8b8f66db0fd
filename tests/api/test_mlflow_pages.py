# SPDX-License-Identifier: Apache-2.0
"""MLflow's own pages: behind the login, to be read only, and without a word of the database."""

import asyncio
import re
from pathlib import Path

import pytest

from api.accounts import Role
from api.mlflow_pages import may_ask
from tests.api.visitor import PASSWORD, make_person, visit
from tests.stack.browser import PATIENCE_MILLISECONDS, open_browser

ROOT = "/models/mlflow/"
API = "ajax-api/2.0/mlflow"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "static-files/static/js/main.js"),
        ("GET", f"{API}/registered-models/search"),
        ("GET", "get-artifact"),
        ("POST", f"{API}/runs/search"),
        ("POST", f"{API}/experiments/search-datasets"),
        ("POST", "ajax-api/3.0/mlflow/traces/search"),
    ],
)
def test_reading_is_let_pass(method, path):
    assert may_ask(method, path, None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/registered-models/alias"),
        ("POST", f"{API}/registered-models/create"),
        ("POST", f"{API}/runs/create"),
        ("POST", f"{API}/runs/delete"),
        ("POST", f"{API}/runs/search/../delete"),
        ("POST", f"{API}/upload-artifact"),
        ("POST", f"{API}/gateway-proxy"),
        ("POST", "ajax-api/3.0/mlflow/review-queues/get-or-create-user"),
        ("GET", "ajax-api/3.0/mlflow/%67ateway/secrets/list"),
        ("GET", "static-files/%2e%2e/secret"),
        ("GET", "ajax-api/3.0/mlflow//assistant/config"),
        ("GET", f"{API}/gateway-proxy"),
        ("GET", "ajax-api/3.0/mlflow/assistant/config"),
        ("GET", "graphql"),
        ("GET", "ajax-api/2.0/mlflow-artifacts/artifacts/x"),
        ("PATCH", f"{API}/model-versions/update"),
        ("DELETE", f"{API}/registered-models/alias"),
        ("PUT", f"{API}/anything"),
        ("POST", ""),
    ],
)
def test_changing_is_not(method, path):
    assert not may_ask(method, path, None)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("query { mlflowGetRun(input: {}) { run { info { runId } } } }", True),
        ("{ mlflowGetRun { run { info { runId } } } }", True),
        ("mutation { testMutation(input: {}) { x } }", False),
        ("query A { a } mutation B { b }", False),
        ("fragment F on T { x }", False),
        ("not graphql {", False),
        ("", False),
    ],
)
def test_graphql_may_query_only(text, passes):
    assert may_ask("POST", "graphql", {"query": text}) is passes


@pytest.mark.asyncio(loop_scope="module")
async def test_who_may_see_them_and_that_nothing_changes(served):
    served_pages = served.services.mlflow_pages
    await make_person(served, "aud", Role.AUDITOR)
    await make_person(served, "helper", Role.HELPDESK)
    nobody = await visit(served)
    assert (await nobody.get(ROOT)).status_code in {303, 401}
    helper = await visit(served, "helper")
    assert (await helper.get(ROOT)).status_code == 403
    auditor = await visit(served, "aud")
    page = await auditor.get(ROOT)
    assert page.status_code == 200
    assert "<title>MLflow</title>" in page.text
    policy = page.headers["content-security-policy"]
    assert f"connect-src {served.url}{ROOT};" in policy
    assert "form-action 'none'" in policy
    found = await auditor.client.post(f"{ROOT}{API}/experiments/search", json={"max_results": 50})
    names = {one["name"] for one in found.json()["experiments"]}
    assert "eucora-tickets" in names
    models = await auditor.get(f"{ROOT}{API}/registered-models/search")
    assert "champion" in models.text
    for method, path in (
        ("POST", f"{API}/registered-models/alias"),
        ("POST", f"{API}/experiments/create"),
        ("DELETE", f"{API}/registered-models/alias"),
    ):
        answer = await auditor.client.request(
            method, f"{ROOT}{path}", json={"name": "tickets", "alias": "champion", "version": "9"}
        )
        assert answer.status_code in {403, 405}, path
    refused = await auditor.client.post(f"{ROOT}{API}/experiments/create", json={"name": "x"})
    assert "to be read only" in refused.text
    assert (await auditor.get(f"{ROOT}{API}/registered-models/search")).text == models.text

    secret = re.search(r"://[^:]+:([^@]+)@", served.services.ground.addresses.tracking)[1]
    process = served_pages._process
    assert secret.encode() not in _read_process(process.pid)
    for answer in (page, found, models):
        assert secret not in answer.text
    assert served_pages._folder.stat().st_mode & 0o777 == 0o700

    process.kill()  # it is started again for whoever looks next
    await process.wait()
    assert (await auditor.get(ROOT)).status_code == 200


def _read_process(pid: int) -> bytes:
    """Return what other processes of the same user can see of one."""
    return b"".join(Path(f"/proc/{pid}/{part}").read_bytes() for part in ("cmdline", "environ"))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_the_pages_render(served, tmp_path):
    await make_person(served, "dora", Role.DATA_SCIENTIST)
    await asyncio.to_thread(_look, served.url, tmp_path / "mlflow.png")
    assert (tmp_path / "mlflow.png").stat().st_size > 10_000


def _look(url: str, picture: Path) -> None:
    with open_browser() as browser:
        context = browser.new_context(base_url=url)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        faults: list[str] = []  # what is refused to these pages they tell the console
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/login")
        page.fill("#username", "dora")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/queue")
        page.goto("/models")
        page.get_by_role("link", name="MLflow's own pages").click()
        page.wait_for_url("**/models/mlflow/**")
        page.goto(f"{ROOT}#/models/tickets")
        page.get_by_text("champion").first.wait_for()
        page.screenshot(path=str(picture))
        page.goto("/models/compare/tickets?after=1")
        page.wait_for_function(
            "[...document.querySelectorAll('img.plot')].length == 3 &&"
            " [...document.querySelectorAll('img.plot')].every((one) => one.naturalWidth > 0)"
        )
        page.screenshot(path=str(picture.with_name("comparison.png")), full_page=True)
        context.close()
    assert not faults
