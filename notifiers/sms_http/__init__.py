"""Text messages by any gateway that is called by HTTP, as its settings describe it.

What gateways differ in is a table (docs/notices.md has the rows of six): where they are called
and how they know who calls, what they name a number and a text, how they say yes, which of their
codes mean what, and how they call back. Values are put into JSON, forms and queries by encoding
each one; nothing is pasted into a string that is parsed later.
"""

from __future__ import annotations

from hub import NotificationChannel, hookimpl
from notifiers.sms_http.gateway import Gateway


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Gateway]
