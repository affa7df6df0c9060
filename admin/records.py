"""Set-up records: depots, vehicles, drivers with their phones, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, g, redirect
from flask.blueprints import BlueprintSetupState
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.contrib.sqla.filters import BooleanEqualFilter, FilterEqual, FilterLike
from sqlmodel import select

from admin.cells import capacity, local, yes_no
from admin.depots import DepotView
from admin.drivers import DriverView, zone_options
from admin.forms import Options
from admin.rows import IN_USE, HubModelView, ReadSessions, list_url
from admin.zones import ZoneView
from hub.db.tables import (
    AuditRow,
    DepotRow,
    DriverRow,
    MembershipRow,
    StaffRow,
    VehicleRow,
    ZoneRow,
)
from hub.flows import fleet
from hub.flows.fleet_rules import VehicleRulesIn, vehicle_typed
from hub.flows.log_in import Role
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub

URL = "/panel/records"


def records(hub: Hub) -> Blueprint:
    """The blueprint that brings flask-admin's views with it."""
    base = Blueprint("records_base", __name__, template_folder="templates")
    base.record_once(lambda state: _views(state, hub))
    return base


def _views(state: BlueprintSetupState, hub: Hub) -> None:
    app: Flask = state.app
    with app.app_context():
        index = Index(name="Records", endpoint="records", url=URL)
        index.static_folder = None  # 21 MB of widgets that our templates do not use
        admin = Admin(app, name="Records", url=URL, endpoint="records", index_view=index)
        db = ReadSessions(app, hub)
        for view, row, name in (
            (DepotView, DepotRow, "depots"),
            (VehicleView, VehicleRow, "vehicles"),
            (DriverView, DriverRow, "drivers"),
            (ZoneView, ZoneRow, "zones"),
            (AuditView, AuditRow, "changes"),
        ):
            admin.add_view(
                view(
                    row,
                    hub,
                    db,
                    name=name.capitalize(),
                    endpoint=f"records_{name}",
                    url=f"{URL}/{name}",
                )
            )


class Index(AdminIndexView):
    @expose("/")
    def index(self) -> Any:
        return redirect(list_url("depots"))


class VehicleView(HubModelView):
    schema = fleet.VehicleIn
    one = "vehicle"
    intro = "What carries the goods, and how much of them."
    more = frozenset(VehicleRulesIn.model_fields)
    empty = "No vehicle yet: add what your drivers drive or ride."
    column_list = ("name", "profile", "capacity", "skills", "active")
    column_labels = {"profile": "Moves like", "skills": "Equipment", "active": "In use"}
    column_searchable_list = ("name",)
    column_sortable_list = ("name", "profile", "active")
    column_default_sort = "name"
    column_filters = (
        FilterEqual(
            VehicleRow.profile,
            "Moves like",
            options=[
                ("car", "Car"),
                ("van", "Van"),
                ("truck", "Truck"),
                ("bicycle", "Bicycle"),
                ("cargo_bike", "Cargo bike"),
                ("walk", "Walk"),
            ],
        ),
        BooleanEqualFilter(VehicleRow.active, "In use", options=IN_USE),
    )
    column_formatters = {
        "capacity": lambda view, context, row, name: capacity(row.capacity),
        "skills": lambda view, context, row, name: ", ".join(row.skills),
        "active": lambda view, context, row, name: yes_no(row.active),
        "profile": lambda view, context, row, name: row.profile.capitalize(),
    }
    column_formatters_export = {
        **column_formatters,
        "active": lambda view, context, row, name: "yes" if row.active else "no",
    }

    def options(self) -> Mapping[str, Options]:
        return {"zones": zone_options(self.hub)}

    def typed(self, row: VehicleRow) -> Mapping[str, Any]:
        holds = row.capacity
        return {
            **row.model_dump(),
            "parcels": holds.get("parcels"),
            "kg": holds["g"] / 1000 if "g" in holds else None,
            "litres": holds["cm3"] / 1000 if "cm3" in holds else None,
            **vehicle_typed(row.planning, holds),
        }

    def save(self, given: fleet.VehicleIn, row_id: str | None) -> VehicleRow:
        return fleet.save_vehicle(
            self.hub, me().business_id, given, vehicle_id=row_id, actor=me().actor
        )

    def remove(self, row_id: str) -> None:
        fleet.remove_vehicle(self.hub, me().business_id, row_id, actor=me().actor)


class AuditView(HubModelView):
    one = "change"
    intro = "Who changed what in the set-up, the latest first."
    empty = "Nothing was changed yet."
    column_list = ("at", "actor", "action", "subject")
    column_labels = {"at": "When", "actor": "Who", "action": "What", "subject": "Of"}
    column_searchable_list = ("action", "subject")
    column_sortable_list = ("at", "action")
    column_default_sort = ("at", True)
    column_filters = (FilterLike(AuditRow.action, "What"), FilterLike(AuditRow.subject, "Of"))
    column_formatters = {
        "at": lambda view, context, row, name: local(row.at),
        "actor": lambda view, context, row, name: view.people().get(row.actor, row.actor),
    }

    def is_accessible(self) -> bool:
        return super().is_accessible() and me().role is Role.OWNER

    def people(self) -> dict[str, str]:
        if "people" not in g:
            with self.hub.reading() as session:
                g.people = {
                    f"staff:{row.id}": row.name or row.email
                    for row in session.exec(
                        select(StaffRow)
                        .join(MembershipRow, MembershipRow.staff_id == StaffRow.id)  # type: ignore[arg-type]
                        .where(MembershipRow.business_id == me().business_id)
                    )
                }
        people: dict[str, str] = g.people
        return people
