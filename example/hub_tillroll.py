"""Deliveries filed in Tillroll, (made-up) books with a small JSON API."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from hub import Candidate, DeliveryRecord, IncomingOrder, RecordSink, hookimpl


class TillrollSettings(BaseModel):
    url: HttpUrl = Field(title="Address of the books", description="As in https://books.example")
    token: SecretStr = Field(title="API token", description="Tillroll → Settings → API")


class Tillroll(RecordSink):
    key = "tillroll"
    title = "Tillroll"
    Settings = TillrollSettings

    def check(self) -> None:
        self._get("invoices", {"order": ""})

    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        found = self._get("invoices", {"order": order.number})["invoices"]
        return [
            Candidate(one["id"], f"Invoice {one['number']}", "same order number")
            for one in found
            if not one["void"]
        ]

    def record(self, record: DeliveryRecord) -> str:
        # The books keep one note for each key, so a call that was cut off can be made again.
        note = self._post("notes", to_note(record))["note"]
        return f"delivery note {note} at its invoice"

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        return self.tools.http.get_json(self._url(path), params=query, headers=self._headers())

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.tools.http.post_json(self._url(path), body, headers=self._headers())

    def _url(self, path: str) -> str:
        return f"{self.settings.url}{path}"

    def _headers(self) -> dict[str, str]:
        return {"X-Token": self.settings.token.get_secret_value()}


def to_note(record: DeliveryRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "invoice": record.target,
        "outcome": record.outcome,
        "reason": record.reason,
        "at": record.at.isoformat(),
        "received_by": record.received_by,
        "lines": [
            {"what": line.title, "qty": line.delivered, "of": line.ordered} for line in record.lines
        ],
        "files": [
            {"name": file.name, "type": file.media_type, "base64": b64encode(file.content).decode()}
            for file in record.documents
        ],
    }


@hookimpl
def hub_record_sinks() -> list[type[RecordSink]]:
    return [Tillroll]
