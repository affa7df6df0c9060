"""What a connection can be: a place orders come from, books that hear how they fared, or both.

A connection is a provider with settings of its own, of which a business may have several of a
kind. What else it can do it says by its bases: ``WritesBack``, ``AcceptsWebhooks``,
``ConnectsByOAuth``, ``HandsOverKeys``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from hub.core.contracts import Provider, WebhookRequest
from hub.core.orders import IncomingOrder, OrderPage
from hub.core.values import Contact, DeliveredLine, Point, ProofFile

WEBHOOKS: dict[str, Any] = {"ring": "webhooks"}
"""``Field(json_schema_extra=WEBHOOKS)``: this secret is needed to tell a genuine webhook. It is
the only kind that the process which the internet calls can open; the others are empty there."""


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways to connect: what the panel asks for, and how it goes on.

    ``asks`` names the settings to fill in, ``optional`` those of them that may stay empty; those
    that no way asks for are asked in all of them. ``key`` is kept in the setting ``way``.
    ``permits`` is what the hub has to be allowed there: its name as the other side writes it, and
    what for.
    """

    key: str
    title: str
    asks: tuple[str, ...]
    then: Literal["check", "authorize", "hand_over"] = "check"
    hint: str = ""
    permits: tuple[tuple[str, str], ...] = ()
    optional: tuple[str, ...] = ()


class Connection(Provider):
    """What a source and a sink share. Subclass one of those, or both, as in docs/erp.md."""

    ways: ClassVar[tuple[Way, ...]] = ()
    """Empty: there is one, and it asks for every setting."""

    reads: ClassVar[str] = ""
    """What the hub reads there, in a sentence for whoever connects it."""
    writes: ClassVar[str] = ""
    """What the hub writes there and when, likewise."""

    def identity(self) -> str:
        """Which shop or books this is, as one text of at most 300 characters that stays the same
        however it is connected: its domain, its account. Two connections with one would bring
        every order twice, so the hub makes only one.

        Asked once ``check`` passed, and before that where somebody has to approve first. Holds no
        secret. Empty: not known (yet), nothing is compared. Raises like ``check``.
        """
        return ""

    def left_there(self) -> str:
        """What a person has to remove at the other side once this connection has ended, in a
        sentence: a key, say, that only its owner can take back. Empty: nothing."""
        return ""


class OrderSource(Connection):
    """A shop, an ERP, an inbox: anywhere orders come from.

    Example: ``hub plugin new NAME --kind order-source``.
    """

    every_s: ClassVar[int] = 300
    """How often to look, unless a webhook says sooner."""

    @abstractmethod
    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        """Yield what changed since ``cursor``, oldest change first.

        ``None`` means everything still open. Orders at the cursor's own instant
        must come again: the hub drops repeats but cannot find what was skipped.
        May yield nothing. Raises ``AuthError``, ``RateLimited``, ``Unavailable``
        between pages; pages already yielded stay stored.
        """

    def one(self, ref: str) -> IncomingOrder | None:
        """The order as it is now; ``None`` when the source has it no more.

        For trying again a record that was set aside. A source that cannot fetch one alone
        leaves this as it is and is read from the start instead.
        """
        raise NotImplementedError


class WritesBack(ABC):
    """An order source that can be told how its order fared.

    Example: ``hub plugin new NAME --kind order-source``.
    """

    takes_late_proof: ClassVar[bool] = False
    """Whether it can be told again, as ``late_proof``, of a job whose end it knows already."""

    @abstractmethod
    def write_back(self, update: OrderProgress) -> None:
        """Report progress on one order.

        Safe to repeat with one ``update.key``, also when the first call was cut off in its
        middle: what is there already is looked for before it is written again. Updates of one
        order come in order; one may be left out when a later one is known.
        """


class AcceptsWebhooks(ABC):
    """A connection that can ring the bell instead of waiting to be asked.

    Example: ``hub plugin new NAME --kind order-source``.
    """

    @abstractmethod
    def subscribe(self, url: str) -> str:
        """Have the remote call ``url``, and mend what it dropped or switched off meanwhile.

        Safe to repeat, and repeated every day. Returns what a person still has to do there,
        in a sentence, where the remote has no interface for it; else nothing.
        """

    @abstractmethod
    def unsubscribe(self) -> None:
        """Stop the calls. No error when there are none."""

    @abstractmethod
    def verify(self, request: WebhookRequest) -> str | None:
        """The remote's id for this call, so that repeats are dropped; empty where it has none.

        ``None`` for a genuine call that is about no order, as a test of the address. Raises
        ``BadSignature``. The body is not used further: a genuine call only makes the hub look
        now, so there is one way in for orders, not two. Of the settings only the secrets
        marked ``WEBHOOKS`` are there.
        """


