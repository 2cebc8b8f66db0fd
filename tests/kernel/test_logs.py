# SPDX-License-Identifier: Apache-2.0
"""Log lines are JSON, correlated, and silent about the text of exceptions."""

import io
import json
import logging
import subprocess
import sys

import pytest
import structlog

from kernel.logs import bind_correlation, configure_logging, get_logger, trace_id_of


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("api", "info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def read(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_lines_carry_the_required_fields(stream):
    with bind_correlation("req_1"):
        get_logger("x").info("looked", action="proposal.show", decision="allow", proposal="p1")
        logging.getLogger("library").warning("slow by %d s", 3)
    ours, foreign = read(stream)
    required = {"timestamp", "trace_id", "span_id", "service", "platform_id", "action", "decision"}
    for line in (ours, foreign):
        assert required <= set(line)
        assert line["trace_id"] == trace_id_of("req_1")
        assert line["correlation_id"] == "req_1"
        assert line["service"] == "api"
    assert (ours["action"], ours["decision"]) == ("proposal.show", "allow")
    assert foreign["event"] == "slow by 3 s"
    assert ours["span_id"] == foreign["span_id"] != "0" * 16


def test_how_libraries_start_is_not_told_but_their_warnings_are(stream):
    for name in ("presidio-analyzer", "sentence_transformers.model", "uvicorn.error"):
        logging.getLogger(name).info("started")
        logging.getLogger(name).warning("odd")
    assert [line["event"] for line in read(stream)] == ["odd"] * 3


def test_correlation_ends_with_its_block(stream):
    with bind_correlation("outer"):
        with bind_correlation("inner"):
            get_logger("x").info("a")
        get_logger("x").info("b")
    get_logger("x").info("c")
    assert [line["correlation_id"] for line in read(stream)] == ["inner", "outer", ""]


def test_the_text_of_an_exception_is_not_logged(stream):
    try:
        int("jane.doe@example.org")
    except ValueError:
        get_logger("x").exception("failed")
        logging.getLogger("library").exception("failed too")
    assert "jane.doe" not in stream.getvalue()
    for line in read(stream):
        assert line["exception"] == "ValueError"
        assert line["frames"]


def test_levels_are_respected(stream):
    get_logger("x").debug("hidden")
    assert read(stream) == []


def test_what_nobody_catches_is_told_without_its_text(tmp_path):
    """As a process ends with it, and in a thread."""
    program = (
        "import sys, threading\n"
        "from kernel.logs import configure_logging, log_uncaught\n"
        "configure_logging('worker', 'info', sys.stderr)\n"
        "log_uncaught()\n"
        "def fail(): raise ValueError('jane.doe@example.org')\n"
        "thread = threading.Thread(target=fail)\n"
        "thread.start()\n"
        "thread.join()\n"
        "fail()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "jane" not in ended.stderr
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["exception"], line["action"]) for line in lines] == [
        ("ValueError", "thread"), ("ValueError", "process"),
    ]  # fmt: skip
