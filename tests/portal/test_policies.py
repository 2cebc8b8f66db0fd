# SPDX-License-Identifier: Apache-2.0
"""Policies in the portal and at the command line: what a version would change, and its decision."""

import asyncio
import html
import json
import re
import shutil

import pytest
from typer.testing import CliRunner

from api.accounts import Role
from api.cli import app
from api.cli_ground import console
from guardrails.policy import DECISIONS, POLICIES_DIR
from guardrails.policy_source import read_folder

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
DIGEST = read_folder(POLICIES_DIR).digest


@pytest.fixture
def run(desk, monkeypatch):
    """Run `eucora policy` on the database of the desk; return code and output."""
    ground = desk.services.ground
    monkeypatch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    monkeypatch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    monkeypatch.setattr(console, "width", 300)

    async def run_command(*words: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(CliRunner().invoke, app, ["policy", *words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    return run_command


@pytest.fixture
def stricter(tmp_path):
    """A folder of policies in which few risks go by without the board."""
    folder = tmp_path / "stricter"
    shutil.copytree(POLICIES_DIR, folder)
    path = folder / "quorum.rego"
    path.write_text(path.read_text().replace("cab_risk := 50", "cab_risk := 1"))
    return folder


def settle_cases(folder):
    """Leave one case, which the stricter policies decide as it says."""
    for path in (folder / "cases").glob("*.yaml"):
        path.unlink()
    base = read_folder(POLICIES_DIR).cases["approval.yaml"]
    head = base[: base.index("cases:")]
    (folder / "cases" / "own.yaml").write_text(
        head + "cases: [{name: a small risk, requires_quorum: 2}]\n"
    )


def small(folder):
    """A folder of policies in which one rule has no case."""
    (folder / "cases").mkdir(parents=True)
    text = (
        "package eucora.NAME\n\nimport rego.v1\n\ndefault allow := false\n\n"
        "allow if count(deny) == 0\n\nrequires_quorum := 1\n\n"
        'deny contains "frozen" if not input.freeze_active == false\n\n\n'
        'deny contains "retired" if not input.device.status == "active"\n'
    )
    for name in DECISIONS:
        known = text.replace("NAME", name)
        if name == "proposal":  # which is not asked about freezes
            known = known.replace("input.freeze_active == false", 'input.device.status == "frozen"')
        (folder / f"{name}.rego").write_text(known)
    base = read_folder(POLICIES_DIR).cases["approval.yaml"]
    (folder / "cases" / "own.yaml").write_text(
        base[: base.index("cases:")] + "cases:\n- name: plain\n"
        "- {name: frozen, change: {freeze_active: true}, reasons: [frozen]}\n"
    )
    return folder


async def test_what_a_version_would_change_is_shown_before(desk, run, stricter):
    proposal = (await desk.propose()).proposal
    code, output = await run("test", str(stricter))
    assert code == 1
    assert "FAILED approval.yaml: a plain case is allowed by one person" in output
    assert "is allowed, 2 needed" in output
    code, output = await run("propose", str(stricter), "--reason", "x", "--actor", "zoe")
    assert (code, "cases are decided otherwise" in output) == (1, True)
    settle_cases(stricter)
    assert (await run("test", str(stricter)))[0] == 0

    code, output = await run("dry-run", str(stricter), "--last", "50", "--json")
    found = json.loads(output)
    assert (code, found["n_asked"], found["counts"]) == (0, 1, {"quorum": 1})
    assert found["changed"][0]["proposal"] == proposal.proposal_id
    code, output = await run("dry-run", str(stricter))
    said = "it would have answered the one past decision otherwise: 1 with another number of"
    assert (code, said in output) == (0, True), output
    code, output = await run("dry-run", "active")
    assert (code, output) == (0, "it would have answered the one past decision as then\n")
    tested, compared = await run("test", "active"), await run("diff", "active", "active")
    (n_cases,) = re.findall(r"of (\d+) cases are decided as they say", tested[1])
    assert f"0 of the {n_cases} cases" in compared[1], "each counts the same"
    code, output = await run("diff", "active", str(stricter))
    assert code == 0
    assert "-cab_risk := 50" in output
    assert "+cab_risk := 1" in output
    assert "approval.yaml: a plain case is allowed by one person" in output


async def test_a_version_on_its_road_into_force(desk, run, stricter, tmp_path):
    await desk.propose()
    settle_cases(stricter)
    reason = "ask ada@example.org [red]x[/red] <b>"
    code, output = await run("propose", str(stricter), "--reason", reason, "--actor", "zoe")
    assert code == 0, output
    (change_id,) = set(re.findall(r"pch_\w+", output))
    await desk.let_in("Zoe", Role.APPROVER)
    ada = await desk.let_in("ada", Role.ADMIN, Role.AUDITOR)
    vera = await desk.let_in("vera", Role.SECURITY_REVIEWER)
    for who, words in (
        ("Zoe", "another person"),
        ("ada", "needs the role approver or security reviewer"),
        ("nobody", "there is no account nobody"),
    ):
        code, output = await run("activate", change_id, "--reason", "mine", "--as", who)
        assert (code, words in output) == (1, True), output
    path = f"/policies/changes/{change_id}"
    assert f"{path}/activate" not in await ada.page(path)
    for verb in (f"{path}/activate", f"{path}/reject", "/policies/rollback"):
        assert (await ada.submit(verb, reason="mine")).status_code == 403

    listed = await vera.page("/policies")
    assert "ada@example.org" not in listed
    assert "&lt;b&gt;" in listed
    page = html.unescape(await vera.page(f"/policies/changes/{change_id}"))
    assert (
        "it would have answered the one past decision otherwise: 1 with another number of approvers"
        in page
    )
    assert "+cab_risk := 1" in page
    assert re.search(r"decides (none|\d+) of the \d+ cases", page)
    assert "that both have together otherwise than version 1, which" in page
    answer = await vera.submit(f"/policies/changes/{change_id}/activate", reason="")
    assert answer.status_code == 400
    answer = await vera.submit(f"/policies/changes/{change_id}/activate", reason="read it")
    assert answer.status_code == 303, answer.text[:1000]
    again = await vera.submit(f"/policies/changes/{change_id}/activate", reason="read it")
    assert again.status_code == 409

    code, output = await run("list")
    (row,) = [line for line in output.splitlines() if "in force" in line]
    assert "zoe" in row
    later = [line for line in output.splitlines() if "pac_" in line and "first" not in line]
    (activation,) = re.findall(r"pac_\w+", "".join(later))
    file = tmp_path / "case.json"
    assert (await run("export", activation, str(file)))[0] == 0
    checked = await asyncio.to_thread(CliRunner().invoke, app, ["verify", str(file)])
    assert checked.exit_code == 0, checked.output
    assert "put in force" in checked.output
    downloaded = await vera.client.get(f"/policies/activations/{activation}/case")
    assert downloaded.json() == json.loads(file.read_text())

    rolled = await vera.submit("/policies/rollback", reason="too strict")
    back = rolled.headers["location"]
    page = html.unescape(await vera.page(back))
    assert "You proposed it; another person puts it in force." in page
    assert (await vera.submit(f"{back}/activate", reason="mine")).status_code == 409
    back_id = back.rpartition("/")[2]
    assert (await run("activate", back_id, "--reason", "yes", "--as", "Zoe"))[0] == 0
    code, output = await run("show", "active")
    assert (code, f"# digest {DIGEST}" in output) == (0, True)


async def put_in_force(vera, run, folder):
    """Have Zoe propose and Vera put in force what a folder holds."""
    code, output = await run("propose", str(folder), "--reason", "care", "--actor", "zoe")
    assert code == 0, output
    (change_id,) = set(re.findall(r"pch_\w+", output))
    answer = await vera.submit(f"/policies/changes/{change_id}/activate", reason="read it")
    assert answer.status_code == 303, answer.text[:1000]


async def test_what_a_proposal_needs_is_said_by_the_policy_in_force(desk, run, stricter):
    path = f"/proposals/{(await desk.propose()).proposal.proposal_id}"
    ada = await desk.let_in("ada", Role.APPROVER)
    vera = await desk.let_in("vera", Role.SECURITY_REVIEWER)
    page = await ada.page(path)
    assert "<li>0 of 1 approval given.</li>" in page
    assert 'id="policy-now"' not in page

    settle_cases(stricter)
    await put_in_force(vera, run, stricter)
    page = await ada.page(path)
    assert "<li>0 of 2 approvals given.</li>" in page
    assert "approvers needed: 2" in page[page.index('id="policy-now"') :]

    rego = stricter / "quorum.rego"
    rego.write_text(rego.read_text() + '\ndeny contains "not_this_week" if input.now > 0\n')
    cases = stricter / "cases" / "own.yaml"
    expected = "requires_quorum: 2, reasons: [not_this_week]}"
    cases.write_text(cases.read_text().replace("requires_quorum: 2}", expected))
    await put_in_force(vera, run, stricter)
    page = await ada.page(path)
    assert "<li>The policy in force refuses every approval now: not_this_week.</li>" in page
    kept = await desk.query("SELECT count(*) AS n FROM policy_decisions")
    assert kept[0]["n"] == 1  # the proposal's own: looking keeps nothing


async def test_a_denial_is_explained_with_rule_line_and_remedy(desk, run):
    proposal = (await desk.propose(risk_score=80)).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    await desk.change("UPDATE devices SET status = 'retired'")
    answer = await ada.submit(
        f"/proposals/{proposal.proposal_id}/approve", bundle_digest=proposal.bundle_digest
    )
    assert answer.status_code in (403, 409), answer.text[:500]
    code, output = await run("explain", proposal.proposal_id)
    assert code == 0, output
    code, output = await run("explain", "prp_none")
    assert (code, "no policy was asked about" in output) == (1, True)
    # The exception stands before the policy, so it is the showing of the proposal that was asked.
    code, output = await run("explain", proposal.proposal_id, "--json")
    explained = json.loads(output)
    assert explained["question"]["proposal"]["proposal_id"] == proposal.proposal_id
    assert explained["then"]["policy_digest"] == DIGEST


async def test_a_denied_approval_is_kept_though_the_request_was_rolled_back(desk, run):
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    await desk.change("UPDATE devices SET status = 'retired'")
    answer = await ada.submit(
        f"/proposals/{proposal.proposal_id}/approve", bundle_digest=proposal.bundle_digest
    )
    assert "device_retired" in answer.text
    code, output = await run("explain", proposal.proposal_id)
    assert code == 0
    line = POLICIES_DIR.joinpath("quorum.rego").read_text().splitlines()
    number = next(n for n, text in enumerate(line, start=1) if '"device_retired"' in text)
    assert "answer: denied" in output
    assert f"quorum.rego:{number}" in output
    assert 'device.status is "retired"' in output
    assert 'this reason would go away with device.status = "active"' in output
    asked = json.loads((await run("explain", proposal.proposal_id, "--json"))[1])["question"]
    row = (await desk.query("SELECT * FROM proposals"))[0]
    assert asked["approval"] == {
        "approver": "ada",  # as all spellings of her name are asked
        "roles": ["approver"],
        "bundle_digest": row["bundle_digest"],
    }
    assert asked["proposal"]["risk_score"] == row["risk_score"]


async def test_nothing_that_a_caller_sends_reaches_a_policy_but_the_bundle_they_name(desk, run):
    proposal = (await desk.propose()).proposal
    ada = await desk.let_in("ada", Role.APPROVER)
    await desk.change("UPDATE devices SET status = 'retired'")
    lies = {
        "roles": "admin",
        "approver": "user:grace",
        "risk_score": "0",
        "device_status": "active",
        "freeze_active": "false",
        "decision": "proposal",
        "approved_by": "user:x",
        "status": "approved",
        "now": "0",
    }
    path = f"/proposals/{proposal.proposal_id}/approve"
    await ada.submit(path, bundle_digest=proposal.bundle_digest)
    plain = json.loads((await run("explain", proposal.proposal_id, "--json"))[1])["question"]
    await ada.submit(path, bundle_digest=proposal.bundle_digest, **lies)
    lied = json.loads((await run("explain", proposal.proposal_id, "--json"))[1])["question"]
    assert {**plain, "now": 0} == {**lied, "now": 0}
    assert lied["now"] > plain["now"] > 0


async def test_a_bundle_names_the_version_and_mutants_are_counted(desk, run, stricter, tmp_path):
    file = tmp_path / "bundle.tar.gz"
    code, output = await run("bundle", "active", str(file))
    assert (code, DIGEST in output, file.stat().st_size > 500) == (0, True, True)
    code, output = await run("bundle", str(stricter), str(file))
    assert (code, "as long as a server holds it, everything is denied" in output) == (0, True)
    code, output = await run("test", str(small(tmp_path / "small")), "--mutants")
    assert (code, "UNNOTICED approval.rego:14 deny: " in output) == (1, True)
    for target in ("99", "nowhere"):
        code, output = await run("test", target)
        assert (code, "eucora:" in output) == (1, True)


async def test_a_damaged_policy_is_a_fault_of_ours(desk):
    vera = await desk.let_in("vera", Role.SECURITY_REVIEWER)
    await desk.change("UPDATE policies SET envelope = replace(envelope, 'payload', 'payloaf')")
    answer = await vera.client.get("/policies/versions/1")
    assert answer.status_code == 500
    assert "not what was signed" in answer.text
