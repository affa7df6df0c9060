"""Laws every table keeps."""

from sqlalchemy import String
from sqlmodel import SQLModel

from hub.db.columns import AwareDateTime
from hub.db.tables import OUTSIDE


def test_every_table_belongs_to_a_business_or_is_listed_as_outside() -> None:
    without = {t.name for t in SQLModel.metadata.tables.values() if "business_id" not in t.c}
    assert without == OUTSIDE - {"log_in"}  # a log-in has one once a business is chosen


def test_every_text_has_a_length_and_every_moment_a_zone() -> None:
    for table in SQLModel.metadata.tables.values():
        for column in table.c:
            if isinstance(column.type, String):
                assert column.type.length, f"{table.name}.{column.name}"
            assert column.type.__class__.__name__ != "DateTime", f"{table.name}.{column.name}"
            if column.name.endswith("_at"):
                assert isinstance(column.type, AwareDateTime), f"{table.name}.{column.name}"
