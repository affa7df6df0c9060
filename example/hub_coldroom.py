"""Proof kept in Coldroom, a (made-up) store of files behind HTTP."""

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from hub import ConfigError, Kept, PodStore, Refused, Unavailable, hookimpl

PART = 1_000_000  # bytes of a file that are in memory at once


class ColdroomSettings(BaseModel):
    url: HttpUrl = Field(title="Address of the store", description="As in https://files.example")
    token: SecretStr = Field(title="API token", description="Coldroom → Rooms → Keys")


class Coldroom(PodStore):
    key = "coldroom"
    title = "Coldroom"
    Settings = ColdroomSettings

    def check(self) -> None:
        self.tools.http.get_json(self._url(), headers=self._headers())

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        return self.put_from(io.BytesIO(content), media_type=media_type, sha256=sha256)

    def put_from(self, source: BinaryIO, *, media_type: str, sha256: str) -> str:
        source.seek(0)
        digest = hashlib.sha256()
        while part := source.read(PART):
            digest.update(part)
        if digest.hexdigest() != sha256:
            raise Refused("The file is not what its hash says. Send it again.")
        source.seek(0)
        headers = self._headers() | {"Content-Type": media_type}
        try:
            self.tools.http.ask("PUT", self._url(sha256), data=source, headers=headers)
        except Refused as problem:  # the room is full; nothing is wrong with the file
            raise ConfigError(f"{problem}. Make room in Coldroom.") from None
        return sha256

    def get(self, ref: str) -> bytes:
        return b"".join(self.parts(ref))

    def parts(self, ref: str) -> Iterator[bytes]:
        digest = hashlib.sha256()
        url, headers = self._url(known(ref)), self._headers()
        with self.tools.http.ask("GET", url, but=(404,), headers=headers, stream=True) as reply:
            if reply.status_code == 404:
                raise KeyError(ref)
            try:
                for part in reply.iter_content(PART):
                    digest.update(part)
                    yield part
            except OSError as error:  # it broke off in the middle
                raise Unavailable(f"Coldroom stopped answering ({type(error).__name__})") from None
        if digest.hexdigest() != ref:
            raise Refused("This file was changed in Coldroom since it was stored.")

    def delete(self, ref: str) -> None:
        try:
            url = self._url(known(ref))
        except KeyError:
            return
        self.tools.http.ask("DELETE", url, but=(404,), headers=self._headers())

    def kept(self, before: datetime) -> Iterator[Kept]:
        query = {"before": before.isoformat()}
        reply = self.tools.http.get_json(self._url(), params=query, headers=self._headers())
        for sha256 in reply["files"]:
            yield Kept(sha256, sha256)

    @classmethod
    def place(cls, settings: ColdroomSettings) -> str:
        return str(settings.url)

    def _url(self, sha256: str = "") -> str:
        """Of one file, or of all that this business keeps: each has a folder of its own."""
        return f"{self.settings.url}rooms/{self.tools.business_id or 'none'}/{sha256}"

    def _headers(self) -> dict[str, str]:
        return {"X-Token": self.settings.token.get_secret_value()}


def known(ref: str) -> str:
    """``ref``, if it can be one of ours. Raises ``KeyError``: it must not lead elsewhere."""
    if not re.fullmatch(r"[0-9a-f]{64}", ref):
        raise KeyError(ref)
    return ref


@hookimpl
def hub_pod_stores() -> list[type[PodStore]]:
    return [Coldroom]
