# SPDX-License-Identifier: Apache-2.0
"""Commands find the server of their data folder, on whatever port it was started."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli_ground import console
from api.demonstration import Demonstration
from api.demonstration_faults import DemonstrationError, FaultKind
from api.running_server import find_address
from api.supervisor import running_alone
from kernel.settings import Settings
from tests.stack.served import find_free_port


class Ready(BaseHTTPRequestHandler):
    """Answers as the portal's port does once all is ready, or, elsewhere, that it is not."""

    def do_GET(self) -> None:
        self.send_response(200 if self.server.is_ready else 503)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def server():
    """Something that answers on a free port of loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as listening:
        listening.is_ready = True
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder whose commands know nothing of a port but the default, which is unused."""
    monkeypatch.setenv("EUCORA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EUCORA_PORT", str(find_free_port()))
    return tmp_path


def call_ui() -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["models", "ui"])
    return ended.exit_code, ended.stdout, ended.stderr


def test_a_command_finds_the_port_of_the_server_that_runs_on_its_folder(folder, server):
    url = f"http://127.0.0.1:{server.server_port}"
    demonstration = Demonstration(Settings(), kind=FaultKind.CPU, seconds=30, console=console)
    with running_alone(Settings(host="0.0.0.0", port=server.server_port)):
        code, output, _ = call_ui()
        assert (code, f"{url}/models/mlflow/" in output) == (0, True)
        with pytest.raises(DemonstrationError, match="has no agent"):
            demonstration.check_possible()
        server.is_ready = False
        code, _, complaint = call_ui()
        assert (code, f"{url} is not ready" in complaint) == (1, True)


def test_an_address_that_a_run_left_behind_is_not_believed(folder, server):
    settings = Settings()
    with running_alone(Settings(port=server.server_port)):
        pass
    assert str(server.server_port) in (folder / "up.lock").read_text()
    assert find_address(settings) == f"http://127.0.0.1:{settings.port}"
    code, output, complaint = call_ui()
    assert (code, output) == (1, "")
    assert f"nobody answers at http://127.0.0.1:{settings.port}" in complaint
    with running_alone(settings):  # looking has not taken the place
        pass
