"""The operator's keys, made at first run and kept outside what a backup copies."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

from hub.storage import durable_write


@dataclass(frozen=True)
class Keys:
    """``link`` makes tracking tokens; ``rings`` seal secrets, newest key first.

    ``evidence`` signs the chains of proof.
    """

    link: bytes
    session: bytes
    rings: dict[str, tuple[str, ...]]
    evidence: bytes

    @classmethod
    def at(cls, path: Path) -> Keys:
        """The keys in ``HUB_KEYS`` or the file ``path``, made now if there is neither."""
        if text := os.environ.get("HUB_KEYS", ""):
            return cls._read(text)
        if not path.exists():
            durable_write(path, json.dumps(cls._fresh()).encode())
        elif "evidence" not in json.loads(path.read_text()):
            _add_evidence(path)
        return cls._read(path.read_text())

    @staticmethod
    def _fresh() -> dict[str, object]:
        rings = {ring: [Fernet.generate_key().decode()] for ring in ("credentials", "webhooks")}
        hexes = {name: secrets.token_hex(32) for name in ("link", "session", "evidence")}
        return {**hexes, "rings": rings}

    @classmethod
    def _read(cls, text: str) -> Keys:
        raw = json.loads(text)
        rings = {ring: tuple(keys) for ring, keys in raw["rings"].items()}
        link, session = bytes.fromhex(raw["link"]), bytes.fromhex(raw["session"])
        # Keys in the environment from before signing cannot be added to; every process
        # has to come to the same one.
        made = hmac.digest(session, b"evidence", "sha256").hex()
        return cls(link, session, rings, bytes.fromhex(raw.get("evidence", made)))

    def seal(self, ring: str, secret: str) -> str:
        return self._ring(ring).encrypt(secret.encode()).decode()

    def open(self, ring: str, sealed: str) -> str:
        """Raises ``cryptography.fernet.InvalidToken`` when no key of the ring fits."""
        return self._ring(ring).decrypt(sealed.encode()).decode()

    def _ring(self, ring: str) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self.rings[ring]])

    def link_token(self, order_id: str, epoch: int) -> str:
        """The order's 128-bit token: 22 URL-safe characters, the same every time."""
        from base64 import urlsafe_b64encode

        digest = hmac.digest(self.link, f"{order_id}:{epoch}".encode(), "sha256")[:16]
        return urlsafe_b64encode(digest).decode().rstrip("=")


def _add_evidence(path: Path) -> None:
    """Give an older file a key to sign evidence with, once however many processes start."""
    with path.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        kept = json.loads(path.read_text())
        if "evidence" not in kept:
            kept["evidence"] = secrets.token_hex(32)
            durable_write(path, json.dumps(kept).encode())


def hashed(token: str) -> str:
    """What is stored of a token that is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def tracker_hash(key: str) -> str:
    """What is stored of the key in a tracking app's address: it opens no phone's door."""
    return hashed(f"tracker:{key}")
