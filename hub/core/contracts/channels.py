"""How a recipient is reached, and what their carrier says of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple

from hub.core.contracts.hearing import WebhookRequest
from hub.core.contracts.provider import Provider

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


@dataclass(frozen=True, slots=True)
class Cost:
    """``micros``: millionths of the currency (ISO 4217); a text in two ``parts`` is paid twice."""

    parts: int
    micros: int = 0
    currency: str = ""


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


class Receipt(NamedTuple):
    """``why``: the carrier's reason, for a person. ``gone``: nothing reaches this address."""

    key: str
    state: str
    why: str = ""
    carrier_id: str = ""
    gone: bool = False


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


@dataclass(frozen=True, slots=True)
class Reply:
    """``sender`` as in ``Message.to``. ``wish`` where the carrier itself understood it."""

    sender: str
    text: str
    wish: Literal["", "stop", "start", "help"] = ""
