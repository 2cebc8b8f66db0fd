# SPDX-License-Identifier: Apache-2.0
"""Settings come from arguments, variables and a file, in this order; secrets stay hidden."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from kernel.errors import SettingsError
from kernel.settings import (
    MASK,
    Settings,
    effective,
    list_unknown_variables,
    split_clamd_address,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("EUCORA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing(tmp_path):
    settings = Settings()
    assert settings.data_dir == tmp_path / ".eucora"
    assert settings.database_url is None
    assert settings.port == 8800


def test_variables_win_over_the_file(monkeypatch, tmp_path):
    file = tmp_path / "eucora.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("EUCORA_CONFIG", str(file))
    monkeypatch.setenv("EUCORA_PORT", "9001")
    settings = Settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "which is not a file"),
        (b"port = 9000\nhost = \n", "not a TOML file: .*line 2"),
        (b"host = '\xff'\n", "not a TOML file"),
        (b"prot = 9000\n", "there is no setting prot$"),
        (b"EUCORA_PORT = 9000\n", "there is no setting EUCORA_PORT$"),
        (b"[eucora]\nport = 9000\n", "there is no setting eucora$"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_its_name(
    monkeypatch, tmp_path, content, complaint
):
    file = tmp_path / "eucora.toml"
    monkeypatch.setenv("EUCORA_CONFIG", str(file))
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"eucora.toml.*{complaint}"):
        Settings()


def test_a_folder_in_the_file_may_begin_with_the_home_folder(monkeypatch, tmp_path):
    file = tmp_path / "eucora.toml"
    file.write_text('data_dir = "~/eucora"\n')
    monkeypatch.setenv("EUCORA_CONFIG", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().data_dir == tmp_path / "eucora"
    file.write_text('data_dir = "~nobody-of-this-name/eucora"\n')
    with pytest.raises(ValidationError):
        Settings()


def test_variables_that_mean_nothing_are_found():
    names = ["HOME", "EUCORA_PORT", "eucora_host", "EUCORA_CONFIG", "EUCORA_PROT", "EUCORA_LOG"]
    assert list_unknown_variables(names) == ["EUCORA_LOG", "EUCORA_PROT"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "0"), ("telemetry_interval_seconds", "0"), ("confidence_threshold", "1.5")],
)
def test_values_out_of_bounds_are_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"EUCORA_{name.upper()}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_effective_settings_show_no_secret(monkeypatch):
    monkeypatch.setenv("EUCORA_DATABASE_URL", "postgresql://u:hunter2@db/eucora")
    monkeypatch.setenv("EUCORA_LANGUAGE_MODEL_KEY", "sk-hunter2")
    monkeypatch.setenv("EUCORA_OBJECT_STORE_URL", "s3://key:hunter2@bucket/x?sig=hunter2")
    shown = effective(Settings())
    assert shown["database_url"] == MASK
    assert "hunter2" not in str(shown)
    assert "bucket" in shown["object_store_url"]
    assert set(shown) == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresq//u:hunter2@db/x"),
        ("database_url", "postgresql://u:hunter2%zz@db/x"),
        ("object_store_url", "nope://u:hunter2@x/y"),
        ("object_store_url", "s3:u:hunter2@x/y"),
        ("object_store_url", "s3://[hunter2"),
        ("language_model_url", "u:hunter2@x/y"),
        ("language_model_url", "http://:hunter2@/v1"),
    ],
)
def test_what_is_no_url_is_refused_without_its_secrets(monkeypatch, name, value):
    monkeypatch.setenv(f"EUCORA_{name.upper()}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"] for error in caught.value.errors()] == [(name,)]
    assert "hunter2" not in str([error["msg"] for error in caught.value.errors()])


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("unix:/run/clamav/clamd.ctl", Path("/run/clamav/clamd.ctl")),
        ("tcp:127.0.0.1:3310", ("127.0.0.1", 3310)),
        ("tcp:[::1]:3310", ("::1", 3310)),
        ("tcp:scanner.example.org:65535", ("scanner.example.org", 65535)),
    ],
)
def test_the_scanner_is_addressed_by_path_or_port(monkeypatch, address, parts):
    monkeypatch.setenv("EUCORA_CLAMD", address)
    assert split_clamd_address(Settings().clamd) == parts


@pytest.mark.parametrize(
    "address",
    [
        "", "OFF", "no", "unix:", "unix:clamd.ctl", "unix:/run/a\n", f"unix:/{'x' * 107}",
        "tcp:", "tcp::3310", "tcp:host", "tcp:host:", "tcp:host:0", "tcp:host:65536",
        "tcp:host:3310\n", "tcp:a..b:3310", "tcp:::1:3310", f"tcp:{'x' * 64}:1", "127.0.0.1:3310",
    ],
)  # fmt: skip
def test_a_scanner_that_cannot_be_found_is_never_taken_for_none(monkeypatch, address):
    monkeypatch.setenv("EUCORA_CLAMD", address)
    with pytest.raises(ValidationError):
        Settings()


def test_scanning_is_on_unless_it_is_put_off(monkeypatch):
    assert Settings().clamd == "unix:/run/clamav/clamd.ctl"
    monkeypatch.setenv("EUCORA_CLAMD", "off")
    assert Settings().clamd == "off"
