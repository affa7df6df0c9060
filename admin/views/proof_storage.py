"""Where photos and signatures are kept: which storage is in use, and how each is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import size
from admin.forms import form_for
from admin.views.providers import Offered, form_of, installed, offered, saved, titles
from hub.core.contracts import PodStore
from hub.core.errors import HubError
from hub.db.tables import ChoiceRow
from hub.flows.choices import choice
from hub.flows.proof_store import DEFAULT, KIND, Lying, choose_store, in_use, lying
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True)
class Storage:
    """A storage as the list shows it; ``holds`` is empty where nothing lies."""

    is_: Offered
    is_used: bool
    holds: str


def proof_storage(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "proof_storage",
        __name__,
        url_prefix="/panel/settings/proof-storage",
        template_folder="../templates",
    )

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        used, files = in_use(hub, me().business_id), lying(hub, me().business_id)
        storages = [
            Storage(one, one.key == used, _holds(files.get(one.key, Lying())))
            for one in offered(hub, KIND)
        ]
        known = titles(hub, PodStore)
        return page(
            "panel/proof_storage.html",
            storages=sorted(storages, key=lambda one: not one.is_used),
            default=DEFAULT,
            elsewhere=sum(one.files for key, one in files.items() if key != used),
            gone={key: _holds(one) for key, one in files.items() if key not in known},
            business_id=me().business_id,
        )

    @pages.get("/<key>")
    @needs()
    def storage(key: str) -> AnyResponse:
        cls = installed(hub, PodStore, key)
        row = choice(hub, me().business_id, KIND, key)
        return _storage_page(cls, row, form_of(cls, row))

    @pages.post("/<key>")
    @needs()
    def save(key: str) -> AnyResponse:
        cls = installed(hub, PodStore, key)
        form = form_for(cls.Settings)(request.form)

        def choose(values: dict[str, Any]) -> None:
            choose_store(hub, me().business_id, key, values, actor=me().actor)

        if not saved(form, choose):
            return _storage_page(cls, choice(hub, me().business_id, KIND, key), form, 422)
        flash(f"{cls.title}: works. New photos and signatures go there.", "ok")
        return redirect(url_for("proof_storage.show"))

    @pages.post("/<key>/use")
    @needs()
    def use(key: str) -> AnyResponse:
        cls = installed(hub, PodStore, key)
        row = choice(hub, me().business_id, KIND, key)
        if row is None and key != DEFAULT:
            abort(404)
        about = (me().business_id, key, row.settings if row else {})
        try:
            choose_store(hub, *about, actor=me().actor)
        except (HubError, ValidationError) as problem:
            said = str(problem) if isinstance(problem, HubError) else "Fill in its settings again."
            flash(f"{cls.title} is not used: {said}", "bad")
        else:
            flash(f"{cls.title}: works. New photos and signatures go there.", "ok")
        return redirect(url_for("proof_storage.show"))

    return pages


def _holds(lies: Lying) -> str:
    if not lies.files:
        return ""
    return f"{lies.files:,} {'file' if lies.files == 1 else 'files'}, {size(lies.size)}"


def _storage_page(
    cls: type[PodStore], row: ChoiceRow | None, form: BaseForm, status: int = 200
) -> AnyResponse:
    return page("panel/proof_storage_one.html", status, storage=cls, row=row, form=form)
