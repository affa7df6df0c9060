"""Proof on this machine's disk, each file under the hash of what is in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from hub import ConfigError, Kept, PodStore, Refused
from hub.storage import durable_write_parts, parts_of

REF = re.compile(r"(?:(?P<business>[0-9A-Za-z-]{1,36})/)?(?P<sha256>[0-9a-f]{64})")
"""Older hubs kept every business's files together, and named them by their hash alone."""


class DiskPodStore(PodStore):
    """``data_dir/proof/<business>/ab/abcd…``; the same bytes of a business are kept once."""

    key = "disk"
    title = "This machine's disk"

    def check(self) -> None:
        """Write a small file, read it and remove it again."""
        probe = self.tools.now().isoformat().encode()
        ref = self.put(probe, media_type="text/plain", sha256=hashlib.sha256(probe).hexdigest())
        self.get(ref)
        self.delete(ref)

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        return self.put_from(BytesIO(content), media_type=media_type, sha256=sha256)

    def put_from(self, source: BinaryIO, *, media_type: str, sha256: str) -> str:
        business_id = self.tools.business_id
        ref = f"{business_id}/{sha256}" if business_id else sha256
        source.seek(0)
        try:
            self._write(ref, source, sha256)
        except OSError as error:
            if error.errno is None:  # not the disk's
                raise
            raise ConfigError(f"{FULL} ({error.strerror})") from error
        return ref

    def get(self, ref: str) -> bytes:
        return b"".join(self.parts(ref))

    def parts(self, ref: str) -> Iterator[bytes]:
        path = self._path(ref)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise KeyError(ref) from None
        with file:
            yield from _hashed(parts_of(file), path.name, CHANGED)

    def delete(self, ref: str) -> None:
        try:
            self._path(ref).unlink(missing_ok=True)
        except KeyError:
            return

    def kept(self, before: datetime) -> Iterator[Kept]:
        folder = self._folder(self.tools.business_id)
        for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*")):
            ref = f"{self.tools.business_id}/{path.name}".removeprefix("/")
            if REF.fullmatch(ref) and path.stat().st_mtime < before.timestamp():
                yield Kept(ref, path.name)

    def _write(self, ref: str, source: BinaryIO, sha256: str) -> None:
        # A file that is there but damaged is replaced: the bytes in hand are the right ones.
        if self._is_whole(ref):
            for _ in _hashed(parts_of(source), sha256, UNLIKE):
                pass
        else:
            durable_write_parts(self._path(ref), _hashed(parts_of(source), sha256, UNLIKE))

    def _is_whole(self, ref: str) -> bool:
        try:
            return all(True for _ in self.parts(ref))
        except (KeyError, Refused):
            return False

    def _path(self, ref: str) -> Path:
        """Raises ``KeyError`` for what is no reference of this business."""
        known = REF.fullmatch(ref)
        if not known or known["business"] not in (None, self.tools.business_id):
            raise KeyError(ref)
        sha256 = known["sha256"]
        return self._folder(known["business"] or "") / sha256[:2] / sha256

    def _folder(self, business_id: str) -> Path:
        return self.tools.data_dir / "proof" / business_id


FULL = "The disk takes no files now. Ask whoever runs this server to make room on it."
UNLIKE = "The file is not what its hash says. Send it again."
CHANGED = "This file was changed on the disk since it was stored."


def _hashed(parts: Iterable[bytes], sha256: str, otherwise: str) -> Iterator[bytes]:
    """The parts; raises ``Refused`` in the end if together they are not ``sha256``."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
        yield part
    if digest.hexdigest() != sha256:
        raise Refused(otherwise)
