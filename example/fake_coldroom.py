"""Coldroom as it behaves from outside: enough of it to prove that the plugin is right."""

from datetime import UTC, datetime
from typing import Any

from flask import Flask, request


class FakeColdroom:
    secret = "tok-5ecret"  # noqa: S105

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.since: dict[tuple[str, str], datetime] = {}
        self.is_full = False
        self.app = Flask("coldroom")
        self.app.add_url_rule("/rooms/<room>/", view_func=self._list)
        self.app.add_url_rule("/rooms/<room>/<name>", view_func=self._get)
        self.app.add_url_rule("/rooms/<room>/<name>", "put", self._put, methods=["PUT"])
        self.app.add_url_rule("/rooms/<room>/<name>", "delete", self._delete, methods=["DELETE"])
        self.app.before_request(self._refusal)

    def spoil(self, name: str) -> None:
        for at in self.files:
            if at[1] == name:
                self.files[at] = b"another door"

    def _list(self, room: str) -> Any:
        before = datetime.fromisoformat(request.args.get("before", "2000-01-01T00:00:00+00:00"))
        return {
            "files": [at[1] for at, since in self.since.items() if at[0] == room and since < before]
        }

    def _get(self, room: str, name: str) -> Any:
        at = (room, name)
        return (self.files[at], 200) if at in self.files else ("not here", 404)

    def _put(self, room: str, name: str) -> Any:
        if self.is_full:
            return {"error": "no room left"}, 413
        self.files[room, name] = request.get_data()
        self.since[room, name] = datetime.now(UTC)
        return {}

    def _delete(self, room: str, name: str) -> Any:
        self.since.pop((room, name), None)
        return {} if self.files.pop((room, name), None) is not None else ("not here", 404)

    def _refusal(self) -> Any:
        if request.headers.get("X-Token") != self.secret:
            return {"error": "no"}, 401
        return None
