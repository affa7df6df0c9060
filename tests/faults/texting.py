"""The channels for texts, in a hub that may not have found them installed."""

from __future__ import annotations

import notifiers.sms_http
import notifiers.sms_twilio
from hub import NotificationChannel
from hub.app import Hub


def with_texts(hub: Hub) -> None:
    for plugin in (notifiers.sms_twilio, notifiers.sms_http):
        key = plugin.__name__.rpartition(".")[2]
        try:
            hub.registry.get(NotificationChannel, key)
        except KeyError:  # not installed anew since it is there
            hub.registry.add(plugin, plugin.__name__)
