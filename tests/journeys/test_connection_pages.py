"""What an owner sees of a connection, from choosing to leaving, at any size, light and dark."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from hub.flows.pull import pull_due
from tests.connectors.shopify_worlds import needs_data
from tests.fakes import shopify as shopify_fake
from tests.fakes.shopify import SHOP, FakeShopify
from tests.fakes.xero import uuid
from tests.internet import Gate
from tests.selling_worlds import XERO, invoiced, sold_elsewhere, the_books
from tests.store_worlds import Bakery, Town

pytestmark = needs_data
SO_FAR = re.compile(r"Reading now: [1-9]\d* orders came in so far\.")
JAVASCRIPT = "text/javascript"


@contextmanager
def reading(bakery: Bakery, gate: Gate, n: int) -> Iterator[None]:
    """The worker reads the shop, which takes its time over the ``n``-th answer."""
    asked = iter(range(1, 1000))
    gate.shut(lambda path: "graphql" in path and next(asked) == n)
    worker = threading.Thread(target=pull_due, args=(bakery.hub,), daemon=True)
    worker.start()
    assert gate.waiting.wait(30)
    try:
        yield
    finally:
        gate.open.set()
        worker.join(30)


@contextmanager
def standing_still(bakery: Bakery) -> Iterator[None]:
    """The connection's page, which does not look again by itself meanwhile."""
    script = "**/connections.js*"
    bakery.page.route(script, lambda route: route.fulfill(body="", content_type=JAVASCRIPT))
    bakery.connection_page()
    try:
        yield
    finally:
        bakery.page.unroute(script)


@pytest.mark.soak
def test_every_page_of_a_shop_is_fit_to_be_seen(town: Town) -> None:
    shop = FakeShopify(now=town.clock, page_size=5)
    gate = Gate(shop)
    bakery = town.bakery(gate, SHOP)
    bakery.page.goto("/panel/connections")
    bakery.shows("choose")
    bakery.opens("Shopify", "My own store")
    bakery.fills(shop="www.husk.fi", client_id=shopify_fake.KEY, client_secret="mistyped")
    bakery.presses("Check and connect")
    bakery.reads_at("shop", "myshopify.com address")
    bakery.shows("form-wrong")
    bakery.fills(shop="husk", client_secret=shopify_fake.SECRET)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")
    with standing_still(bakery):
        bakery.looks_like("first-look")

    for n in range(40):
        shop.put(f"R{n}", town.clock() - timedelta(hours=40 - n))
    shop.spoil("R99", town.clock())
    with reading(bakery, gate, 10):
        with standing_still(bakery):
            expect(bakery.page.get_by_role("status")).to_have_text(SO_FAR)
            bakery.shows("reading")
        bakery.connection_page()
        bakery.sees("Reading now:")
    bakery.sees("#1041", "the shipping address has no street")  # the page has looked again
    bakery.shows("rejects")

    shop.be("down")
    for _ in range(4):
        bakery.later(hours=1)
        bakery.works()
    bakery.connection_page()
    bakery.looks_like("away")
    shop.be("locked")
    bakery.later(hours=2)
    bakery.works()
    bakery.connection_page()
    bakery.sees("Reconnect")
    bakery.shows("locked-out")
    bakery.page.goto("/panel/connections")
    bakery.shows("connections")
    bakery.connection_page()
    bakery.presses("Disconnect")
    bakery.sees("Shopify does not let the hub in", "uninstall it in Shopify under Settings → Apps.")
    bakery.looks_like("left")
    bakery.connection_page()
    bakery.sees("Connect it again")
    expect(bakery.page.get_by_role("button", name="Take it again")).to_have_count(0)
    bakery.shows("off")
    assert bakery.complaints == []


@pytest.mark.soak
def test_every_page_of_the_books_is_fit_to_be_seen(town: Town) -> None:
    books = the_books(town)
    cafe = books.organisation("Husk Café")
    bakery = town.bakery(books, *XERO)
    bakery.opens("Xero", "Sign in with Xero")
    bakery.looks_like("xero-form")
    bakery.fills(client_id=books.client_id, client_secret=books.secret)
    bakery.presses("Go to Xero and approve")
    bakery.page.get_by_label("Organisation").select_option([books.home.tenant_id, cafe.tenant_id])
    bakery.page.get_by_role("button", name="Allow access").click()
    bakery.sees("The first look begins in a moment.")
    bakery.works()

    # Which of the two is meant is asked, and answered from a list.
    bakery.connection_page()
    bakery.sees("Choose which Xero organisation this is.")
    bakery.shows("xero-which")
    bakery.page.get_by_role("link", name="Mend it in the settings.").click()
    bakery.page.get_by_label("Organisation").select_option("Bakery")
    bakery.page.get_by_label("Orders come from").select_option("Not from Xero")
    bakery.presses("Check and save")
    bakery.sees("Checked and saved.")

    invoiced(books, "A", Reference="1001")
    invoiced(books, "B", Reference="1002")
    invoiced(books, "C", Reference="1002 again")
    invoiced(books, "D", Reference="1003")
    books.home.locked.add(uuid("D"))
    for number in ("1001", "1002", "1003", "1004"):
        sold_elsewhere(bakery, number)
    bakery.works()
    bakery.connection_page()
    bakery.sees("paste the address that stands with this")
    bakery.shows("xero-to-do")
    bakery.publishes()
    bakery.drives()
    bakery.page.goto("/panel/books")
    bakery.sees("Recorded 1", "Parked 1", "Unmatched 2")
    bakery.sees("The document date cannot be before the period lock date")
    bakery.shows("books")
    row = bakery.page.get_by_role("row", name="1002")
    row.get_by_role("combobox").select_option(f"invoice/{uuid('C')}")
    bakery.presses("File it there 1002")
    bakery.sees("Filed: INV-C in Xero: history and notes, files", "Recorded 2")
    assert len(books.notes("C")) == 1
    invoiced(books, "E", InvoiceNumber="INV-77")
    bakery.page.get_by_label("Number of its document in Xero").fill("INV-77")
    bakery.presses("File it there 1004")
    bakery.sees("Filed: INV-77 in Xero: history and notes, files", "Recorded 3")
    bakery.presses("Leave out 1003")
    bakery.sees("Dismissed 1")
    bakery.presses("Put it back 1003")
    bakery.sees("Parked 1")
    assert bakery.complaints == []
