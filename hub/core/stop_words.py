"""What somebody who answers a text message wants: to be left alone, or to hear again.

Carriers know the English words and answer them themselves. A business must honour any clear
wording (FCC 24-18, in force since 2025-04-11), so a whole answer is matched, without case,
punctuation or a "please", in some more languages besides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Wish = Literal["stop", "start", "help"]
STOP = frozenset(
    (
        "stop|stopall|stop all|unsubscribe|end|quit|cancel|revoke|optout|opt out|opt-out|remove me"
        "|stop texting me|stop messaging me|no more texts|no more messages|do not text me"
        "|dont text me|leave me alone|stop it|stop this|stop sending|stop sms|stop messages|no more"
        "|unsubscribe me|no more sms"
        "|abmelden|stopp|keine sms mehr|keine nachrichten mehr|aufhoren|lopeta"
        "|peruuta|avsluta|arret|arreter|desabonner|baja|basta"
        "|قف|توقف|الغاء|اوقف|ايقاف|الغاء الاشتراك"
    ).split("|")
)
START = frozenset("start|yes|unstop|subscribe|opt in|optin".split("|"))
HELP = frozenset("help|info|hilfe|apua|hjalp|aide|ayuda".split("|"))
_POLITE = re.compile(r"^(?:please|pls|bitte)\s+|\s+(?:please|pls|bitte|now|thanks|thank you)$")


def wish(text: str) -> Wish | None:
    """What the whole of ``text`` asks for; ``None``: something a person should read."""
    bare = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(one for one in bare if not unicodedata.combining(one)).replace("'", "")
    bare = " ".join(re.sub(r"[^\w\s-]", " ", bare.replace("’", "")).split())
    bare = _POLITE.sub("", bare)
    if bare in STOP:
        return "stop"
    if bare in START:
        return "start"
    return "help" if bare in HELP else None
