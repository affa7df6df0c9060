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
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BaseModel

from hub.core.events import Event
from hub.core.plan_request import Whole
from hub.core.planning import Need, Plan, PlanRequest, RoadRoute, TravelMatrix
from hub.core.values import Address, Point

if TYPE_CHECKING:
    from hub.http import Http


class Tokens(Protocol):
    """Where a connection keeps what lets it in for a while; texts only, times in ISO 8601."""

    def load(self) -> Mapping[str, str]:
        """What is kept, after every refresh anywhere; empty before the first."""

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        """What ``refresh`` makes of what is kept, which replaces it; or what somebody else made
        of it since this ``load``, for one process at a time may refresh.

        A process that is killed in its middle leaves what was kept, and another goes on from
        there after a minute. What ``refresh`` raises is passed on; then nothing changes.
        """


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends a provider, so that tests can lend something else.

    ``http`` is a ``requests.Session`` with timeouts whose ``get_json`` and
    ``post_json`` raise the hub's errors; ``now`` is UTC. Only a connection has ``tokens`` and a
    ``webhook_secret``: letters and digits of its own, to sign what it is sent. A proof store
    knows for whom it keeps things by ``business_id``; others get none. Where somebody waits for
    it, ``within_s`` is how long in all: try once and no longer than that. ``cores``: how many
    processes a long computation may keep busy, its own among them.
    """

    http: Http
    now: Callable[[], datetime]
    log: logging.Logger
    data_dir: Path
    tokens: Tokens | None = None
    webhook_secret: str = field(default="", repr=False)
    business_id: str = ""
    within_s: float | None = None
    cores: int = 1

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connected socket, for a provider that speaks something other than HTTP.

        Raises ``Refused`` for an address inside a private network that the operator did
        not allow, ``OSError`` when nobody answers.
        """
        return self.http.connect(host, port, timeout_s)


@dataclass(frozen=True, slots=True)
class Option:
    """One of several values of a setting, and what people call it."""

    value: str
    label: str


class NoSettings(BaseModel):
    """For providers that need none."""


