# SPDX-License-Identifier: Apache-2.0
"""An OPA server by configuration: the same bundle, the same answers, and denial on any doubt."""

import asyncio
import gzip
import io
import json
import tarfile

import httpx
import pytest

from contracts.policy import check_question
from guardrails.policy import POLICIES_DIR, PolicyEngine
from guardrails.policy_bundle import write_bundle
from guardrails.policy_cases import read_cases
from guardrails.policy_server import MAX_ANSWER_BYTES, PolicyServer
from guardrails.policy_source import read_folder
from tests.fakes.opa_server import OpaServer, serve_opa

SOURCE = read_folder(POLICIES_DIR)
CASES = [case for case in read_cases(SOURCE) if not case.unchecked]
PLAIN = next(case.question for case in CASES if case.allow)


@pytest.fixture
def opa():
    server = OpaServer(write_bundle(SOURCE))
    with serve_opa(server) as url:
        server.url = url
        yield server


async def ask(url, question=PLAIN, *, digest=SOURCE.digest, seconds=5.0, key=None):
    async with httpx.AsyncClient(trust_env=False) as client:
        server = PolicyServer(client, url, timeout_seconds=seconds, key=key)
        return await server.decide(question, policy_digest=digest)


async def test_a_server_with_the_bundle_answers_as_the_process_does(opa):
    engine = PolicyEngine(SOURCE)
    for case in CASES:
        assert await ask(opa.url, case.question) == engine.decide(case.question), case.name


async def test_what_is_sent_is_the_checked_question_alone(opa):
    asked = []
    opa.evaluate = lambda package, document: asked.append((package, document))
    await ask(opa.url, {**PLAIN, "admin": True}, key="secret-key")
    assert asked == [("eucora.approval", {**PLAIN, "flags": []})]
    ((path, headers),) = opa.requests
    assert path == "/v1/data/eucora/approval?provenance=true"
    assert {k.lower(): v for k, v in headers.items()}["authorization"] == "Bearer secret-key"
    assert (await ask(opa.url, {"decision": "../../v1/policies"})).reasons == ("unknown_decision",)
    assert len(opa.requests) == 1, "what is no question is asked of nobody"


def answer(result, *, revision=SOURCE.digest, **changes):
    bundles = {"eucora": {"revision": revision}}
    document = {"result": result, "provenance": {"version": "1", "bundles": bundles}, **changes}
    return 200, json.dumps(document).encode()


YES = {"allow": True, "deny": [], "requires_quorum": 1}
LIES = [
    (answer(YES, revision="0" * 64), "policy_other_version"),
    (answer(YES, revision=None), "policy_other_version"),
    (answer(YES, provenance={}), "policy_other_version"),
    (answer(YES, provenance=None), "policy_other_version"),
    (answer(YES, provenance={"revision": SOURCE.digest}), "policy_other_version"),
    (
        answer(
            YES,
            provenance={"bundles": {"a": {"revision": SOURCE.digest}, "b": {"revision": "0" * 64}}},
        ),
        "policy_other_version",
    ),
    (answer(True), "policy_undefined"),
    (answer(None), "policy_undefined"),
    (answer({**YES, "allow": "true"}), "policy_undefined"),
    (answer({**YES, "allow": 1}), "policy_undefined"),
    (answer({**YES, "deny": {}}), "policy_undefined"),
    (answer({**YES, "deny": [1]}), "policy_undefined"),
    (answer({**YES, "deny": [""]}), "policy_undefined"),
    (answer({**YES, "requires_quorum": 0}), "policy_undefined"),
    (answer({**YES, "requires_quorum": True}), "policy_undefined"),
    (answer({**YES, "requires_quorum": 1.0}), "policy_undefined"),
    (answer({"allow": True, "requires_quorum": 1}), "policy_undefined"),
    (answer({**YES, "deny": ["x"]}), "policy_inconsistent"),
    ((200, b"{}"), "policy_undefined"),
    ((200, b"[]"), "policy_undefined"),
    ((200, b"true"), "policy_undefined"),
    ((200, b"<error>"), "policy_server_failed"),
    ((200, b"[" * 60_000), "policy_server_failed"),
    ((200, b""), "policy_server_failed"),
    ((200, b'"' + b"x" * MAX_ANSWER_BYTES + b'"'), "policy_server_failed"),
    ((500, answer(YES)[1]), "policy_server_failed"),
    ((201, answer(YES)[1]), "policy_server_failed"),
    ((404, b"{}"), "policy_server_failed"),
]


