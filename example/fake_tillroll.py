"""Tillroll as it behaves from outside: enough of it to prove that the plugin is right."""

from base64 import b64decode
from typing import Any

from flask import Flask, request


class FakeTillroll:
    secret = "tok-5ecret"  # noqa: S105

    def __init__(self) -> None:
        self.invoices: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, dict[str, Any]] = {}  # by key: the same note again is no note
        self.mood = "well"
        self.app = Flask("tillroll")
        self.app.add_url_rule("/invoices", view_func=self._list)
        self.app.add_url_rule("/notes", view_func=self._take, methods=["POST"])

    def bill(self, ref: str, order: str, *, void: bool = False) -> None:
        self.invoices[ref] = {"id": ref, "number": f"INV-{ref}", "order": order, "void": void}

    def be(self, mood: str) -> None:
        self.mood = mood

    def file(self, key: str, n: int = 0) -> bytes:
        return b64decode(self.notes[key]["files"][n]["base64"])

    def _list(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        order = request.args.get("order", "")
        return {"invoices": [one for one in self.invoices.values() if one["order"] == order]}

    def _take(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        note = request.get_json()
        if note["invoice"] not in self.invoices:
            return {"error": f"no invoice {note['invoice']}"}, 404
        if self.invoices[note["invoice"]]["void"]:
            return {"error": f"invoice {note['invoice']} is void"}, 409
        kept = self.notes.setdefault(note["key"], {**note, "note": f"N{len(self.notes) + 1}"})
        return {"note": kept["note"]}

    def _refusal(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Token") != self.secret:
            return {"error": "no"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "oops", 503
        return None
