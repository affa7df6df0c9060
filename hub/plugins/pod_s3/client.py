"""One bucket: put, read, list and remove, in the hub's errors."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests

from hub import ConfigError, HubError, Refused, Tools, Unavailable
from hub.plugins.pod_s3.refusals import meaning
from hub.plugins.pod_s3.settings import S3Settings
from hub.plugins.pod_s3.wire import TIMEOUTS_S, Wire, sdk

TRIES = 4  # with growing pauses between them, seven seconds at most
PART = 1_000_000  # bytes of a file that are in memory at once
LARGEST = 5 * 10**9  # one PUT holds 5 GB (S3 User Guide, "Uploading objects"); no proof is as large


class Bucket:
    """Raises the hub's errors, and ``KeyError`` for a key under which nothing lies."""

    def __init__(self, settings: S3Settings, tools: Tools, tries: int = TRIES) -> None:
        tries = tries if tools.within_s is None else 1
        self.settings, self._http, self._tries = settings, tools.http, tries
        self.who = urlsplit(settings.endpoint_url).netloc or "Amazon S3"
        self._speaks_plainly = False  # knows neither If-None-Match nor SHA-256
        self._wire = Wire(settings, tools.http, self.who, tries, tools.within_s)
        self._client = self._wire.client

    @property
    def said_region(self) -> str:
        """Where the bucket is, if an answer named it."""
        return self._wire.said_region

    def put_new(
        self, key: str, source: BinaryIO, size: int, sha256: bytes, media_type: str
    ) -> bool:
        """Whether it lies there now; ``False`` if something lay there before, untouched."""
        if size > LARGEST:
            raise Refused("A file of more than 5 GB cannot be kept.")
        about = {"ContentType": media_type, **self._encryption()}
        if not self._speaks_plainly:
            guarded = {"IfNoneMatch": "*", "ChecksumSHA256": base64.b64encode(sha256).decode()}
            match self._sent(key, source, size, {**about, **guarded}):
                case "PreconditionFailed":
                    return False
                case "NotImplemented" | "InvalidArgument" | "InvalidRequest":
                    self._speaks_plainly = True
                case _:
                    return True
        if self._there(key) is not None:
            return False
        self._call("put_object", **self._body(source, size), Key=key, **about, **_md5(source))
        return True

    def holds(self, key: str, size: int, sha256: bytes) -> bool:
        """Whether these very bytes lie there; the storage's own checksum is believed."""
        there = self._there(key)
        if there is None or there["ContentLength"] != size:
            return False
        if told := there.get("ChecksumSHA256"):
            return bool(told == base64.b64encode(sha256).decode())
        digest = hashlib.sha256()
        for part in self.read(key):
            digest.update(part)
        return digest.digest() == sha256

    def read(self, key: str) -> Iterator[bytes]:
        """In parts; a connection that is cut goes on where it stopped."""
        at, etag = 0, ""
        for n in range(1, self._tries + 1):
            from_here = {"Range": f"bytes={at}-", "IfMatch": etag} if at else {}
            found = self._call("get_object", Key=key, **from_here)
            etag = found["ETag"]
            try:
                for part in found["Body"].iter_chunks(PART):
                    at += len(part)
                    yield part
                return
            except sdk().exceptions.BotoCoreError:  # cut off, or silent for too long
                _pause(n)
            finally:
                found["Body"].close()
        raise Unavailable(f"{self.who} breaks off in the middle of a file. Try again later.")

    def remove(self, key: str) -> None:
        """Also its older versions, where the bucket keeps them."""
        if not self._call("delete_object", Key=key).get("DeleteMarker"):
            return
        for one in self._listed("list_object_versions", "Versions", "DeleteMarkers", Prefix=key):
            if one["Key"] == key:
                try:
                    self._call("delete_object", Key=key, VersionId=one["VersionId"])
                except ConfigError:
                    denied = {"Error": {"Code": "AccessDenied"}}
                    raise self._meaning(denied, "ListObjectVersions") from None

    def keys(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Each key below ``prefix``, and when it was written."""
        for one in self._listed("list_objects_v2", "Contents", Prefix=prefix):
            yield one["Key"], one["LastModified"]

    def is_public(self, key: str) -> bool:
        """Whether anybody who knows the address can read it."""
        url = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self.settings.bucket, "Key": key}
        )
        bare = urlsplit(url)._replace(query="").geturl()
        try:
            reply = self._http.get(bare, timeout=TIMEOUTS_S, allow_redirects=False, stream=True)
        except requests.RequestException:
            return False
        with reply:
            return reply.status_code == 200

    def _there(self, key: str) -> dict[str, Any] | None:
        try:
            return self._call("head_object", Key=key, ChecksumMode="ENABLED")
        except KeyError:
            return None

    def _sent(self, key: str, source: BinaryIO, size: int, about: dict[str, str]) -> str:
        """The code of a refusal the caller has an answer to, else nothing."""
        for n in range(1, self._tries + 1):
            try:
                body = self._body(source, size)
                self._heard(partial(self._ask, "put_object", Key=key, **body, **about))
                return ""
            except sdk().exceptions.ClientError as error:
                code = _code(error)
                if code == "ConditionalRequestConflict":  # somebody else writes it just now
                    _pause(n)
                elif code in HAS_AN_ANSWER:
                    return code
                else:
                    raise self._meaning(error.response, "PutObject") from None
        raise Unavailable(f"{self.who} is busy with this very file. Try again.")

    def _body(self, source: BinaryIO, size: int) -> dict[str, Any]:
        source.seek(0)
        return {"Body": source, "ContentLength": size}

    def _listed(self, operation: str, *names: str, Prefix: str) -> Iterator[dict[str, Any]]:
        paginator = self._client.get_paginator(operation)
        pages = iter(paginator.paginate(Bucket=self.settings.bucket, Prefix=Prefix))
        while (page := self._guarded(operation, lambda: next(pages, None))) is not None:
            for name in names:
                yield from page.get(name, ())

    def _call(self, operation: str, **values: Any) -> dict[str, Any]:
        return dict(self._guarded(operation, partial(self._ask, operation, **values)))

    def _ask(self, operation: str, **values: Any) -> Any:
        return getattr(self._client, operation)(Bucket=self.settings.bucket, **values)

    def _guarded[R](self, operation: str, ask: Callable[[], R]) -> R:
        """What ``ask`` returns; a refusal in the hub's words."""
        try:
            return self._heard(ask)
        except sdk().exceptions.ClientError as error:
            if _code(error) in ("NoSuchKey", "404"):
                raise KeyError from None
            doing = "".join(word.capitalize() for word in operation.split("_"))
            raise self._meaning(error.response, doing) from None

    def _heard[R](self, ask: Callable[[], R]) -> R:
        """What ``ask`` returns; the SDK's ``ClientError`` for a refusal, else the hub's errors."""
        errors = sdk().exceptions
        try:
            return ask()
        except errors.ClientError:
            raise
        except (errors.HTTPClientError, errors.ConnectionError):  # or cut off
            raise Unavailable(f"{self.who} gave no usable answer. Try again later.") from None
        except errors.BotoCoreError as error:
            raise ConfigError(f"{self.who} cannot be asked with these settings: {error}") from None

    def _meaning(self, answer: Any, doing: str) -> HubError:
        return meaning(answer, doing, self.settings.bucket, self.settings.region, self.who)

    def _encryption(self) -> dict[str, str]:
        match self.settings.encryption:
            case "sse_s3":
                return {"ServerSideEncryption": "AES256"}
            case "sse_kms":
                key = {"SSEKMSKeyId": self.settings.kms_key_id} if self.settings.kms_key_id else {}
                return {"ServerSideEncryption": "aws:kms", **key}
        return {}


HAS_AN_ANSWER = ("PreconditionFailed", "NotImplemented", "InvalidArgument", "InvalidRequest")


def measured(source: BinaryIO) -> tuple[int, bytes]:
    """Size and SHA-256 of all that ``source`` holds."""
    source.seek(0)
    size, digest = 0, hashlib.sha256()
    while part := source.read(PART):
        size += len(part)
        digest.update(part)
    return size, digest.digest()


def _md5(source: BinaryIO) -> dict[str, str]:
    digest = hashlib.md5(usedforsecurity=False)
    source.seek(0)
    while part := source.read(PART):
        digest.update(part)
    source.seek(0)
    return {"ContentMD5": base64.b64encode(digest.digest()).decode()}


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _pause(n: int) -> None:
    time.sleep(0.1 * 2**n)
