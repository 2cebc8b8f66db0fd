# SPDX-License-Identifier: Apache-2.0
"""An OpenAI-compatible chat server on loopback whose manners a test decides. Run as a program.

Speaks `POST /v1/chat/completions` as OpenAI's API does. `PUT /manners` sets how the next requests
are answered, `GET /requests` returns the bodies received so far, `GET /sent` how much went out.
Prints its port when it listens.

Manners, as a JSON object:
    {"mode": "answer", "content": str}   a completion with this content
    {"mode": "answers", "contents": [...]}  completions with these in turn, the last one for ever
    {"mode": "redirect", "to": str}      HTTP 307 to another address
    {"mode": "flood"}                    bytes as fast as they go, for ever, without a length
    {"mode": "bomb"}                     a small body that gzip unfolds into a huge one
    {"mode": "events"}                   a stream of server-sent events that does not end
    {"mode": "nested"}                   JSON that is nested beyond any parser's depth
    {"mode": "blocks", "blocks": [...]}  a completion whose content is a list of blocks
    {"mode": "refuse"}                   a completion without content, with a refusal
    {"mode": "silent"}                   nothing at all, until the client gives up
    {"mode": "drip"}                     a byte at a time, for ever
    {"mode": "garbage"}                  HTTP 200 with a body that is not JSON
    {"mode": "error"}                    HTTP 500
    {"mode": "hang_up"}                  closes the connection
"""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_WAIT_SECONDS = 60
DRIP_SECONDS = 0.1
FLOOD = b" " * 65_536
BOMB = gzip.compress(b" " * 50_000_000)


class State:
    """What the handlers share."""

    def __init__(self) -> None:
        self.manners: dict[str, Any] = {"mode": "refuse"}
        self.requests: list[Any] = []
        self.n_sent = 0  # bytes of answers without end
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
        told = {"n_sent": STATE.n_sent} if self.path == "/sent" else STATE.requests
        self._answer(200, json.dumps(told).encode())

    def do_POST(self) -> None:
        """Answer a chat completion, or not."""
        body = json.loads(self._read_body())
        STATE.requests.append({"path": self.path, "body": body})
        self._react(STATE.manners["mode"])
        self.close_connection = True

    def _react(self, mode: str) -> None:
        if (body := _compose(mode)) is not None:
            self._answer(200, body)
        elif mode == "error":
            self._answer(500, b'{"error": {"message": "out of memory", "type": "server_error"}}')
        elif mode == "redirect":
            self._answer(307, b"", Location=STATE.manners["to"])
        elif mode == "bomb":
            self._answer(200, BOMB, **{"Content-Encoding": "gzip"})
        elif mode == "silent":
            STATE.never.wait(MAX_WAIT_SECONDS)
        elif mode in ("drip", "flood", "events"):
            self._go_on(mode)

    def _go_on(self, mode: str) -> None:
        """Send without end: a byte at a time, all that goes, or events."""
        self.send_response(200)
        kind = "text/event-stream" if mode == "events" else "application/json"
        self.send_header("Content-Type", kind)
        if mode == "drip":
            self.send_header("Content-Length", "1000000")
        self.end_headers()
        part, pause = {
            "drip": (b" ", DRIP_SECONDS), "flood": (FLOOD, 0.0),
            "events": (b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n', DRIP_SECONDS),
        }[mode]  # fmt: skip
        for _ in range(int(MAX_WAIT_SECONDS / DRIP_SECONDS)):
            try:
                self.wfile.write(part)
                self.wfile.flush()
            except OSError:  # the client has given up
                return
            STATE.n_sent += len(part)
            STATE.never.wait(pause)

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:  # the client reads no more than it wants
            return

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def _compose(mode: str) -> bytes | None:
    """Return the body of an answer that is one, None for other manners."""
    manners = STATE.manners
    if mode == "answers":
        contents = manners["contents"]
        content = contents.pop(0) if len(contents) > 1 else contents[0]
        return _completion({"content": content})
    if mode == "refuse":
        return _completion({"content": None, "refusal": "I will not."})
    if mode in ("answer", "blocks"):
        return _completion({"content": manners["content" if mode == "answer" else "blocks"]})
    if mode == "nested":
        return b"[" * 200_000
    return b"<html>502 from a proxy that says 200</html>" if mode == "garbage" else None


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
