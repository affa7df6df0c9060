"""The few kinds of column the tables are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, TypeDecorator
from sqlmodel import Field

from hub.core.ids import new_id

SHORT, LONG = 200, 4000
BigSerial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only INTEGER keys


class AwareDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Refuses one without a zone; gives back an aware one on every engine."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def row_id() -> Any:
    return Field(default_factory=new_id, primary_key=True, sa_type=String(36))


def owner() -> Any:
    """The business whose row this is."""
    return Field(foreign_key="business.id", index=True, sa_type=String(36))


def ref(target: str, **options: Any) -> Any:
    return Field(foreign_key=target, sa_type=String(36), **options)


def moment(**options: Any) -> Any:
    return Field(sa_type=AwareDateTime, **options)


def text(length: int = SHORT, **options: Any) -> Any:
    return Field(sa_type=String(length), max_length=length, **options)


def document(**options: Any) -> Any:
    return Field(sa_type=JSON, **options)
