# SPDX-License-Identifier: Apache-2.0
"""Commands where there is no installation: they say so, and make none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.supervisor import StartError, running_alone
from kernel.settings import Settings
from tests.stack.prepared import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder to call commands in, without a variable of ours."""
    for name in [name for name in os.environ if name.startswith("EUCORA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, words)
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        "incident list", "incident show inc_1", "audit list", "audit check", "audit keys K",
        "kb search disk", "kb load", "account reset admin", "account enrolment-token",
        "account service-token x --scope read", "freeze list", "freeze lift frz_1",
        "freeze announce --until 2030-01-01 --reason x", "models list", "simulate",
        "models promote health 1", "train health", "drift list", "drift show dre_1",
        "drift accept rtp_1", "drift dismiss rtp_1 --reason x",
    ],
)  # fmt: skip
def test_a_command_without_an_installation_refuses_and_makes_nothing(folder, words):
    code, output, complaint = call(*words.split())
    assert (code, output) == (1, "")
    assert str(folder / ".eucora") in complaint
    assert "EUCORA_DATA_DIR" in complaint
    assert complaint.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_search_for_nothing_or_on_an_unknown_platform_is_wrong_usage(folder):
    code, _, complaint = call("kb", "search", "disk", "--platform", "amiga")
    assert code == 2
    assert all(name in complaint for name in ("windows", "macos", "linux"))
    assert call("kb", "search", "  ")[0] == 2
    assert list(folder.iterdir()) == []


def test_wrong_settings_are_named_as_they_were_written(folder, monkeypatch):
    file = folder / "eucora.toml"
    monkeypatch.setenv("EUCORA_CONFIG", str(file))
    for content, said in (
        (None, f"{file}, which is not a file"),
        ("port = \n", f"{file}: not a TOML file: "),
        ("Prot = 1\n", f"{file}: there is no setting Prot\n"),
        ("port = 0\n", f"{file}: port: "),
    ):
        if content is not None:
            file.write_text(content)
        code, _, complaint = call("config")
        assert (code, complaint.count("\n")) == (2, 1)
        assert said in complaint
    monkeypatch.setenv("EUCORA_PORT", "many")
    code, _, complaint = call("config")
    assert (code, "eucora: EUCORA_PORT: " in complaint) == (2, True)


def test_an_unknown_variable_is_a_warning(folder, monkeypatch):
    monkeypatch.setenv("EUCORA_PROT", "9000")
    code, output, complaint = call("config")
    assert (code, "EUCORA_PROT" in output) == (0, False)
    assert complaint == "eucora: warning: there is no setting EUCORA_PROT; it is ignored\n"
    assert str(folder / ".eucora") in output


def test_a_second_start_on_a_data_folder_is_refused_at_once(folder):
    first = Settings(port=9000)
    with running_alone(first):
        with (
            pytest.raises(StartError, match=r"already runs here \(http://127.0.0.1:9000\)"),
            running_alone(Settings(port=9100)),
        ):
            pytest.fail("two supervisors")
        with running_alone(Settings(data_dir=folder / "other")):
            pass
    with running_alone(first):
        pass


def test_the_command_says_that_it_runs_already(folder):
    settings = Settings(data_dir=folder / "here")
    with running_alone(settings):
        ended = subprocess.run(
            [sys.executable, "-m", "api.cli", "up"],
            cwd=ROOT,
            env={**os.environ, "EUCORA_DATA_DIR": str(settings.data_dir)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert "EUCORA already runs here (http://127.0.0.1:8800)" in ended.stderr
    assert ended.stderr.count("\n") == 1
