"""How the business looks to its customers: its brands, each with a preview of the real page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from admin.forms import blame, form_for, sentences
from admin.words import Clock
from hub.core.branding import corrected, palette
from hub.db.tables import BrandRow, BusinessRow
from hub.flows.brand import (
    BrandIn,
    Texts,
    add_brand,
    all_brands,
    brand_of,
    choose_brand,
    connections_with_brand,
    make_usual,
    remove_brand,
    save_brand,
)
from hub.flows.domains import check_domain, domain_of, drop_domain, hub_host, set_domain
from hub.flows.log_in import NotAccepted, staff_of
from hub.flows.logo import LARGEST, logo_webp
from hub.flows.tongues import in_english
from hub.web.look import Theme, look_of
from hub.web.pages import page
from hub.web.staff import COOKIE, me, needs
from hub.web.tracking_samples import sample_sheet

if TYPE_CHECKING:
    from hub.app import Hub

FIELDS = [name for name in BrandIn.model_fields if name not in ("texts", "texts_in")]
AROUND = 100_000  # what a multipart form adds to its file
WITH_LOGO = ("branding.save", "branding.preview_typed")
USUAL = "usual"
"""Stands in an address where a brand's short name would; no brand is called so."""


def branding(hub: Hub) -> Blueprint:
    pages = Blueprint("branding", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.url_value_preprocessor
    def room_for_a_logo(endpoint: str | None, values: object) -> None:
        """Before the form is first read; only somebody logged in may send that much."""
        if endpoint in WITH_LOGO and staff_of(hub, request.cookies.get(COOKIE, "")):
            request.max_content_length = LARGEST + AROUND

    @pages.get("/branding")
    @pages.get("/branding/<slug>")
    @needs()
    def show(slug: str = "") -> AnyResponse:
        row = _brand(hub, slug)
        return _page(hub, row, _form(hub, row))

    @pages.post("/branding")
    @pages.post("/branding/<slug>")
    @needs()
    def save(slug: str = "") -> AnyResponse:
        row = _brand(hub, slug)
        form, upload = _form(hub, None), request.files.get("logo")
        try:
            save_brand(
                hub,
                me().business_id,
                BrandIn.model_validate(_typed(form)),
                row.slug,
                logo=_content(upload),
                drop_logo="drop_logo" in request.form,
                actor=me().actor,
            )
        except ValidationError as error:
            for name, sentence in sentences(error).items():
                blame(form, _field_of(name), sentence)
            return _page(hub, row, form, 422)
        except NotAccepted as problem:
            return _page(hub, row, form, 422, wrong_logo=str(problem))
        flash("Saved. Customers see it at once.", "ok")
        return redirect(_at(row))

    @pages.get("/branding/<slug>/preview")
    @needs()
    def preview(slug: str) -> AnyResponse:
        return sample_sheet(hub, me().business_id, _brand(hub, slug))

    @pages.post("/branding/<slug>/preview")
    @needs()
    def preview_typed(slug: str) -> AnyResponse:
        """From what is typed at this moment; what is not valid yet looks as it did."""
        row = _as_typed(_brand(hub, slug), _form(hub, None))
        asked = request.form.get("preview_theme", "")
        theme: Theme = asked if asked in get_args(Theme) and asked else "light"  # type: ignore[assignment]
        return sample_sheet(
            hub, me().business_id, row, request.form.get("preview_language", ""), theme
        )

    @pages.post("/branding/brands")
    @needs()
    def add() -> AnyResponse:
        name = request.form.get("brand", "")
        try:
            slug = add_brand(hub, me().business_id, name, actor=me().actor)
        except NotAccepted as problem:
            row = _brand(hub, "")
            return _page(hub, row, _form(hub, row), 422, wrong_brand=str(problem), brand=name)
        flash("Added. Give it its logo and its words; nothing is of this brand yet.", "ok")
        return redirect(url_for("branding.show", slug=slug))

    @pages.post("/branding/<slug>/usual")
    @needs()
    def choose_usual(slug: str) -> AnyResponse:
        row = _brand(hub, slug)
        make_usual(hub, me().business_id, row.slug, actor=me().actor)
        flash(f"Orders that name no brand are now of {row.name}.", "ok")
        return redirect(url_for("branding.show"))

    @pages.post("/branding/<slug>/remove")
    @needs()
    def remove(slug: str) -> AnyResponse:
        row = _brand(hub, slug)
        try:
            left = remove_brand(hub, me().business_id, row.slug, actor=me().actor)
        except NotAccepted as problem:
            return _page(hub, row, _form(hub, row), 422, wrong_remove=str(problem))
        now = f" The pages of its {left} finished orders look like the usual one." if left else ""
        flash(f"{row.name} is removed.{now}", "ok")
        return redirect(url_for("branding.show"))

    @pages.post("/branding/<slug>/domain")
    @needs()
    def own_domain(slug: str) -> AnyResponse:
        row, host = _brand(hub, slug), request.form.get("host", "")
        try:
            set_domain(hub, row, host, actor=me().actor)
        except NotAccepted as problem:
            return _page(hub, row, _form(hub, row), 422, wrong_host=str(problem), host=host)
        flash("Now make the two records below where your domain is managed, then check.", "ok")
        return redirect(f"{_at(row)}#domain")

    @pages.post("/branding/<slug>/domain/check")
    @needs()
    def check(slug: str) -> AnyResponse:
        row = _brand(hub, slug)
        if (known := domain_of(hub, row)) is not None:
            state = check_domain(hub, me().business_id, known.row.id)
            said = "It works. Links name it from now on." if state == "proven" else "Not yet."
            flash(said, "ok" if state == "proven" else "warn")
        return redirect(f"{_at(row)}#domain")

    @pages.post("/branding/<slug>/domain/remove")
    @needs()
    def no_domain(slug: str) -> AnyResponse:
        row = _brand(hub, slug)
        drop_domain(hub, row, actor=me().actor)
        flash("Removed. Links name the hub's own address from now on.", "ok")
        return redirect(f"{_at(row)}#domain")

    @pages.post("/branding/sources")
    @needs()
    def sources() -> AnyResponse:
        """Which brand the orders of each connection are of, as far as they name none."""
        known = {row.slug for row in all_brands(hub, me().business_id)}
        for slug, _, present in connections_with_brand(hub, me().business_id):
            wanted = request.form.get(f"source-{slug}", present)
            if wanted != present and wanted in known | {""}:
                choose_brand(hub, me().business_id, wanted, slug, actor=me().actor)
        flash("Saved. It counts for orders that are here already, too.", "ok")
        return redirect(url_for("branding.show"))

    return pages


def _brand(hub: Hub, slug: str) -> BrandRow:
    try:
        return brand_of(hub, me().business_id, "" if slug == USUAL else slug)
    except LookupError:
        abort(404)


def _at(row: BrandRow) -> str:
    return url_for("branding.show", slug=None if row.is_usual else row.slug)


def _own_language(hub: Hub) -> str:
    with hub.reading() as session:
        return session.get_one(BusinessRow, me().business_id).language


def _other_languages(hub: Hub) -> dict[str, str]:
    """Code and name of each that a page can speak beside the business's own."""
    own = _own_language(hub)
    return {code: name for code, name in in_english().items() if code != own.partition("-")[0]}


def _form(hub: Hub, row: BrandRow | None) -> BaseForm:
    """As stored in ``row``, else as sent."""
    data = {**row.model_dump(include=set(FIELDS)), **row.texts} if row else {}
    bases: list[type] = [form_for(BrandIn), form_for(Texts)]
    for code in _other_languages(hub):
        texts, names = form_for(Texts), {name: f"{name}_{code}" for name in Texts.model_fields}
        bases.append(type("Form", (BaseForm,), {names[old]: getattr(texts, old) for old in names}))
        if row:
            written = row.texts_in.get(code, {})
            data |= {new: written.get(old, "") for old, new in names.items()}
    form = type("Form", tuple(bases), {})(None if row else request.form, data=data if row else None)
    del form.texts, form.texts_in
    for field in form:
        if field.name.partition("_")[0] in Texts.model_fields:
            field.control = "area"
    form.colour.control = "color"
    return form


def _typed(form: BaseForm) -> dict[str, object]:
    def texts(code: str = "") -> dict[str, object]:
        return {name: form[f"{name}{code}"].data or "" for name in Texts.model_fields}

    codes = [one.name.partition("_")[2] for one in form if one.name.startswith("greeting_")]
    return {
        **{name: form[name].data or "" for name in FIELDS},
        "texts": texts(),
        "texts_in": {code: texts(f"_{code}") for code in codes},
    }


def _field_of(name: str) -> str:
    """Which field a complaint belongs to: ``texts_in.de.help`` is of ``help_de``."""
    first, *rest = name.split(".")
    if first == "texts_in" and len(rest) == 2:
        return f"{rest[1]}_{rest[0]}"
    return rest[-1] if rest else first


def _content(upload: FileStorage | None) -> bytes | None:
    return upload.read() or None if upload is not None and upload.filename else None


def _as_typed(row: BrandRow, form: BaseForm) -> BrandRow:
    """``row`` as it would be saved; nothing is."""
    typed = _typed(form)
    try:
        given = BrandIn.model_validate(typed)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors()}
        kept = {name: getattr(row, name) for name in wrong}
        given = BrandIn.model_construct(**{**typed, **kept})
    shown = BrandRow(**row.model_dump(exclude=set(FIELDS) | {"texts", "texts_in"}))
    for name in FIELDS:
        setattr(shown, name, getattr(given, name))
    shown.texts, shown.texts_in = (
        _plain(given.texts),
        {code: _plain(texts) for code, texts in given.texts_in.items()},
    )
    if "drop_logo" in request.form:
        shown.logo = None
    try:
        shown.logo = logo_webp(_content(request.files.get("logo")) or b"")
    except NotAccepted:
        pass  # the form says so when it is saved
    return shown


