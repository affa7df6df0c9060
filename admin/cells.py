"""What a cell of a list shows for a value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from hub.flows.fleet import DAYS
from hub.web.staff import me


def minutes(seconds: int) -> str:
    return f"{seconds / 60:g} min"


def capacity(holds: Mapping[str, float]) -> str:
    """``40 parcels, 800 kg``; a dash when there is no limit."""
    words = (("parcels", 1, "parcels"), ("g", 1000, "kg"), ("cm3", 1000, "litres"))
    known = {name for name, _, _ in words}
    told = [f"{holds[k] / by:g} {word}" for k, by, word in words if k in holds]
    told += [f"{amount:g} {name}" for name, amount in holds.items() if name not in known]
    return ", ".join(told) or "–"


def week(works: Mapping[str, Any]) -> str:
    """``Mon Tue Wed``; a dash for nobody's week."""
    return " ".join(name[:3] for n, name in enumerate(DAYS) if works.get(str(n))) or "–"


def yes_no(value: bool) -> Markup:
    return Markup('<span class="pill{}">{}</span>').format(
        *((" ok", "Yes") if value else ("", "No"))
    )


def size(count: int) -> str:
    """A number of bytes as people say it."""
    for unit, of in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= of:
            return f"{count / of:.1f} {unit}"
    return f"{count} bytes"


def local(moment: datetime | None) -> str:
    """In the zone of the business of whoever looks; a dash for never."""
    return moment.astimezone(ZoneInfo(me().zone)).strftime("%Y-%m-%d %H:%M") if moment else "–"
