"""What a plugin can be. Subclass one of these and return the class from its hook.

Every provider has the same four parts: a ``key`` that is stored and never
changes, a ``title`` for people, ``Settings`` that the panel turns into a form,
and ``check`` which the panel runs before it saves that form. Instances live for
one piece of work; keep no state in them that must outlive it.
"""

from __future__ import annotations

import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

from hub.core.events import Event
from hub.core.orders import IncomingOrder, OrderPage
from hub.core.planning import Need, Plan, PlanRequest, RoadRoute, TravelMatrix
from hub.core.values import Address, Contact, DeliveredLine, Point, ProofFile

if TYPE_CHECKING:
    from hub.http import Http


class Tokens(Protocol):
    """Where an OAuth connection keeps its tokens between calls."""

    def load(self) -> Mapping[str, str]: ...

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        """Run ``refresh`` in one process at a time and keep the old beside the new."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends a provider, so that tests can lend something else.

    ``http`` is a ``requests.Session`` with timeouts whose ``get_json`` and
    ``post_json`` raise the hub's errors; ``now`` is UTC; ``tokens`` is ``None``
    for a provider that is no connection.
    """

    http: Http
    now: Callable[[], datetime]
    log: logging.Logger
    data_dir: Path
    tokens: Tokens | None = None

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connected socket, for a provider that speaks something other than HTTP.

        Raises ``Refused`` for an address inside a private network that the operator did
        not allow, ``OSError`` when nobody answers.
        """
        return self.http.connect(host, port, timeout_s)


class NoSettings(BaseModel):
    """For providers that need none."""


class Provider(ABC):
    key: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self, settings: Any, tools: Tools) -> None:
        self.settings = settings
        self.tools = tools

    def check(self) -> None:  # noqa: B027  (most providers have nothing to prove)
        """Prove that the settings work, touching nothing.

        Raises ``ConfigError`` or ``AuthError`` with a sentence for the business,
        ``Unavailable`` if that could not be found out now.
        """


class OrderSource(Provider):
    """A shop, an ERP, an inbox: anywhere orders come from."""

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


class WritesBack(ABC):
    """An order source that can be told how its order fared."""

    @abstractmethod
    def write_back(self, update: OrderProgress) -> None:
        """Report progress on one order. Must be safe to repeat with one ``update.key``."""


class AcceptsWebhooks(ABC):
    """An order source that can ring the bell instead of waiting to be asked."""

    @abstractmethod
    def subscribe(self, url: str) -> None:
        """Have the remote call ``url``. Safe to repeat."""

    @abstractmethod
    def unsubscribe(self) -> None:
        """Stop the calls. No error when there are none."""

    @abstractmethod
    def verify(self, request: WebhookRequest) -> str:
        """Return the remote's id for this call, so that repeats are dropped.

        Raises ``BadSignature``. The body is not used further: a genuine call
        only makes the hub look now, so there is one way in for orders, not two.
        """


class ConnectsByOAuth(ABC):
    @abstractmethod
    def authorize_url(self, state: str, redirect: str) -> str:
        """Where to send the person who connects."""

    @abstractmethod
    def exchange(self, query: Mapping[str, str], redirect: str) -> Mapping[str, str]:
        """The tokens for what came back. Raises ``AuthError`` for a forged answer."""

    @abstractmethod
    def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        """Fresh tokens. Raises ``AuthError`` when the business must reconnect."""


class RoutingStrategy(Provider):
    """A way to turn jobs and vehicles into routes."""

    @abstractmethod
    def capabilities(self) -> frozenset[Need]:
        """What it can honour; the hub asks another strategy for the rest."""

    @abstractmethod
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        """Answer within about ``request.time_limit_s``; leave out what cannot be served.

        ``progress(best)`` returning ``False`` means: stop, keep the best. The
        same request and seed give the same plan. The hub checks the answer with
        ``violations`` and refuses one that breaks a promise.
        """


class Geocoder(Provider):
    @abstractmethod
    def locate(self, address: Address) -> Match | None:
        """Best match, or ``None`` when there is none worth showing a dispatcher."""

    def reverse(self, point: Point) -> Match | None:
        """The address nearest to ``point``; ``None`` when none is near or known."""
        return None


class TravelTimes(Provider):
    @abstractmethod
    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        """Seconds and metres between all ``places`` when leaving at ``depart_at``."""

    @abstractmethod
    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        """The way through ``places`` in this order: its shape and one leg between each two."""


Reaches = Literal["email", "phone", "push", "url", "nobody"]


class NotificationChannel(Provider):
    reaches: ClassVar[Reaches]
    """What ``Message.to`` is: a contact's e-mail address or phone number, or a subscription to
    push messages. ``url`` calls one address of its own settings and ``nobody`` only shows
    messages: these two need no address, and get what is known of the contact."""
    repeat_is_harmless: ClassVar[bool] = False
    """Whether the carrier drops a second ``send`` with the same ``message.key``."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "reaches"):
            raise TypeError(f"{cls.__name__} does not say what it reaches")

    @abstractmethod
    def send(self, message: Message) -> str:
        """Hand over one message and return the carrier's id for it.

        Raises ``Refused`` for an address that can never receive it, ``MaybeSent`` when
        it left and no answer came; every other error of the hub's says that it did not.
        """


