"""For plugin authors: prove that a plugin keeps its contract.

::

    from hub.testing import OrderSourceConformance

    class TestMyShop(OrderSourceConformance):
        @pytest.fixture
        def shop(self): ...            # a Shop: your fake of the remote system
        def source(self, shop, tools): # your OrderSource, pointed at it
            ...

There is a kit for each contract, and one for each ability of a connection:

==============================  ==========================================================
``OrderSourceConformance``      no order lost, whatever is cut off or changes meanwhile
``WritesBack…`` is held by      ``WriteBackConformance``: told once, and no echo
``AcceptsWebhooks`` by          ``WebhooksConformance``: only genuine calls ring
``ConnectsByOAuth`` by          ``OAuthConformance``: let in, kept in, nothing told
``RecordSinkConformance``       one note and one file at the right document
``RoutingStrategyConformance``  lawful plans, in time, of all that it claims
``NotificationChannel…``        carried once, or the error that says what is known
``Costs`` is held by            ``CostsConformance``: whole parts, whole millionths
``TakesReplies`` by             ``RepliesConformance``: who answered, and only genuine
``PodStoreConformance``         what was put comes back, to its own business alone
``GeocoderConformance``         the door, or doubt, or nothing
``TravelTimesConformance``      whole matrices, from rows to columns
``EtaModelConformance``         one arrival a stop, in order, never in the past
==============================  ==========================================================

A promise that cannot apply is named in ``exempt``, with the reason a reader deserves, and a need
that a strategy does not claim in ``lacks``: then its tests are not there. A kit that finds
something else than was said says what to write.
"""

import pytest

KITS = (
    "channel_calls",
    "channels",
    "eta_models",
    "geocoders",
    "leaving_out",
    "oauth",
    "order_sources",
    "plans_demanded",
    "pod_stores",
    "provider",
    "record_sinks",
    "strategies",
    "strategies_more",
    "travel_times",
    "webhooks",
    "write_back",
)
pytest.register_assert_rewrite(*(f"{__name__}.{kit}" for kit in KITS))  # before they are imported

from hub.testing.channel_calls import CostsConformance, RepliesConformance  # noqa: E402
from hub.testing.channels import CarrierMood, NotificationChannelConformance  # noqa: E402
from hub.testing.cutting import cut_off  # noqa: E402
from hub.testing.eta_models import EtaModelConformance  # noqa: E402
from hub.testing.geocoders import GeocoderConformance  # noqa: E402
from hub.testing.lending import WEBHOOK_SECRET, KeptTokens, lent  # noqa: E402
from hub.testing.oauth import OAuthConformance  # noqa: E402
from hub.testing.order_sources import Mood, OrderSourceConformance, Shop  # noqa: E402
from hub.testing.pod_stores import PodStoreConformance  # noqa: E402
from hub.testing.provider import MONDAY, ProviderConformance  # noqa: E402
from hub.testing.record_sinks import RecordSinkConformance  # noqa: E402
from hub.testing.serving import WsgiAdapter, serve  # noqa: E402
from hub.testing.strategies import RoutingStrategyConformance  # noqa: E402
from hub.testing.travel_times import TravelTimesConformance  # noqa: E402
from hub.testing.webhooks import WebhooksConformance  # noqa: E402
from hub.testing.write_back import WriteBackConformance  # noqa: E402

__all__ = [
    "MONDAY",
    "WEBHOOK_SECRET",
    "CarrierMood",
    "CostsConformance",
    "EtaModelConformance",
    "GeocoderConformance",
    "KeptTokens",
    "Mood",
    "NotificationChannelConformance",
    "OAuthConformance",
    "OrderSourceConformance",
    "PodStoreConformance",
    "ProviderConformance",
    "RecordSinkConformance",
    "RepliesConformance",
    "RoutingStrategyConformance",
    "Shop",
    "TravelTimesConformance",
    "WebhooksConformance",
    "WriteBackConformance",
    "WsgiAdapter",
    "cut_off",
    "lent",
    "serve",
]