class Provider(ABC):
    """What every contract below shares. Subclass one of those, not this.

    Example: ``class Printer`` at the top of docs/plugins.md.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self, settings: Any, tools: Tools) -> None:
        self.settings = settings
        self.tools = tools

    def check(self) -> None:  # noqa: B027  (most providers have nothing to prove)
        """Prove that the settings work, touching nothing.

        Raises ``ConfigError`` or ``AuthError`` with a sentence for the business, and the
        name of the setting that is to blame where it is known; ``Unavailable`` if that
        could not be found out now.
        """

    def choices(self) -> Mapping[str, Sequence[Option]]:
        """What may be chosen for a setting, by its name, as the other side has it now.

        Asked once ``check`` passed: its locations, statuses, organisations. Settings that are
        in no form until then have a default. Raises like ``check``.
        """
        return {}


class RoutingStrategy(Provider):
    """A way to turn jobs and vehicles into routes.

    Example: ``hub plugin new NAME --kind routing-strategy``.
    """

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
    """A way to find an address on the map.

    Example: ``hub plugin new NAME --kind geocoder``.
    """

    @abstractmethod
    def locate(self, address: Address) -> Match | None:
        """Best match, or ``None`` when there is none worth showing a dispatcher."""

    def reverse(self, point: Point) -> Match | None:
        """The address nearest to ``point``; ``None`` when none is near or known."""
        return None


class TravelTimes(Provider):
    """How long it takes from place to place. An installed one is asked before the built-in ones.

    Where every setting has a default it is asked for everybody; else for the businesses that set it
    up, in the panel under Settings, Travel times. Raise ``ConfigError`` or any other error
    of the hub's, and the next one is asked. Example: ``hub plugin new NAME --kind travel-times``.
    """

    heeds_measures: ClassVar[bool] = False
    """Whether ``profile`` may say how large the vehicle is: read it with ``measures_of``."""

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


class AnswersInParts(ABC):
    """Travel times that are slow or cost money: the hub remembers them, and asks for what is new.

    ::

        def basis(self, depart_at, profile):
            return f"roads of 2026-11 by {profile}"

        def part(self, sources, targets, depart_at, profile):
            asked = [[leg(a, b) for b in targets] for a in sources]
            return np.array(asked)[:, :, 0], np.array(asked)[:, :, 1]
    """

    good_for: timedelta = timedelta(days=30)
    """How long an answer is believed."""

    @abstractmethod
    def basis(self, depart_at: datetime, profile: str) -> str:
        """All that an answer hangs on beside its two places, and nothing secret.

        The map and its age, the server, the vehicle; the hour, where that matters.
        """

    @abstractmethod
    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Whole, Whole]:
        """Seconds and metres from each of ``sources`` (rows) to each of ``targets``."""


class GivesDirections(ABC):
    """Travel times that can also tell a driver where to turn.

    ::

        def directions(self, places, depart_at, profile, language):
            here, there = places
            turn = RoadStep("Turn left.", seconds=60, metres=400)
            return RoadRoute((here, there), (RoadLeg(60, 400, (turn,)),))
    """

    @abstractmethod
    def directions(
        self, places: Sequence[Point], depart_at: datetime, profile: str, language: str
    ) -> RoadRoute:
        """``route`` with steps in ``language`` (``de``, ``pt-BR``), or in English."""


Reaches = Literal["email", "phone", "push", "url", "nobody"]


class NotificationChannel(Provider):
    """A way to reach a recipient.

    Example: ``hub plugin new NAME --kind notification-channel``.
    """

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

    def together(self) -> AbstractContextManager[None]:
        """While it is open several ``send`` follow each other in one thread. A channel may keep
        a connection for them; what it keeps must be fit for use or made anew.
        """
        return nullcontext()


Became = Literal["sent", "unknown", "failed"]


class LooksUp(ABC):  # noqa: B024  (one of its two methods is overridden, either of them)
    """A channel that can say what became of a message.

    Where the carrier knows it by ``Message.key`` override ``status``, else ``became``.
    Example: ``hub plugin new NAME --kind notification-channel``.
    """

    def status(self, key: str) -> Became:
        """``unknown`` for one that never left."""
        return "unknown"

    def became(self, message: Message) -> Became:
        """The same of a message of which more than its key is needed: to whom it went, and that
        it cannot have left before ``message.made_at``.
        """
        return self.status(message.key)


class Costs(ABC):
    """A channel whose carrier is paid for each message.

    ::

        def cost(self, message):
            parts = 1 + len(message.text) // 160
            return Cost(parts, parts * 50_000, "EUR")
    """

    @abstractmethod
    def cost(self, message: Message) -> Cost:
        """What sending it once costs. Asked after it was sent; must not ask anybody else."""


class ReceivesReceipts(ABC):
    """A channel whose carrier calls back to say what became of a message.

    ::

        def receipt(self, request):
            if not signed(request):
                raise BadSignature("This call is not from the carrier.")
            told = json.loads(request.body)
            return told["key"], told["state"]
    """

    @abstractmethod
    def receipt(self, request: WebhookRequest) -> tuple[str, str] | Receipt:
        """(message key, accepted | queued | sending | sent | delivered | undelivered | failed |
        cancelled), or a ``Receipt``, which can say more. Raises ``BadSignature``.

        The carrier calls at ``Message.receipts_to``.
        """


class TakesReplies(ABC):
    """A channel whose carrier passes on what recipients answer, above all that they want no more.

    ::

        def reply(self, request):
            if not signed(request):
                raise BadSignature("This call is not from the carrier.")
            told = json.loads(request.body)
            return Reply(told["from"], told["text"])
    """

    answer: ClassVar[tuple[str, str]] = ("", "text/plain")
    """Body and media type of what the carrier gets back: nothing to send."""

    @abstractmethod
    def reply(self, request: WebhookRequest) -> Reply:
        """Who answered what. Raises ``BadSignature``."""


class Receipt(NamedTuple):
    """``why``: the carrier's reason, for a person. ``gone``: nothing reaches this address."""

    key: str
    state: str
    why: str = ""
    carrier_id: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """``sender`` as in ``Message.to``. ``wish`` where the carrier itself understood it."""

    sender: str
    text: str
    wish: Literal["", "stop", "start", "help"] = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """``micros``: millionths of the currency (ISO 4217); a text in two ``parts`` is paid twice."""

    parts: int
    micros: int = 0
    currency: str = ""


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


