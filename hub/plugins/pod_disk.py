"""Proof on this machine's disk, each file under the hash of what is in it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from hub import PodStore, Refused
from hub.storage import durable_write

REF = re.compile(r"[0-9a-f]{64}")


class DiskPodStore(PodStore):
    """``data_dir/proof/ab/abcd…``; the same bytes are kept once."""

    key = "disk"
    title = "This machine's disk"

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Refused("The file is not what its hash says. Send it again.")
        path = self._path(sha256)
        # A file that is there but damaged is replaced: the bytes in hand are the right ones.
        if not path.exists() or path.read_bytes() != content:
            durable_write(path, content)
        return sha256

    def get(self, ref: str) -> bytes:
        try:
            return self._path(ref).read_bytes()
        except FileNotFoundError:
            raise KeyError(ref) from None

    def delete(self, ref: str) -> None:
        if REF.fullmatch(ref):
            self._path(ref).unlink(missing_ok=True)

    def _path(self, ref: str) -> Path:
        if not REF.fullmatch(ref):
            raise KeyError(ref)
        return self.tools.data_dir / "proof" / ref[:2] / ref
