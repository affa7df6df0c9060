"""The customer's page in all its states side by side, by the very templates it is made of.

Each stands in a frame of its own, as on a phone: nothing in it can be followed or run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template

from hub.core.tracking_page import Life
from hub.db.tables import BrandRow
from hub.flows.tracking_samples import Sample, samples
from hub.web.look import Look, Theme, look_of
from hub.web.pages import page
from hub.web.tracking import shown

if TYPE_CHECKING:
    from hub.app import Hub

NOBODYS = "example"  # a token that opens nothing


def sample_sheet(
    hub: Hub, business_id: str, brand: BrandRow, language: str = "", theme: Theme = "light"
) -> Response:
    """A document for a frame of ours: a phone for each state of the page, as ``brand`` is."""
    look = look_of(brand, theme=theme)
    frames = [
        (one.key, one.title, _drawn(hub, one, look))
        for one in samples(hub, business_id, brand, language)
    ]
    answer = page("tracking/samples.html", frames=frames, theme=theme)
    # It is shown inside the panel, and holds frames itself; the page's own style has its nonce.
    policy = answer.headers["Content-Security-Policy"]
    policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    answer.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _drawn(hub: Hub, sample: Sample, look: Look) -> str:
    seen = sample.page
    match seen.life:
        case Life.GONE:
            about = {"which": "gone", "look": look, "tongue": seen.tongue}
            return render_template("tracking/message.html", **about)
        case Life.BARE:
            about = {"look": look, "seen": seen, "tongue": seen.tongue}
            return render_template("tracking/bare.html", **about)
    given = shown(hub, seen, look)
    return render_template("tracking/page.html", token=NOBODYS, tag="", **given)
