"""One part of a business's settings, kept beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.business import BusinessSettings
from hub.db.tables import BusinessRow
from hub.flows.audit import note

if TYPE_CHECKING:
    from hub.app import Hub


def keep_setting(
    hub: Hub, business_id: str, name: str, value: object, *, actor: str, action: str
) -> None:
    """The setting ``name`` is ``value`` from now on; whoever saves another part waits meanwhile.

    ``value`` as ``BusinessSettings`` has it; it is not looked at again.
    """
    with hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        kept = BusinessSettings.model_validate(row.settings)
        row.settings = kept.model_copy(update={name: value}).model_dump(mode="json")
        note(hub, unit.session, business_id, actor, action, row.name)
