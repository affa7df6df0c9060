"""The sheet a business downloads to fill in."""

from __future__ import annotations

from datetime import date

_TEMPLATE = (
    (
        "Order Number,Recipient Name,Phone,Email,Address Line 1,Address Line 2,City,State"
        ",Postcode,Country,Delivery Date,Time window from,Time window to,Service minutes"
        ",Delivery Instructions,Item Name,SKU,Quantity,Weight (kg),Payment due"
    ),
    (
        "1001,Sam Example,+358 40 0000001,sam@example.com,Example Street 1,Stair A 5,Helsinki"
        ",,00100,FI,{day},09:00,12:00,5,Ring the bell,Rye loaf,RYE-1,2,0.8,"
    ),
    "1001,,,,,,,,,,,,,,,Oat biscuits,OAT-1,1,0.3,",
    (
        "1002,Kim Example,+358 40 0000002,,Example Street 2,,Helsinki,,00120,FI,{day}"
        ",,16:00,,,Gift box,BOX-1,1,1.5,12.50 EUR"
    ),
)


MORE_COLUMNS = (
    ("Parcels", "2"),
    ("Skills", "fridge, age check"),
    ("Priority", "0 to 9"),
    ("Kind of goods", "raw fish, ice"),
    ("Further loads", "pallets: 2"),
    ("Goods ready at", "10:30"),
    ("Max minutes on board", "45"),
    ("Optional", "yes or no"),
    ("Worth doing", "12.50"),
    ("Only driver", "Mara"),
    ("Not drivers", "Olli, Pia"),
    ("Kept apart from", "1002, 1003"),
    ("Delivery window", "09:00-11:00; 15:00-18:00"),
    ("Wished from", "14:00"),
    ("Wished until", "15:00"),
    ("Wish per hour", "5.00"),
    ("Minutes to the door", "3"),
    ("Fetch at", "Market Square 1, 00170 Helsinki"),
    ("Fetch from", "Kim Example"),
    ("Fetch phone", "+358 40 0000003"),
    ("Fetch window", "08:00-09:00; 13:00-14:00"),
    ("Fetch minutes", "5"),
    ("Fetch note", "Ring at the gate"),
)
"""What few need, so it is not in the sheet: heading of a column, and what a cell may say."""


def template_csv(day: date) -> str:
    """A sheet to fill in, with two orders of ``day`` that show how."""
    return "".join(f"{row.format(day=day)}\r\n" for row in _TEMPLATE)
