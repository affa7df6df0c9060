"""The operator's keys, made at first run and kept outside what a backup copies."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hub.storage import durable_write

Stamp = tuple[int, int, int]


@dataclass
class Keys:
    """``link`` makes tracking tokens; ``rings`` seal secrets, newest key first.

    ``evidence`` signs the chains of proof. Rings that are changed in ``file`` are used at once,
    by processes that run on too; ``None``: the keys come from the environment and stay.
    """

    link: bytes = field(repr=False)
    session: bytes = field(repr=False)
    rings: dict[str, tuple[str, ...]] = field(repr=False)
    evidence: bytes = field(repr=False)
    file: Path | None = None
    stamp: Stamp | None = field(default=None, repr=False)  # of the file as it was read

    @classmethod
    def at(cls, path: Path) -> Keys:
        """The keys in ``HUB_KEYS`` or the file ``path``, made now if there is neither."""
        if text := os.environ.get("HUB_KEYS", ""):
            return cls._read(text)
        if not path.exists():
            durable_write(path, json.dumps(cls._fresh()).encode())
        elif "evidence" not in json.loads(path.read_text()):
            _add_evidence(path)
        stamp = _stamp(path)
        return replace(cls._read(path.read_text()), file=path, stamp=stamp)

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

    def opens(self, ring: str, sealed: str) -> bool:
        """Not when the key it was sealed under is lost, or was dropped."""
        try:
            self.open(ring, sealed)
        except InvalidToken:
            return False
        return True

    def is_newest(self, ring: str, sealed: str) -> bool:
        """Whether it is sealed under the newest key of its ring."""
        self._look()
        try:
            Fernet(self.rings[ring][0]).decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def with_new_key(self) -> Keys:
        """A new key in front of each ring; the older ones still open what they sealed."""
        fresh = {ring: (Fernet.generate_key().decode(), *keys) for ring, keys in self.rings.items()}
        return replace(self, rings=fresh)

    def newest_alone(self) -> Keys:
        return replace(self, rings={ring: keys[:1] for ring, keys in self.rings.items()})

    def change(self, change: Callable[[Keys], Keys]) -> None:
        """Keep in the file what ``change`` makes of the rings there, one after the other."""
        assert self.file is not None
        with _turn(self.file):
            self._look()
            durable_write(self.file, change(self).as_text().encode())
        self._look()

    def as_text(self) -> str:
        """What a file of keys, or ``HUB_KEYS``, holds."""
        hexes = {"link": self.link, "session": self.session, "evidence": self.evidence}
        return json.dumps({name: key.hex() for name, key in hexes.items()} | {"rings": self.rings})

    def _ring(self, ring: str) -> MultiFernet:
        self._look()
        return MultiFernet([Fernet(key) for key in self.rings[ring]])

    def _look(self) -> None:
        if self.file is None:
            return
        try:
            stamp = _stamp(self.file)
            if stamp != self.stamp:
                self.rings, self.stamp = self._read(self.file.read_text()).rings, stamp
        except FileNotFoundError:  # put away meanwhile: what is known still serves
            return

    def role_token(self, order_id: str, role: str, epoch: int) -> str:
        """The token of one contact's link; of the recipient's it is ``link_token``."""
        return self.link_token(order_id if role == "recipient" else f"{order_id}:{role}", epoch)

    def link_token(self, order_id: str, epoch: int) -> str:
        """The order's 128-bit token: 22 URL-safe characters, the same every time."""
        from base64 import urlsafe_b64encode

        digest = hmac.digest(self.link, f"{order_id}:{epoch}".encode(), "sha256")[:16]
        return urlsafe_b64encode(digest).decode().rstrip("=")


def _add_evidence(path: Path) -> None:
    """Give an older file a key to sign evidence with, once however many processes start."""
    with _turn(path):
        kept = json.loads(path.read_text())
        if "evidence" not in kept:
            kept["evidence"] = secrets.token_hex(32)
            durable_write(path, json.dumps(kept).encode())


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    with path.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _stamp(path: Path) -> Stamp:
    """Another one after each ``durable_write``, which puts a new file in its place."""
    about = path.stat()
    return about.st_ino, about.st_mtime_ns, about.st_size


def hashed(token: str) -> str:
    """What is stored of a token that is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def tracker_hash(key: str) -> str:
    """What is stored of the key in a tracking app's address: it opens no phone's door."""
    return hashed(f"tracker:{key}")
