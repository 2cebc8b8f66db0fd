# SPDX-License-Identifier: Apache-2.0
"""An OpenAI-compatible chat server on loopback whose manners a test decides. Run as a program.

Speaks `POST /v1/chat/completions` as OpenAI's API does. `PUT /manners` sets how the next requests
are answered, `GET /requests` returns the bodies received so far. Prints its port when it listens.

Manners, as a JSON object:
    {"mode": "answer", "content": str}   a completion with this content
    {"mode": "refuse"}                   a completion without content, with a refusal
    {"mode": "silent"}                   nothing at all, until the client gives up
    {"mode": "drip"}                     a byte at a time, for ever
    {"mode": "garbage"}                  HTTP 200 with a body that is not JSON
    {"mode": "error"}                    HTTP 500
    {"mode": "hang_up"}                  closes the connection
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_WAIT_SECONDS = 60
DRIP_SECONDS = 0.1


class State:
    """What the handlers share."""

    def __init__(self) -> None:
        self.manners: dict[str, Any] = {"mode": "refuse"}
        self.requests: list[Any] = []
        self.never = threading.Event()


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Set the manners."""
        STATE.manners = json.loads(self._read_body())
        self._answer(200, b"{}")

    def do_GET(self) -> None:
        """Return what was received."""
        self._answer(200, json.dumps(STATE.requests).encode())

    def do_POST(self) -> None:
        """Answer a chat completion, or not."""
        body = json.loads(self._read_body())
        STATE.requests.append({"path": self.path, "body": body})
        mode = STATE.manners["mode"]
        if mode == "answer":
            self._answer(200, _completion({"content": STATE.manners["content"]}))
        elif mode == "refuse":
            self._answer(200, _completion({"content": None, "refusal": "I will not."}))
        elif mode == "garbage":
            self._answer(200, b"<html>502 from a proxy that says 200</html>")
        elif mode == "error":
            self._answer(500, b'{"error": {"message": "out of memory", "type": "server_error"}}')
        elif mode == "silent":
            STATE.never.wait(MAX_WAIT_SECONDS)
        elif mode == "drip":
            self._drip()
        self.close_connection = True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for _ in range(int(MAX_WAIT_SECONDS / DRIP_SECONDS)):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:  # the client has given up
                return
            STATE.never.wait(DRIP_SECONDS)

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def _completion(message: dict[str, Any]) -> bytes:
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "test",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", **message},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return json.dumps(completion).encode()


def main() -> None:
    """Serve until killed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
