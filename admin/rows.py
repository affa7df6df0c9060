"""flask-admin's lists over our rows: it looks, searches, sorts, filters and exports.

It never writes: forms come from the pydantic model of what may be typed, and saving
is a flow. Every way in is limited to the business of whoever is logged in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from flask import abort, flash, g, has_request_context, redirect, request, url_for
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.model.base import ViewArgs
from pydantic import BaseModel
from sqlalchemy.orm import Query, Session
from werkzeug.wrappers import Response as AnyResponse

from admin.forms import Options, blame, form_for, read
from hub.core.csv_cells import safe_cell
from hub.core.errors import HubError
from hub.flows.log_in import NotAccepted, Role
from hub.web.staff import me

if TYPE_CHECKING:
    from flask import Flask

    from hub.app import Hub

WRITES = frozenset({"create_view", "edit_view", "delete_view", "pair_view", "revoke_view"})
IN_USE = [("1", "Yes"), ("0", "No")]
LAST_PAGE = 100_000  # whoever asks for more types nonsense, and the database counts in 64 bits


class ReadSessions:
    """What flask-admin takes for a database: one session a request, closed with it."""

    def __init__(self, app: Flask, hub: Hub) -> None:
        self._hub = hub
        app.teardown_request(self._close)

    @property
    def session(self) -> Session:
        """The present request's. It can be used again after ``close``."""
        if "records_session" not in g:
            g.records_session = Session(self._hub.engine, expire_on_commit=False)
        session: Session = g.records_session
        return session

    def query(self, *what: Any) -> Query[Any]:
        return self.session.query(*what)

    def close(self) -> None:
        self.session.close()

    def _close(self, _: BaseException | None) -> None:
        session = g.pop("records_session", None)
        if session is not None:
            session.close()