class ConnectsByOAuth(ABC):
    """A connection whose owner signs in at the other side. Tokens are kept by ``tools.tokens``.

    ::

        ways = (Way("app", "Sign in", asks=("client_id", "client_secret"), then="authorize"),)

        def authorize_url(self, state, redirect):
            asked = {"client_id": self.settings.client_id, "state": state, "redirect_uri": redirect}
            return f"{LOG_IN}?{urlencode(asked)}"
    """

    @abstractmethod
    def authorize_url(self, state: str, redirect: str) -> str:
        """Where to send the person who connects."""

    @abstractmethod
    def exchange(self, query: Mapping[str, str], redirect: str) -> Mapping[str, str]:
        """The tokens for what came back. Raises ``AuthError`` for a forged or refused answer.

        That ``query["state"]`` is ours was looked at before.
        """

    @abstractmethod
    def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        """Fresh tokens. Raises ``AuthError`` when the business must reconnect."""

    def revoke(self, tokens: Mapping[str, str]) -> None:  # noqa: B027  (some cannot)
        """Have the other side forget the hub. No error when it has already."""


class HandsOverKeys(ABC):
    """A store that makes keys when its owner approves, and sends them to the hub by itself.

    ::

        ways = (Way("approve", "Approve in the store", asks=("url",), then="hand_over"),)

        def keys(self, request):
            told = json.loads(request.body)
            return {"key": told["consumer_key"], "secret": told["consumer_secret"]}
    """

    @abstractmethod
    def approve_url(self, state: str, redirect: str, callback: str) -> str:
        """Where to send the person who connects; he comes back to ``redirect``."""

    @abstractmethod
    def keys(self, request: WebhookRequest) -> Mapping[str, str]:
        """The settings that came to ``callback``. Raises ``BadSignature`` for anything else."""


class RecordSink(Connection):
    """Books that want to know what was delivered.

    Example: ``hub plugin new NAME --kind record-sink``.
    """

    @abstractmethod
    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        """What in the books may belong to ``order``; the hub files only a single match."""

    def rule(self, order: IncomingOrder) -> str:
        """What ``find`` goes by for ``order``, in a sentence for whoever finds no match.
        Empty: it does not say."""
        return ""

    def numbered(self, number: str) -> Sequence[Candidate]:
        """The documents that people call ``number``, for a person who names one; without those
        that can take no record.

        Books that cannot look one up leave this as it is: then nobody is asked for a number.
        """
        raise NotImplementedError

    @abstractmethod
    def record(self, record: DeliveryRecord) -> str:
        """File ``record`` at its ``target`` and return where, for a person.

        Safe to repeat with one ``record.key``, also when the first call was cut off in its
        middle. Raises ``Refused`` when the target can take no record (any more).
        """


Stage = Literal["placed", "planned", "dispatched", "on_the_way", "arrived", "closed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """What a store learns of its order. ``eta`` and ``outcome`` empty until known.

    ``outcome`` is ``succeeded``, ``partial``, ``failed``, ``skipped`` or ``cancelled``, with
    ``reason`` for a person. ``custom`` is what the source itself put there.
    """

    key: str
    order_ref: str
    order_number: str
    stage: Stage
    at: datetime
    custom: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    reason: str = ""
    attempt: int = 1
    eta: datetime | None = None  # None: no estimate yet
    tracking_url: str = ""
    proof_url: str = ""
    received_by: str = ""
    note: str = ""
    point: Point | None = None  # where it was closed; None: not known
    lines: tuple[DeliveredLine, ...] = ()
    files: tuple[ProofFile, ...] = ()
    late_proof: bool = False  # its end was told before, without this proof


@dataclass(frozen=True, slots=True)
class Document:
    """A file for the books, such as the proof of delivery as PDF."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What the books keep of one closed job. ``at`` is in the business's zone. ``late_proof``: an
    earlier record of the same job was filed without these documents."""

    key: str
    order_ref: str
    order_number: str
    outcome: str
    at: datetime
    reason: str = ""
    attempt: int = 1
    driver: str = ""
    received_by: str = ""
    note: str = ""
    late_proof: bool = False
    contacts: tuple[Contact, ...] = ()
    lines: tuple[DeliveredLine, ...] = ()
    documents: tuple[Document, ...] = ()
    proof_url: str = ""
    target: str = ""  # a ``Candidate.ref``, once one is chosen


@dataclass(frozen=True, slots=True)
class Candidate:
    ref: str
    label: str
    why: str  # "same number", "same contact and amount", …
