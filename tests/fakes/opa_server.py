# SPDX-License-Identifier: Apache-2.0
"""A server of OPA's data API on loopback: loads a bundle, evaluates it by regopy, may misbehave.

There is no OPA binary here; what is real is HTTP, the bundle's format and the API's form, as its
documentation states them. What stands behind the API is the engine that OPA's place is taken by.
"""

import contextlib
import gzip
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from guardrails.rego_runtime import compile_modules


class OpaServer:
    """What a server holds, and how it behaves."""

    def __init__(self, bundle: bytes) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.delay_seconds = 0.0
        self.answer: tuple[int, bytes] | None = None  # in the place of a true one
        self.location: str | None = None
        self.load(bundle)

    def load(self, bundle: bytes) -> None:
        """Take up a bundle as OPA does: its manifest's revision and the Rego below its roots."""
        files = {}
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(bundle))) as archive:
            for entry in archive.getmembers():
                content = archive.extractfile(entry)
                assert content is not None
                files[entry.name.lstrip("/")] = content.read().decode()
        manifest = json.loads(files.pop(".manifest"))
        assert manifest["roots"] == ["eucora"]
        self.revision = manifest["revision"]
        self._modules = {name: text for name, text in files.items() if name.endswith(".rego")}

    def evaluate(self, package: str, document: Any) -> dict[str, Any]:
        """Return the virtual document of a package, as the data API does."""
        names = ("allow", "deny", "requires_quorum")
        fields = ", ".join(f'"{name}": data.{package}.{name}' for name in names)
        query = compile_modules(self._modules, f"answer = {{{fields}}}")
        return query.evaluate(document).get("answer")

    def respond(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self.requests.append((path, headers))
        time.sleep(self.delay_seconds)
        if self.answer is not None:
            return self.answer
        parts = urlsplit(path)
        package = parts.path.removeprefix("/v1/data/").replace("/", ".")
        result = self.evaluate(package, json.loads(body)["input"])
        answer: dict[str, Any] = {"result": result} if result is not None else {}
        if parse_qs(parts.query).get("provenance") == ["true"]:
            bundles = {"eucora": {"revision": self.revision}}
            answer["provenance"] = {"version": "1.0.0", "bundles": bundles}
        return 200, json.dumps(answer).encode()


@contextlib.contextmanager
def serve_opa(server: OpaServer) -> Iterator[str]:
    """Serve until the block ends; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, content = server.respond(self.path, body, dict(self.headers.items()))
            with contextlib.suppress(OSError):  # the client may have gone
                self.send_response(status)
                if server.location:
                    self.send_header("location", server.location)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
