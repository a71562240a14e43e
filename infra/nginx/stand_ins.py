"""HTTP servers in place of web processes, which record the requests that nginx sends."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    """Answers with the received headers, and records the requests."""

    seen: list[str]  # "METHOD path" of every request, per class
    is_mute = False

    def do_GET(self) -> None:
        """Answer the request; if mute, close the connection without an answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(f"{self.command} {self.path}")
        self.close_connection = True
        if self.is_mute:
            return
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class' name

    def log_message(self, *_words: object) -> None:
        """Log nothing."""


@contextmanager
def stand_in(*, is_mute: bool) -> Iterator[tuple[int, list[str]]]:
    """Serve on a free port; yield the port and the requests. If mute, answer no request."""
    seen: list[str] = []
    handler = type("Handler", (Echo,), {"seen": seen, "is_mute": is_mute})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], seen
        finally:
            server.shutdown()
            thread.join(5)
