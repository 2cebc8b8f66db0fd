# SPDX-License-Identifier: Apache-2.0
"""ShellCheck's errors and warnings come with their lines; where it cannot tell, that is said."""

import os
from pathlib import Path

import pytest

from guardrails import shell_quality
from guardrails.shell_quality import check_quality, find_shellcheck

UNUSED = b"#!/usr/bin/env bash\nset -eu\nnever_used=1\necho $1\n"


def test_errors_and_warnings_are_found_with_step_and_line():
    report = check_quality("bash", {"detect": b"echo fine\n", "remediate": UNUSED})
    (finding,) = report.findings  # that $1 is not quoted is no warning, but a remark
    assert (finding.step, finding.line, finding.level) == ("remediate", 3, "warning")
    assert finding.code == "SC2034"
    assert report.unchecked == ""
    broken = check_quality("bash", {"verify": b"if true; then\n"})
    assert {one.level for one in broken.findings} == {"error"}


def test_no_directive_of_a_script_makes_it_read_other_files(tmp_path):
    secret = tmp_path / "secret.sh"
    secret.write_text("never_used=1\n")
    script = f"# shellcheck source={secret}\n. {secret}\n".encode()
    assert "never_used" not in repr(check_quality("bash", {"detect": script}))


def test_languages_that_it_does_not_know_are_not_checked():
    for interpreter in ("zsh", "powershell", "python"):
        assert interpreter in check_quality(interpreter, {"detect": UNUSED}).unchecked


def test_a_missing_tool_is_said_and_not_fatal(monkeypatch):
    monkeypatch.setattr(shell_quality, "find_shellcheck", lambda: None)
    report = check_quality("bash", {"detect": UNUSED})
    assert "not installed" in report.unchecked
    assert report.findings == ()


@pytest.mark.parametrize(
    ("program", "said"),
    [("#!/bin/sh\nexec sleep 60\n", "longer than 0.2 s"), ("#!/bin/sh\necho no\n", "failed")],
)
def test_a_tool_that_hangs_or_fails_is_said(tmp_path, monkeypatch, program, said):
    tool = tmp_path / "shellcheck"
    tool.write_text(program)
    tool.chmod(0o755)
    monkeypatch.setattr(shell_quality, "find_shellcheck", lambda: tool)
    report = check_quality("bash", {"detect": UNUSED + said.encode()}, timeout_seconds=0.2)
    assert said in report.unchecked


def test_the_program_comes_with_the_server(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    found = find_shellcheck()
    assert found is not None
    assert os.access(found, os.X_OK)
    assert isinstance(found, Path)
