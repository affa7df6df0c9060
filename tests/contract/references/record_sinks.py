"""Books, and a sink that files at their papers and is right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask, request

from hub import (
    Candidate,
    DeliveryRecord,
    IncomingOrder,
    RecordSink,
    Refused,
    Tools,
)
from hub.testing import RecordSinkConformance, WsgiAdapter

ORIGIN = "https://ledger.example"


@dataclass
class Ledger:
    secret: str = "ledger-5ecret"
    mood: str = "well"
    papers: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Flask("ledger")
        self.app.before_request(self._refusal)
        self.app.add_url_rule("/papers", "list", lambda: list(self.papers.values()))
        self.app.add_url_rule("/papers/<id>", "one", lambda id: self.papers.get(id, {}))
        self.app.add_url_rule("/papers/<id>", "change", self._change, methods=["POST"])
        self.app.add_url_rule("/papers/<id>/notes", "notes", lambda id: self.notes[id])
        self.app.add_url_rule("/papers/<id>/notes", "note", self._note, methods=["POST"])
        self.app.add_url_rule("/papers/<id>/files", "files", lambda id: list(self.files[id]))
        self.app.add_url_rule("/papers/<id>/files/<name>", "file", self._file, methods=["PUT"])

    def be(self, mood: str) -> None:
        self.mood = mood

    def put(self, name: str, number: str) -> None:
        self.papers[name] = {"id": name, "for": number, "status": "sent", "total": "13.00"}
        self.notes[name], self.files[name] = [], {}

    def _change(self, id: str) -> Any:
        self.papers[id] |= request.get_json()
        return {}

    def _note(self, id: str) -> Any:
        self.notes[id].append(request.get_json()["words"])
        return {}

    def _file(self, id: str, name: str) -> Any:
        self.files[id][name] = request.get_data()
        return {}

    def _refusal(self) -> Any:
        match self.mood:
            case "locked":
                return {"error": "no"}, 401
            case "busy":
                return {"error": "slow"}, 429, {"Retry-After": "7"}
            case "down":
                return "oops", 503
        return None


class Filing(RecordSink):
    key = "filing"
    title = "Ledger"

    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        if not order.number:
            return []
        papers = self._get("papers")
        fitting = [paper for paper in papers if paper["for"] == order.number]
        usable = [paper for paper in fitting if paper["status"] != "void"]
        return [Candidate(p["id"], f"{p['id']} for {p['for']}", "same number") for p in usable]

    def record(self, record: DeliveryRecord) -> str:
        paper = self._get(f"papers/{record.target}") if record.target else {}
        if not paper:
            raise Refused(f"The paper for order {record.order_number} is gone.")
        if paper["status"] == "void":
            raise Refused(f"The paper {paper['id']} was taken back. Choose another.")
        sign = sha256(f"{record.key}{record.late_proof}".encode()).hexdigest()[:8]
        there = self._get(f"papers/{record.target}/notes")
        if not any(sign in note for note in there):
            words = {"words": f"{self._words(record)} [{sign}]"}
            self.tools.http.post_json(f"{ORIGIN}/papers/{record.target}/notes", words)
        for n, document in enumerate(record.documents):
            name = f"{record.key}-{n}-{document.name}"
            if name not in self._get(f"papers/{record.target}/files"):
                self._put(f"papers/{record.target}/files/{name}", document.content)
        return f"{paper['id']} in the ledger: notes and files"

    def _words(self, record: DeliveryRecord) -> str:
        short = [
            f"{line.delivered} of {line.ordered} {line.title}"
            for line in record.lines
            if line.delivered < line.ordered
        ]
        said = "Proof added later" if record.late_proof else record.outcome.capitalize()
        return f"{said} {record.reason} {record.received_by} {', '.join(short)}"

    def _get(self, path: str) -> Any:
        return self.tools.http.get_json(f"{ORIGIN}/{path}")

    def _put(self, path: str, content: bytes) -> None:
        from hub import Unavailable

        try:
            self.tools.http.put(f"{ORIGIN}/{path}", data=content)
        except OSError as error:
            raise Unavailable("The ledger gave no answer.") from error


class TestReference(RecordSinkConformance):
    @pytest.fixture
    def books(self) -> Ledger:
        return Ledger()

    def sink(self, books: Ledger, tools: Tools) -> Filing:
        tools.http.mount(ORIGIN, WsgiAdapter(books.app))
        return Filing(Filing.Settings(), tools)

    def document(self, books: Ledger, name: str, number: str) -> None:
        books.put(name, number)

    def notes(self, books: Ledger, name: str) -> list[str]:
        return books.notes[name]

    def files(self, books: Ledger, name: str) -> list[bytes]:
        return list(books.files[name].values())

    def figures(self, books: Ledger, name: str) -> Any:
        return dict(books.papers[name])

    def withdraw(self, books: Ledger, name: str) -> None:
        books.papers[name]["status"] = "void"

    def remove(self, books: Ledger, name: str) -> None:
        del books.papers[name]