def _plain(texts: Texts | Mapping[str, str]) -> dict[str, str]:
    return texts.model_dump() if isinstance(texts, Texts) else dict(texts)


def _page(
    hub: Hub,
    row: BrandRow,
    form: BaseForm,
    status: int = 200,
    *,
    wrong_logo: str = "",
    wrong_brand: str = "",
    wrong_remove: str = "",
    brand: str = "",
    wrong_host: str = "",
    host: str = "",
) -> AnyResponse:
    own = _own_language(hub)
    answer = page(
        "panel/branding.html",
        status,
        form=form,
        row=row,
        brands=all_brands(hub, me().business_id),
        at=_at,
        where=USUAL if row.is_usual else row.slug,
        wrong_logo=wrong_logo,
        wrong_brand=wrong_brand,
        wrong_remove=wrong_remove,
        brand=brand,
        wrong_host=wrong_host,
        host=host,
        domain=domain_of(hub, row),
        has_name=bool(hub_host(hub)),
        clock=Clock.of(me().zone),
        sources=connections_with_brand(hub, me().business_id),
        own=in_english().get(own, own),
        own_code=own,
        others=_other_languages(hub),
        logo=look_of(row).logo if row.logo else "",
        corrected=corrected(palette(form.colour.data or "", form.header_colour.data or "")),
    )
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return answer