@pytest.mark.parametrize(
    ("said", "reason"), LIES, ids=[f"{i}-{r}" for i, (_, r) in enumerate(LIES)]
)
async def test_failing_and_lying_servers_are_denials(opa, said, reason):
    opa.answer = said
    decision = await ask(opa.url)
    assert not decision.allow
    assert reason in decision.reasons
    assert decision.requires_quorum >= 1


@pytest.mark.parametrize(
    "reason", ["<script>alert(1)</script>", "\x1b]0;approved\x07", "ok\u202e", "a" * 2000]
)
async def test_words_of_a_server_reach_no_page_and_no_terminal(opa, reason):
    opa.answer = answer({**YES, "allow": False, "deny": [reason]})
    decision = await ask(opa.url)
    assert (decision.allow, decision.reasons) == (False, ("policy_undefined",))


async def test_a_true_yes_passes_and_keeps_the_servers_quorum(opa):
    opa.answer = answer({**YES, "requires_quorum": 3})
    decision = await ask(opa.url)
    assert (decision.allow, decision.requires_quorum) == (True, 3)
    assert decision.policy_digest == SOURCE.digest


async def test_a_slow_server_is_a_denial_in_time(opa):
    opa.delay_seconds = 0.5
    started = asyncio.get_running_loop().time()
    decision = await ask(opa.url, seconds=0.1)
    assert decision.reasons == ("policy_slow",)
    assert asyncio.get_running_loop().time() - started < 0.45


async def test_a_server_that_is_not_there_or_sends_elsewhere_is_a_denial(opa):
    opa.answer, opa.location = (307, b""), opa.url + "/v1/data/eucora/other"
    assert (await ask(opa.url)).reasons == ("policy_server_failed",)
    assert len(opa.requests) == 1, "no redirection is followed"
    with serve_opa(OpaServer(write_bundle(SOURCE))) as url:
        pass
    assert (await ask(url)).reasons == ("policy_server_unreachable",)


async def test_a_server_with_another_version_denies_until_it_has_the_one_in_force(opa):
    text = SOURCE.files["quorum.rego"].replace("cab_risk := 50", "cab_risk := 90")
    newer = type(SOURCE)(files={**SOURCE.files, "quorum.rego": text})
    assert (await ask(opa.url, digest=newer.digest)).reasons == ("policy_other_version",)
    opa.load(write_bundle(newer))
    assert (await ask(opa.url, digest=newer.digest)).allow
    assert (await ask(opa.url)).reasons == ("policy_other_version",)


def test_a_bundle_is_the_same_bytes_each_time_and_holds_no_cases():
    bundle = write_bundle(SOURCE)
    assert bundle == write_bundle(read_folder(POLICIES_DIR))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(bundle))) as archive:
        names = archive.getnames()
        manifest = json.loads(archive.extractfile(names[0]).read())
    assert names[0].endswith(".manifest")
    assert {name.rpartition("/")[2] for name in names[1:]} == set(SOURCE.files)
    assert manifest == {"revision": SOURCE.digest, "roots": ["eucora"], "rego_version": 1}


def test_checked_questions_read_back_as_they_are():
    for case in CASES:
        if case.allow:
            assert check_question(check_question(case.question)) == check_question(case.question)
