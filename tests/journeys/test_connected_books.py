"""The books are connected by clicking, and keep the proof of what any shop had delivered."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.connectors.shopify_worlds import needs_data
from tests.selling_worlds import XERO, invoiced, leaves, sold_elsewhere, the_books
from tests.store_worlds import Town

pytestmark = needs_data


@pytest.mark.soak
def test_xero_is_signed_in_to_records_every_delivery_and_is_left(town: Town) -> None:
    books = the_books(town)
    bakery = town.bakery(books, *XERO)
    bakery.opens("Xero", "Sign in with Xero")
    bakery.fills(client_id=books.client_id, client_secret="mistyped")
    bakery.presses("Go to Xero and approve")
    bakery.page.get_by_role("button", name="Allow access").click()
    bakery.reads_at("client_secret", "Xero does not know this client id and secret.")
    expect(bakery.page.locator("#client_id")).to_have_value(books.client_id)
    bakery.looks_like("secret-wrong")
    bakery.fills(client_secret=books.secret)
    bakery.presses("Go to Xero and approve")
    bakery.page.get_by_role("button", name="Cancel").click()
    bakery.sees("You did not allow the hub to use Xero. Connect again when you want to.")
    bakery.presses("Go there again")
    bakery.page.get_by_role("button", name="Allow access").click()
    bakery.sees("The first look begins in a moment.")

    invoiced(books, "A")
    invoiced(books, "B", Reference="Shop #1001", Status="PAID")
    sold_elsewhere(bakery, "1001")
    bakery.works()
    assert bakery.orders() == {"INV-A": "open", "1001": "open"}
    bakery.publishes()
    bakery.drives()
    for ref in ("A", "B"):
        [note] = books.notes(ref)
        assert "elivered" in note
        [(name, (content, _))] = books.files(ref).items()
        assert name.endswith(".pdf")
        assert content.startswith(b"%PDF")

    bakery.page.goto("/panel/books")
    row = bakery.page.get_by_role("row", name="1001")
    expect(row).to_contain_text("Aino Laine")
    row.get_by_role("link", name="1001").click()
    bakery.sees("on INV-B")
    bakery.looks_like("order-in-the-books")

    invoiced(books, "C")
    bakery.later(minutes=6)
    bakery.works()
    bakery.later(minutes=6)
    invoiced(books, "C", Status="VOIDED")
    bakery.works()
    assert bakery.ends() == {"INV-A": "succeeded", "1001": "succeeded", "INV-C": "cancelled"}

    leaves(bakery)
    assert books.disconnected == {books.home.tenant_id}
    assert books.wrong == []
    assert bakery.complaints == []


@pytest.mark.soak
def test_xero_is_connected_by_a_custom_connection(town: Town) -> None:
    books = the_books(town)
    books.custom_apps.add(books.client_id)
    bakery = town.bakery(books, *XERO)
    bakery.opens("Xero", "Custom connection")
    bakery.fills(client_id=books.client_id, client_secret="mistyped")
    bakery.presses("Check and connect")
    bakery.reads_at("client_secret", "Xero does not know this client id and secret.")
    expect(bakery.page.locator("#client_id")).to_have_value(books.client_id)
    bakery.fills(client_secret=books.secret)
    bakery.presses("Check and connect")
    bakery.sees("The first look begins in a moment.")
    invoiced(books, "A")
    bakery.works()
    assert bakery.orders() == {"INV-A": "open"}
    leaves(bakery)
    assert bakery.complaints == []
