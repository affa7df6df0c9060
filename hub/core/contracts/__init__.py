"""What a plugin can be. Subclass one of these and return the class from its hook.

Every provider has the same four parts: a ``key`` that is stored and never
changes, a ``title`` for people, ``Settings`` that the panel turns into a form,
and ``check`` which the panel runs before it saves that form. Instances live for
one piece of work; keep no state in them that must outlive it. What a connection can
be is in ``hub.core.connecting``. Import from here: in which part a contract lies is nobody's
business.
"""

from __future__ import annotations

from hub.core.contracts.channels import (
    Became,
    Cost,
    Costs,
    InlineFile,
    LooksUp,
    Message,
    NotificationChannel,
    Reaches,
    Receipt,
    ReceivesReceipts,
    Reply,
    TakesReplies,
)
from hub.core.contracts.hearing import Subscriber, WebhookRequest
from hub.core.contracts.proof import Kept, PodStore
from hub.core.contracts.provider import NoSettings, Option, Provider, Tokens, Tools
from hub.core.contracts.routing import (
    Arrival,
    EtaModel,
    PastError,
    RouteAhead,
    RouteProgress,
    RoutingStrategy,
)
from hub.core.contracts.travel import (
    AnswersInParts,
    Geocoder,
    GivesDirections,
    GivesReach,
    Match,
    TravelTimes,
)

__all__ = [
    "AnswersInParts",
    "Arrival",
    "Became",
    "Cost",
    "Costs",
    "EtaModel",
    "Geocoder",
    "GivesDirections",
    "GivesReach",
    "InlineFile",
    "Kept",
    "LooksUp",
    "Match",
    "Message",
    "NoSettings",
    "NotificationChannel",
    "Option",
    "PastError",
    "PodStore",
    "Provider",
    "Reaches",
    "Receipt",
    "ReceivesReceipts",
    "Reply",
    "RouteAhead",
    "RouteProgress",
    "RoutingStrategy",
    "Subscriber",
    "TakesReplies",
    "Tokens",
    "Tools",
    "TravelTimes",
    "WebhookRequest",
]
