"""Who may read the metrics, and how a process without a web server shows its own."""

import hmac
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings

from core.observability import metrics


def is_allowed(authorization: str) -> bool:
    """Whether this header holds METRICS_TOKEN; nobody is allowed while there is none."""
    token: str = settings.METRICS_TOKEN
    return bool(token) and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def serve(port: int) -> ThreadingHTTPServer:
    """Answer ``GET /metrics`` on ``port`` from a thread of this process, with its own counters."""
    server = ThreadingHTTPServer(("0.0.0.0", port), _CountersHandler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _CountersHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/metrics" or not is_allowed(self.headers.get("Authorization", "")):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", metrics.CONTENT_TYPE)
        self.end_headers()
        self.wfile.write(metrics.exposition(()))

    def log_message(self, format: str, *arguments: object) -> None:
        """A scrape each few seconds is no event."""
