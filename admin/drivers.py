"""Drivers: their week, their van, and the phones that are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import segno
from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla.filters import BooleanEqualFilter, FilterEqual
from flask_admin.form import BaseForm
from markupsafe import Markup
from sqlmodel import select

from admin.cells import week, yes_no
from admin.forms import Options
from admin.rows import IN_USE, HubModelView, ReadSessions, within_request
from admin.words import Clock
from hub.core.errors import Refused
from hub.db.tables import DepotRow, DriverRow, VehicleRow, ZoneRow
from hub.flows import fleet
from hub.flows.day_rules import LAST_STOP
from hub.flows.devices import devices_of, last_heard, revoke
from hub.flows.fleet_rules import DriverRulesIn, driver_typed
from hub.flows.pairing import PAIRING, TRACKER, pairing_code, tracker_key
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub

USUAL_HOURS = ("08:00", "17:00")


class DriverView(HubModelView):
    schema = fleet.DriverIn
    one = "driver"
    intro = "Who drives, when, and with which phone."
    more = frozenset(DriverRulesIn.model_fields)
    empty = "No driver yet: add one, then pair a phone."
    edit_template = "panel/records_driver.html"
    column_list = ("name", "phone", "vehicle_id", "depot_id", "works", "active")
    column_labels = {
        "vehicle_id": "Vehicle",
        "depot_id": "Starts from",
        "works": "Works on",
        "active": "Works here",
    }
    column_searchable_list = ("name", "phone")
    column_sortable_list = ("name", "active")
    column_default_sort = "name"

    def __init__(self, model: type[Any], hub: Hub, db: ReadSessions, **options: Any) -> None:
        self.column_filters = (
            FilterEqual(
                DriverRow.depot_id,
                "Starts from",
                options=within_request(lambda: _names(hub, DepotRow)),
            ),
            BooleanEqualFilter(DriverRow.active, "Works here", options=IN_USE),
        )
        self.column_formatters = {
            "vehicle_id": lambda view, context, row, name: _named(hub, VehicleRow, row.vehicle_id),
            "depot_id": lambda view, context, row, name: _named(hub, DepotRow, row.depot_id),
            "works": lambda view, context, row, name: week(row.works),
            "active": lambda view, context, row, name: yes_no(row.active),
        }
        self.column_formatters_export = {
            **self.column_formatters,
            "active": lambda view, context, row, name: "yes" if row.active else "no",
        }
        super().__init__(model, hub, db, **options)

    def options(self) -> Mapping[str, Options]:
        return {
            "vehicle_id": [("", "No fixed vehicle"), *_names(self.hub, VehicleRow)],
            "depot_id": [("", "The first depot"), *_names(self.hub, DepotRow)],
            "zones": zone_options(self.hub),
            "ends_at": [
                ("", "Where it started"),
                (LAST_STOP, "At the last stop: goes home from there"),
                *((id, f"At {name}") for id, name in _names(self.hub, DepotRow)),
            ],
        }

    def record_form(self, row: DriverRow | None = None) -> BaseForm:
        form = super().record_form(row)
        if row is None and request.method == "GET":
            form.works.data = {str(day): list(USUAL_HOURS) for day in range(5)}
        return form

    def typed(self, row: DriverRow) -> Mapping[str, Any]:
        return {**row.model_dump(), **driver_typed(row.planning)}

    def save(self, given: fleet.DriverIn, row_id: str | None) -> DriverRow:
        row = fleet.save_driver(
            self.hub, me().business_id, given, driver_id=row_id, actor=me().actor
        )
        if row.active and not row.works:
            flash(f"{row.name} works on no day, so no plan gives {row.name} a route.", "warn")
        return row

    def remove(self, row_id: str) -> None:
        fleet.remove_driver(self.hub, me().business_id, row_id, actor=me().actor)

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        """A new driver's next step is their phone."""
        if is_created:
            return str(self.get_url(".edit_view", id=model.id))
        return super().get_save_return_url(model, is_created)

    def beside(self, form: BaseForm, row: DriverRow | None) -> Mapping[str, Any]:
        if row is None:
            return {}
        known = devices_of(self.hub, me().business_id, row.id)
        heard = last_heard(self.hub, me().business_id, row.id)
        clock = Clock.of(me().zone)
        return {
            "phones": [
                (one.id, clock.moment(one.paired_at), clock.moment(heard.get(one.id)))
                for one in known
                if one.kind != TRACKER
            ],
            "trackers": [
                (one.id, clock.moment(one.paired_at), clock.moment(heard.get(one.id)))
                for one in known
                if one.kind == TRACKER
            ],
        }

    @expose("/pair/", methods=("POST",))
    def pair_view(self) -> Any:
        """A code for one phone, shown once."""
        row = self.get_one(request.form.get("id", ""))
        try:
            code = pairing_code(self.hub, me().business_id, row.id)
        except Refused as problem:
            flash(str(problem), "bad")
            return redirect(self.get_url(".edit_view", id=row.id))
        link = f"{self.hub.settings.public_url}/driver/pair#{code}"
        until = (self.hub.now() + PAIRING).astimezone(ZoneInfo(me().zone))
        drawn = segno.make(link, error="m").svg_inline(border=2, light="#ffffff", omitsize=True)
        return self.render(
            "panel/records_pair.html",
            row=row,
            view=self,
            code=f"{code[:5]} {code[5:]}",
            link=link,
            until=until.strftime("%H:%M"),
            qr=Markup(drawn),  # noqa: S704
            is_https=link.startswith("https:"),
        )

    @expose("/tracker/", methods=("POST",))
    def tracker_view(self) -> Any:
        """An address for a tracking app, shown once."""
        row = self.get_one(request.form.get("id", ""))
        try:
            key = tracker_key(self.hub, me().business_id, row.id, actor=me().actor)
        except Refused as problem:
            flash(str(problem), "bad")
            return redirect(self.get_url(".edit_view", id=row.id))
        link = f"{self.hub.settings.public_url}/live/trackers/{key}"
        drawn = segno.make(link, error="m").svg_inline(border=2, light="#ffffff", omitsize=True)
        return self.render(
            "panel/records_tracker.html",
            row=row,
            link=link,
            qr=Markup(drawn),  # noqa: S704
        )

    @expose("/revoke/", methods=("POST",))
    def revoke_view(self) -> Any:
        try:
            driver_id = revoke(
                self.hub, me().business_id, request.form.get("id", ""), actor=me().actor
            )
        except LookupError:
            abort(404)
        flash("It is shut out: nothing that it sends is taken any more.", "ok")
        return redirect(self.get_url(".edit_view", id=driver_id))


def zone_options(hub: Hub) -> Options:
    """The zones that a driver or vehicle may keep to."""
    return _names(hub, ZoneRow)


def _names(
    hub: Hub, table: type[DepotRow] | type[VehicleRow] | type[ZoneRow]
) -> list[tuple[str, str]]:
    key = f"names_{table.__tablename__}"
    if key not in g:
        with hub.reading() as session:
            rows = session.exec(select(table).where(table.business_id == me().business_id))
            setattr(g, key, sorted(((row.id, row.name) for row in rows), key=lambda one: one[1]))
    names: list[tuple[str, str]] = g.get(key)
    return names


def _named(hub: Hub, table: type[DepotRow] | type[VehicleRow], row_id: str | None) -> str:
    return dict(_names(hub, table)).get(row_id or "", "–")