class EtaModel(Provider):
    """A way to work out arrivals. An installed one is asked before the built-in one.

    ::

        def estimate(self, route, progress, history):
            at, found = progress.now, []
            for travel_s, service_s in zip(route.travel_s, route.service_s):
                at += timedelta(seconds=travel_s)
                found.append(Arrival(at, at, at + timedelta(minutes=5)))
                at += timedelta(seconds=service_s)
            return found
    """

    @abstractmethod
    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        """One arrival for every remaining stop, in order, never before ``progress.now``.

        ``history``: how far earlier estimates of this depot were off, the newest first.
        """


@dataclass(frozen=True, slots=True)
class Subscriber:
    """``handle`` is called at least once for each event of the given types.

    Calls for one subject come in order; a failing subscriber delays only itself.
    Use ``event.id`` to make repeats harmless. An event older than ``within`` is
    parked rather than tried again: news that comes too late helps nobody.
    Example: ``greet`` at the end of docs/plugins.md.
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


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A picture that ``Message.html`` shows as ``cid:…`` (RFC 2392), such as a logo."""

    cid: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``to`` as the channel needs it: an address, a number, a subscription.

    ``sender`` is the name it comes from; ``sender_id``, of at most 11 letters and digits, the one
    of a text, where the business chose one beside the channel's own.
    ``message_id`` names the message for ever (RFC 5322, 3.6.4), repeats included. ``receipts_to``
    is where a carrier says what became of it, ``unsubscribe`` where a recipient ends it by one
    click (RFC 8058); both are empty where there is no such address. It is no use any more after
    ``until``, and was made at ``made_at``; ``None``: not known.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    reply_to: str = ""
    sender_id: str = ""
    message_id: str = ""
    inline: tuple[InlineFile, ...] = ()
    receipts_to: str = ""
    unsubscribe: str = ""
    made_at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A place found for an address; ``confidence`` from 0 (a guess) to 1 (the very door)."""

    point: Point
    label: str
    precision: Literal["rooftop", "interpolated", "street", "postcode", "city"]
    confidence: float


@dataclass(frozen=True, slots=True)
class RouteAhead:
    """Remaining stops in order: the drive to each, the time at it, when its work can begin.

    The first drive begins at ``RouteProgress.now``; ``opens`` is in epoch seconds, 0 where
    work can begin at any time.
    """

    travel_s: tuple[int, ...]
    service_s: tuple[int, ...]
    opens: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RouteProgress:
    """``late_s``: behind the plan at the next stop, negative while ahead of it.

    ``way_pace`` and ``work_pace``: how long the ways and the work at doors took so far on
    this round, as a multiple of the plan; 1 until enough is known. ``RouteAhead`` goes by
    them already.
    """

    now: datetime
    late_s: float = 0.0
    way_pace: float = 1.0
    work_pace: float = 1.0


@dataclass(frozen=True, slots=True)
class PastError:
    """An estimate made ``ahead_s`` before an arrival was ``error_s`` too early."""

    ahead_s: int
    error_s: int  # arrival minus estimate


@dataclass(frozen=True, slots=True)
class Arrival:
    p10: datetime
    p50: datetime
    p90: datetime