class LooksUp(ABC):
    """A channel that can say what became of a message."""

    @abstractmethod
    def status(self, key: str) -> Literal["sent", "unknown", "failed"]: ...


class ReceivesReceipts(ABC):
    @abstractmethod
    def receipt(self, request: WebhookRequest) -> tuple[str, str]:
        """(message key, delivered | failed | …). Raises ``BadSignature``."""


class PodStore(Provider):
    """Where proof of delivery is kept. Content is never changed once put."""

    @abstractmethod
    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        """Store ``content`` durably and return a reference. The same bytes may share one."""

    @abstractmethod
    def get(self, ref: str) -> bytes:
        """The bytes as put. Raises ``KeyError`` for a reference never given out."""

    @abstractmethod
    def delete(self, ref: str) -> None:
        """Forget ``ref``; no error when already gone."""


class RecordSink(Provider):
    """Books that want to know what was delivered."""

    @abstractmethod
    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        """What in the books may belong to ``order``; the hub files only a single match."""

    @abstractmethod
    def record(self, record: DeliveryRecord) -> str:
        """File ``record`` and return where. Safe to repeat with one ``record.key``."""


class EtaModel(Provider):
    @abstractmethod
    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[float]
    ) -> Sequence[Arrival]:
        """One arrival for every remaining stop, in order; ``history``: past errors in s."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """``handle`` is called at least once for each event of the given types.

    Calls for one subject come in order; a failing subscriber delays only itself.
    Use ``event.id`` to make repeats harmless. An event older than ``within`` is
    parked rather than tried again: news that comes too late helps nobody.
    """

    name: str
    events: tuple[type[Event], ...]
    handle: Callable[[Event, Tools], None]
    within: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """What a store learns of its order. ``eta`` and ``outcome`` empty until known."""

    key: str
    order_ref: str
    state: str
    at: datetime
    outcome: str = ""
    reason: str = ""
    attempt: int = 1
    eta: datetime | None = None  # None: no estimate yet
    tracking_url: str = ""
    lines: tuple[DeliveredLine, ...] = ()
    files: tuple[ProofFile, ...] = ()


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A picture that ``Message.html`` shows as ``cid:…`` (RFC 2392), such as a logo."""

    cid: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``to`` as the channel needs it: an address, a number, a subscription.

    ``message_id`` names the message for ever (RFC 5322, 3.6.4), repeats included.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    reply_to: str = ""
    message_id: str = ""
    inline: tuple[InlineFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    key: str
    order_ref: str
    order_number: str
    outcome: str
    at: datetime
    reason: str = ""
    attempt: int = 1
    received_by: str = ""
    contacts: tuple[Contact, ...] = ()
    lines: tuple[DeliveredLine, ...] = ()
    files: tuple[ProofFile, ...] = ()
    proof_url: str = ""
    target: str = ""  # a ``Candidate.ref``, once one is chosen


@dataclass(frozen=True, slots=True)
class Candidate:
    ref: str
    label: str
    why: str  # "same number", "same contact and amount", …


@dataclass(frozen=True, slots=True)
class Match:
    """A place found for an address; ``confidence`` from 0 (a guess) to 1 (the very door)."""

    point: Point
    label: str
    precision: Literal["rooftop", "interpolated", "street", "postcode", "city"]
    confidence: float


@dataclass(frozen=True, slots=True)
class RouteAhead:
    """Remaining stops in order: earliest start, latest start (epoch s) and service time each."""

    travel_s: tuple[int, ...]
    service_s: tuple[int, ...]
    opens: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RouteProgress:
    now: datetime
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    p10: datetime
    p50: datetime
    p90: datetime
