"""Answer for a service that has no release yet (pitfall B1): `python -c` on Python 3.9, nothing installed."""

# The standard library chose the names do_*; a container must listen on all of its addresses to be reached.
# ruff: noqa: N815, S104

import http.server
import os
import signal
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        body = b'{"version": "bootstrap"}\n'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Version", "bootstrap")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Leave the log to those who have a release."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # Closing waits for the requests that run.
    request_queue_size = 128


server = Server((os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.1)
server.server_close()
