"""Where proof of a hand-over is kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from hub.core.contracts.provider import Provider


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that a proof store holds: its reference, and the hash of what was put, in hex."""

    ref: str
    sha256: str


class PodStore(Provider):
    """Where proof of delivery is kept. Content is never changed once put.

    Each business's lies apart: ``self.tools.business_id`` says whose, and what one was given
    opens and removes nothing of another's. Example: ``hub plugin new NAME --kind pod-store``.
    """

    @abstractmethod
    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        """Store ``content`` durably, whole or not at all, and return a reference.

        At most 300 characters, and good for ever. The same bytes may share one. Raises
        ``Refused`` for content that is not ``sha256`` (hex), and for what is wrong with the file
        alone: a phone throws it away. A storage that says no, or is full, is ``ConfigError`` or
        ``Unavailable``.
        """

    @abstractmethod
    def get(self, ref: str) -> bytes:
        """The bytes as put.

        Raises ``KeyError`` for a reference never given out, ``Refused`` for bytes that are no
        longer what was put.
        """

    @abstractmethod
    def delete(self, ref: str) -> None:
        """Forget ``ref``; no error when already gone."""

    def put_from(self, source: BinaryIO, *, media_type: str, sha256: str) -> str:
        """``put`` of what ``source`` holds from its start; it can seek.

        A store whose files may be larger than memory overrides this and ``parts``.
        """
        source.seek(0)
        return self.put(source.read(), media_type=media_type, sha256=sha256)

    def parts(self, ref: str) -> Iterator[bytes]:
        """``get``, a part at a time; ``Refused`` may come after the last of them."""
        yield self.get(ref)

    def kept(self, before: datetime) -> Iterator[Kept]:
        """What of the business was put before then, so that what nobody knows of can be removed;
        nothing from a store that keeps no list.
        """
        return iter(())

    @classmethod
    def place(cls, settings: Any) -> str:
        """Where files lie with these settings, to be read by people; references are good there
        alone, so the hub lets nobody change it while some do. Empty: there is only one.
        """
        return ""
