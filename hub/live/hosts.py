"""Under which names only one business's pages stand, as ``hub.web.own_domain`` has it."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlmodel import col, select

from hub.db.tables import BrandDomainRow
from hub.db.unit import reading


def owners(engine: Engine) -> dict[str, str]:
    """Each proven name, of every business, with the business it is of."""
    query = select(BrandDomainRow.proven_host, BrandDomainRow.business_id)
    with reading(engine) as session:
        rows = session.exec(query.where(col(BrandDomainRow.proven_host).is_not(None))).all()
    return {host: business_id for host, business_id in rows if host}
