"""Proof in a bucket, each file under its business and the hash of what is in it."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from hub import ConfigError, HubError, Kept, PodStore, Refused, Tools, Unavailable
from hub.plugins.pod_s3.client import Bucket, measured
from hub.plugins.pod_s3.refusals import other_region
from hub.plugins.pod_s3.settings import S3Settings

FOR_NOBODY = "shared"
COPIES = 9
"""How often the bytes of one hash may have been damaged in the bucket by somebody."""
REF = re.compile(r"(?:[A-Za-z0-9._/-]+/)?([A-Za-z0-9-]{1,36})/([0-9a-f]{64})(\.[2-9])?")


class S3PodStore(PodStore):
    """``<folder>/<business>/<sha256>`` in the bucket; what lies there is never written over."""

    key = "s3"
    title = "S3-compatible storage"
    Settings: ClassVar[type[BaseModel]] = S3Settings
    settings: S3Settings

    def __init__(self, settings: S3Settings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self._opened: Bucket | None = None

    @classmethod
    def place(cls, settings: Any) -> str:
        return f"{settings.endpoint_url or 'Amazon S3'}/{settings.bucket}"

    def check(self) -> None:
        """Write, read, list and remove a small file, and see that strangers cannot read it."""
        self._needs_encryption()
        bucket, probe = Bucket(self.settings, self.tools, tries=2), secrets.token_bytes(32)
        key = self._key(hashlib.sha256(probe).hexdigest())
        try:
            self._try(bucket, key, probe)
        except HubError:
            self._take_away(bucket, key)
            raise
        bucket.remove(key)

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        return self.put_from(BytesIO(content), media_type=media_type, sha256=sha256)

    def put_from(self, source: BinaryIO, *, media_type: str, sha256: str) -> str:
        size, digest = measured(source)
        if digest.hex() != sha256:
            raise Refused("The file is not what its hash says. Send it again.")
        first = self._key(sha256)
        for n in range(1, COPIES + 1):
            key = first if n == 1 else f"{first}.{n}"
            if self._bucket.put_new(key, source, size, digest, media_type) or self._bucket.holds(
                key, size, digest
            ):
                return key
        raise ConfigError(
            "Somebody keeps changing this file in the bucket. Find out who may write there.",
            field="bucket",
        )

    def get(self, ref: str) -> bytes:
        return b"".join(self.parts(ref))

    def parts(self, ref: str) -> Iterator[bytes]:
        sha256, digest = self._sha256(ref), hashlib.sha256()
        for part in self._bucket.read(ref):
            digest.update(part)
            yield part
        if digest.hexdigest() != sha256:
            raise Refused("This file was changed in the bucket since it was stored.")

    def delete(self, ref: str) -> None:
        try:
            self._sha256(ref)
        except KeyError:
            return
        self._bucket.remove(ref)

    def kept(self, before: datetime) -> Iterator[Kept]:
        for key, written_at in self._bucket.keys(self._key("")):
            if written_at < before and (known := REF.fullmatch(key)):
                yield Kept(key, known[2])

    @property
    def _bucket(self) -> Bucket:
        if self._opened is None:
            self._opened = Bucket(self.settings, self.tools)
        return self._opened

    def _key(self, sha256: str) -> str:
        return "/".join(filter(None, (self.settings.prefix, self._whose))) + f"/{sha256}"

    @property
    def _whose(self) -> str:
        return self.tools.business_id or FOR_NOBODY

    def _sha256(self, ref: str) -> str:
        """Raises ``KeyError`` for what is no reference of this business.

        The folder may be another than the one that is set now.
        """
        known = REF.fullmatch(ref)
        if not known or known[1] != self._whose or ".." in ref or "//" in ref:
            raise KeyError(ref)
        return known[2]

    def _needs_encryption(self) -> None:
        at = urlsplit(self.settings.endpoint_url)
        allowed = self.tools.http.allowed
        if at.scheme == "http" and at.hostname not in allowed and at.netloc not in allowed:
            raise ConfigError(
                "Photos would travel for everybody to read. Begin the address with https://, or"
                f" ask the operator to name {at.netloc} in HUB_HTTP_ALLOW.",
                field="endpoint_url",
            )

    def _try(self, bucket: Bucket, key: str, probe: bytes) -> None:
        name, region = self.settings.bucket, self.settings.region
        try:
            digest = hashlib.sha256(probe).digest()
            bucket.put_new(key, BytesIO(probe), len(probe), digest, "text/plain")
            is_back = b"".join(bucket.read(key)) == probe
        except Unavailable as problem:
            raise ConfigError(
                f"{problem} If that goes on, look at this address.", field="endpoint_url"
            ) from None
        except KeyError:
            is_back = False
        if bucket.said_region not in ("", region):
            raise other_region(bucket.said_region, name, region)
        if not is_back:
            raise ConfigError(f"{bucket.who} does not give back what was put there.")
        if not any(found == key for found, _ in bucket.keys(key)):
            raise ConfigError(f"{bucket.who} does not list what lies in the bucket {name}.")
        if bucket.is_public(key):
            raise ConfigError(
                f"Anybody can read what is in the bucket {name}. Block public access to it first.",
                field="bucket",
            )

    def _take_away(self, bucket: Bucket, key: str) -> None:
        """After a check that failed: what it wrote, if that is allowed."""
        try:
            bucket.remove(key)
        except HubError:
            self.tools.log.info("what a check wrote may still lie in the bucket key=%s", key)
