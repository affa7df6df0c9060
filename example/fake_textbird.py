"""Textbird as it behaves from outside: enough of it to prove that the plugin is right."""

from typing import Any

from flask import Flask, request


class FakeTextbird:
    secret = "tok-5ecret"  # noqa: S105

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, Any]] = {}  # by key: the same message again is dropped
        self.mood = "well"
        self.app = Flask("textbird")
        self.app.add_url_rule("/messages", view_func=self._list)
        self.app.add_url_rule("/messages", "send", self._send, methods=["POST"])

    def _list(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        key = request.args.get("key", "")
        return {"messages": [self.sent[key]] if key in self.sent else []}

    def _send(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        asked = request.get_json()
        if not asked["to"].startswith("+"):
            return {"error": f"{asked['to']} is no number"}, 422
        new = {**asked, "id": f"T{len(self.sent) + 1}", "state": "sent"}
        kept = self.sent.setdefault(asked["key"], new)
        return ("gateway timeout", 504) if self.mood == "lost" else kept

    def _refusal(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Token") != self.secret:
            return {"error": "no"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "oops", 503
        return None
