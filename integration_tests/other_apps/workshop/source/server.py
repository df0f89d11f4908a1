"""Serve the page on port 8080."""

import http.server
from pathlib import Path

PAGE = Path("page.html").read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer every request with the page."""

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)


http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()  # noqa: S104 - a container