class HubModelView(ModelView):
    """One table's rows of one business.

    ``schema`` is what a person may type; without it the list is only for reading.
    """

    list_template = "panel/records_list.html"
    create_template = edit_template = "panel/records_form.html"
    schema: ClassVar[type[BaseModel] | None] = None
    one: ClassVar[str] = "row"
    intro: ClassVar[str] = ""
    empty: ClassVar[str] = ""
    more: ClassVar[frozenset[str]] = frozenset()  # fields shown under "More for planning"
    title_column: ClassVar[str] = "name"
    wide: ClassVar[frozenset[str]] = frozenset()
    can_export = True
    can_view_details = False
    can_set_page_size = False
    page_size = 50
    export_max_rows = 100_000
    column_editable_list = None
    action_disallowed_list = ("delete",)
    column_auto_select_related = False

    def __init__(self, model: type[Any], hub: Hub, db: ReadSessions, **options: Any) -> None:
        self.hub = hub
        self.can_create = self.can_edit = self.can_delete = self.schema is not None
        super().__init__(model, db, **options)

    # Whose rows, and who may change them

    def is_accessible(self) -> bool:
        return g.get("staff") is not None

    def may_write(self) -> bool:
        """Whether the page offers to change anything."""
        return self.schema is not None and me().role in (Role.OWNER, Role.DISPATCHER)

    def _handle_view(self, name: str, **values: Any) -> Any:
        if name in WRITES and not self.may_write():
            abort(403)
        return super()._handle_view(name, **values)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **values: Any) -> Any:
        """Without flask-admin's second try, which hides a ``TypeError`` behind another."""
        return fn(self, *args, **values)

    def get_query(self) -> Query[Any]:
        return super().get_query().filter(self.model.business_id == me().business_id)

    def get_count_query(self) -> Query[Any]:
        return super().get_count_query().filter(self.model.business_id == me().business_id)

    def get_one(self, id: Any) -> Any:
        """The row. 404 for one of another business, exactly as for one that never was."""
        row = self.get_query().filter(self.model.id == str(id)).one_or_none()
        self.session.close()
        return row if row is not None else abort(404)

    # Forms

    def scaffold_form(self) -> type[BaseForm]:
        return form_for(self.schema) if self.schema is not None else BaseForm

    def options(self) -> Mapping[str, Options]:
        """What selects offer, asked at each request."""
        return {}

    def typed(self, row: Any) -> Mapping[str, Any]:
        """The row as its form shows it."""
        raise NotImplementedError

    def save(self, given: Any, row_id: str | None) -> Any:
        """Store by a flow; the row."""
        raise NotImplementedError

    def remove(self, row_id: str) -> None:
        """Remove by a flow. Raises ``HubError`` with what to do instead."""
        raise NotImplementedError

    def record_form(self, row: Any = None) -> BaseForm:
        """The form as sent, else as stored."""
        sent = request.form if request.method == "POST" else None
        form = self._create_form_class(sent, data=dict(self.typed(row)) if row else None)
        for name, options in self.options().items():
            field = form._fields[name]
            field.control = "checks" if field.control == "checks" else "select"
            field.options = options
        return form

    def completed(self, form: BaseForm) -> bool:
        """Look up what the form leaves to the hub; ``False`` to show the form again."""
        return True

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        form = self.record_form()
        if request.method == "POST" and (row := self.create_model(form)):
            flash(f"{getattr(row, self.title_column)} is saved.", "ok")
            return redirect(self.get_save_return_url(row, is_created=True))
        return self._shown(form, None)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        row = self.get_one(request.args.get("id", ""))
        form = self.record_form(row)
        if request.method == "POST" and self.update_model(form, row):
            flash("Saved.", "ok")
            return redirect(self.get_save_return_url(row))
        return self._shown(form, row)

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> AnyResponse:
        row = self.get_one(request.form.get("id", ""))
        if self.delete_model(row):
            flash(f"{getattr(row, self.title_column)} is removed.", "ok")
            return redirect(self.get_url(".index_view"))
        return redirect(self.get_url(".edit_view", id=row.id))

    @expose("/action/", methods=("POST",))
    def action_view(self) -> AnyResponse:
        abort(404)

    def create_model(self, form: BaseForm) -> Any:
        return self._save(form, None)

    def update_model(self, form: BaseForm, model: Any) -> Any:
        return self._save(form, model.id)

    def delete_model(self, model: Any) -> bool:
        try:
            self.remove(model.id)
        except HubError as problem:
            flash(str(problem), "bad")
            return False
        except LookupError:
            abort(404)
        return True

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return str(self.get_url(".index_view"))

    def _save(self, form: BaseForm, row_id: str | None) -> Any:
        if not self.completed(form):
            return None
        given = read(form, self.schema or BaseModel)
        if given is None:
            return None
        try:
            return self.save(given, row_id)
        except NotAccepted as problem:
            blame(form, problem.field, str(problem))
        except LookupError:
            abort(404)
        return None

    def _shown(self, form: BaseForm, row: Any) -> Any:
        template = self.edit_template if row else self.create_template
        wrong = any(field.errors for field in form) or bool(form.form_errors)
        page = self.render(template, form=form, row=row, view=self, **self.beside(form, row))
        return page, 422 if wrong else 200

    def beside(self, form: BaseForm, row: Any) -> Mapping[str, Any]:
        """What the page shows next to the form."""
        return {}

    # Lists

    def get_list(self, page: int, *args: Any, **values: Any) -> tuple[int | None, list[Any]]:
        """The page's rows; nothing stays open while it is drawn."""
        page = min(max(page or 0, 0), LAST_PAGE)
        found: tuple[int | None, list[Any]] = super().get_list(page, *args, **values)
        self.session.close()
        return found

    def _get_list_extra_args(self) -> ViewArgs:
        """As flask-admin reads them, but what else an address says stays out of our links.

        It could bear the name of an argument of what builds them.
        """
        read = super()._get_list_extra_args()
        read.extra_args = {}
        return read

    def _get_list_filter_args(self) -> list[Any] | None:
        """As flask-admin reads them, but a filter left empty filters nothing."""
        found = []
        for arg, value in request.args.items():
            known = (self._filter_args or {}).get(arg.partition("_")[2])
            if known is None or not arg.startswith("flt") or not value.strip():
                continue
            n, one = known
            if one.validate(value):
                found.append((n, str(one.name), value))
        return found

    def filter_form(self) -> list[tuple[str, Any, Any, str]]:
        """For each filter: its argument, the filter, its options, its present value."""
        active = {n: value for n, _, value in self._get_list_filter_args() or []}
        return [
            (f"flt{n}_{self.get_filter_arg(n, one)}", one, one.get_options(self), active.get(n, ""))
            for n, one in enumerate(self._filters or ())
        ]

    def get_export_value(self, model: Any, name: Any) -> str:
        return safe_cell(str(super().get_export_value(model, name)))

    def get_export_name(self, export_type: str = "csv") -> str:
        day = self.hub.now().date().isoformat()
        return f"{self.endpoint.removeprefix('records_')}-{day}.{export_type}"


def within_request(options: Callable[[], Options]) -> Callable[[], Options]:
    """Options of a filter: flask-admin asks for them once before anybody is logged in."""
    return lambda: options() if has_request_context() and g.get("staff") else []


def list_url(name: str) -> str:
    return url_for(f"records_{name}.index_view")
