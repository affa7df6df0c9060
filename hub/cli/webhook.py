"""`hub webhook listen`: see webhooks arrive on your own machine, and why one does not verify."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from hub.core.errors import BadSignature, ConfigError
from hub.core.webhooks import raw, verified
from hub.settings import Settings

LONGEST = 1024 * 1024


def listen(args: argparse.Namespace, settings: Settings) -> int:
    """Raises ``ConfigError`` for what is no secret, ``OSError`` for a port that is taken."""
    if args.secret:
        raw(args.secret)
    if not 200 <= args.answer <= 599:
        raise ConfigError("--answer is the status to answer with, from 200 to 599.")
    with server(args.port, args.secret, args.answer, _say) as listening:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        _say(_hello(listening.server_port, args.secret))
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            _say("\nGood-bye!")
    return 0


def server(port: int, secret: str, answer: int, say: Callable[[str], None]) -> HTTPServer:
    """A receiver on this machine alone; ``port`` 0 takes a free one. ``say`` gets each text."""
    seen: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        timeout = 15  # a sender that goes silent does not hold up the next

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isdecimal() and int(length) <= LONGEST):
                self._end(411 if not length else 413)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                is_again = headers.get("webhook-id", "") in seen
                status, words = judged(headers, body, secret, answer)
                seen.add(headers.get("webhook-id", ""))
            except BadSignature as problem:
                say(f"{_clock()}  NOT VERIFIED, answered 401\n  {problem}\n{in_lines(body)}")
                self._end(401, str(problem))
                return
            again = "  (this id came before: do nothing twice)" if is_again else ""
            say(f"{_clock()}  {words}, answered {status}{again}\n{in_lines(body)}")
            self._end(status)

        def do_GET(self) -> None:
            self._end(405, "Webhooks come by POST.")

        def log_message(self, format: str, *args: object) -> None:
            pass  # what came is said already

        def _end(self, status: int, text: str = "") -> None:
            said = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            if status != 204:
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    return HTTPServer(("127.0.0.1", port), Handler)


def judged(headers: dict[str, str], body: bytes, secret: str, answer: int) -> tuple[int, str]:
    """What to answer, and the first line to say. Raises ``BadSignature``."""
    key = _plain(headers.get("webhook-id", ""))
    if not secret:
        return answer, f"{_type(body)}  {key}  not checked (no --secret)"
    verified(secret, headers, body, datetime.now(UTC))
    return answer, f"{_type(body)}  {key}  verified"


def in_lines(body: bytes) -> str:
    """As JSON over several lines; whatever else it is, no terminal is steered by it."""
    try:
        return json.dumps(json.loads(body), indent=2)
    except (ValueError, RecursionError):
        return repr(body[:2000])


def _type(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "no JSON"
    named = found.get("type") if isinstance(found, dict) else None
    return _plain(named) if isinstance(named, str) else "no type"


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:80])


def _hello(port: int, secret: str) -> str:
    lines = [
        f"Listening at http://127.0.0.1:{port}/ until you press Ctrl+C.",
        f"Start the hub with HUB_HTTP_ALLOW=127.0.0.1:{port}, and add an endpoint with this",
        "address under Webhooks.",
    ]
    if not secret:
        lines.append("Nothing is verified: start again with --secret, which that page shows once.")
    return "\n".join(lines)


def _clock() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S}"


def _say(text: str) -> None:
    print(text, flush=True)
