"""Plugins are other people's code: a bug in one is a sentence for whoever chose it."""

from __future__ import annotations

import logging

from hub.core.contracts import Provider
from hub.core.errors import ConfigError, HubError

log = logging.getLogger(__name__)


def failed(provider: Provider, purpose: str) -> ConfigError:
    """What to show after ``provider`` raised something nobody foresaw; the log has the rest."""
    return ConfigError(
        f"{provider.title} failed when it was to {purpose}. That is a mistake in the plugin:"
        " ask whoever runs this server to look in the log and update it."
    )


def proven(provider: Provider) -> None:
    """Its ``check``. Raises ``HubError`` only, whatever the plugin raises."""
    try:
        provider.check()
    except HubError:
        raise
    except Exception as error:
        log.exception("the check of %s failed", provider.key)
        raise failed(provider, "check these settings") from error
