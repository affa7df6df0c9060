"""What all text messages share, whoever carries them: numbers, parts, prices, pauses."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import requests
from pydantic import Field

from hub import Cost, Costs, Gone, Message, NotificationChannel, Sms, as_sms

PAUSE_S = 5.0
"""Where a carrier asks for a pause and does not say how long."""
MostParts = Annotated[int, Field(title="Most parts of a text", ge=1, le=10)]
Price = Annotated[Decimal, Field(title="Price of a part", ge=0, le=100)]
Currency = Annotated[str, Field(title="Currency", pattern=r"^[A-Z]{3}$")]


class Texts(NotificationChannel, Costs):
    """A carrier that is paid by the part.

    Its settings have ``keeps_accents``, ``most_parts``, ``price`` and ``currency``.
    """

    reaches = "phone"

    def cost(self, message: Message) -> Cost:
        parts = self.sms(message).parts
        return Cost(parts, int(self.settings.price * 1_000_000) * parts, self.settings.currency)

    def sms(self, message: Message) -> Sms:
        """The text as it is sent: what ten parts hold, no carrier finds too long."""
        return as_sms(
            message.text,
            keeps_accents=self.settings.keeps_accents,
            most_parts=self.settings.most_parts,
        )


def number(to: str) -> str:
    """``to`` in E.164. Raises ``Gone`` for anything else: a carrier would, too."""
    if to.startswith("+") and to[1:].isascii() and to[1:].isdigit() and 8 <= len(to) <= 16:
        return to
    raise Gone("This is no whole telephone number with its country, such as +358401234567.")


def pause_s(reply: requests.Response) -> float:
    """The pause that ``reply`` asks for, a second at least; ``PAUSE_S`` where it names none."""
    try:
        return max(1.0, float(reply.headers.get("Retry-After", "")))
    except ValueError:
        return PAUSE_S
