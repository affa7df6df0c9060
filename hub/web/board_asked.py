"""Somebody asked where an order is: one press on the board, while they are on the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort
from werkzeug.wrappers import Response as AnyResponse

from hub.flows.enquiries import asked_now, order_of_job
from hub.flows.log_in import Role
from hub.web.board_page import done, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def asked(pages: Blueprint, hub: Hub) -> None:
    @pages.post("/orders/<order_id>/asked")
    @needs(Role.DISPATCHER)
    def order_asked(order_id: str) -> AnyResponse:
        return _note(order_id)

    @pages.post("/jobs/<job_id>/asked")
    @needs(Role.DISPATCHER)
    def job_asked(job_id: str) -> AnyResponse:
        order_id = order_of_job(hub, me().business_id, job_id)
        return abort(404) if order_id is None else _note(order_id)

    def _note(order_id: str) -> AnyResponse:
        try:
            asked_now(
                hub,
                me().business_id,
                order_id,
                channel="phone",
                note=typed("note"),
                actor=me().actor,
            )
        except LookupError:
            abort(404)
        return done("Noted that somebody asked.")
