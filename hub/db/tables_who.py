"""Who may do what: businesses, their people, keys, devices and secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text


class BusinessRow(SQLModel, table=True):
    __tablename__ = "business"
    id: str = row_id()
    name: str = text()
    zone: str = text(64, default="UTC")  # IANA name
    country: str = text(2, default="")
    language: str = text(12, default="en")
    trade: str = text(20, default="parcels")  # what it does; sets the defaults below
    settings: dict[str, Any] = document(default_factory=dict)  # hub.core.business.Settings
    created_at: datetime = moment()


class StaffRow(SQLModel, table=True):
    __tablename__ = "staff"
    id: str = row_id()
    email: str = text(254, unique=True)
    name: str = text(default="")
    password_hash: str = text(300, default="")
    disabled: bool = False
    created_at: datetime = moment()


class MembershipRow(SQLModel, table=True):
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("staff_id", "business_id"),)
    id: str = row_id()
    business_id: str = owner()
    staff_id: str = ref("staff.id", index=True)
    role: str = text(20)  # owner | dispatcher | accountant | viewer
    accepted_at: datetime | None = moment(default=None, nullable=True)
    """Until this person took the business's own link it opens nothing."""


class OperatorRow(SQLModel, table=True):
    __tablename__ = "operator"
    id: str = row_id()
    staff_id: str = ref("staff.id", unique=True)


class LogInRow(SQLModel, table=True):
    """A staff session; the cookie holds the token, this row its SHA-256."""

    __tablename__ = "log_in"
    id: str = row_id()
    token_hash: str = text(64, unique=True)
    staff_id: str = ref("staff.id", index=True)
    business_id: str | None = ref("business.id", default=None, nullable=True)
    csrf: str = text(64)
    created_at: datetime = moment()
    seen_at: datetime = moment()


class ThrottleRow(SQLModel, table=True):
    """How often something was tried lately; real time, survives restarts."""

    __tablename__ = "throttle"
    key: str = text(120, primary_key=True)
    count: int = 0
    since: datetime = moment()


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_key"
    id: str = row_id()
    business_id: str = owner()
    title: str = text()
    key_hash: str = text(64, unique=True)
    hint: str = text(12)  # its last characters, to tell keys apart
    scopes: list[str] = document(default_factory=list)
    created_at: datetime = moment()
    used_at: datetime | None = moment(default=None, nullable=True)
    revoked_at: datetime | None = moment(default=None, nullable=True)


class DeviceRow(SQLModel, table=True):
    """A driver's paired phone. ``pairing_hash`` is a one-time code's, while one is open.

    ``kind`` ``tracker``: an app that tells positions, and can do nothing else.
    """

    __tablename__ = "device"
    id: str = row_id()
    business_id: str = owner()
    driver_id: str = ref("driver.id", index=True)
    kind: str = text(20, default="phone")
    token_hash: str | None = text(64, default=None, nullable=True, unique=True)
    pairing_hash: str | None = text(64, default=None, nullable=True, unique=True)
    pairing_until: datetime | None = moment(default=None, nullable=True)
    paired_at: datetime | None = moment(default=None, nullable=True)
    seen_at: datetime | None = moment(default=None, nullable=True)
    revoked_at: datetime | None = moment(default=None, nullable=True)


class SecretRow(SQLModel, table=True):
    __tablename__ = "secret"
    __table_args__ = (UniqueConstraint("business_id", "owner_id", "name"),)
    id: str = row_id()
    business_id: str = owner()
    owner_id: str = text(80)  # the connection, or "mail"
    name: str = text(80)
    ring: str = text(20)  # credentials | webhooks
    sealed: str = text(LONG)


class AuditRow(SQLModel, table=True):
    __tablename__ = "audit"
    id: str = row_id()
    business_id: str = owner()
    actor: str = text()
    action: str = text()
    subject: str = text(default="")
    at: datetime = moment(index=True)
