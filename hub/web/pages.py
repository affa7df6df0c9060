"""HTML pages with a strict content security policy, and the files they load."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    render_template,
    request,
    send_file,
)
from jinja2 import Template

STATIC = "hub_static_folders"
YEAR_S = 31_536_000


def pages(app: Flask) -> None:
    """Teach ``app`` to serve static files by their content's hash, and templates to name them."""
    app.extensions[STATIC] = [Path(__file__).parent / "static", Path(__file__).parent / "vendored"]
    app.jinja_env.globals.update(asset=asset, csp_nonce=csp_nonce)
    files = Blueprint("static", __name__)

    @files.get("/static/<path:name>")
    def one(name: str) -> Response:
        path = _path(name)
        if path is None:
            abort(404)
        answer = file_answer(path, max_age=0)
        if request.args.get("v") == _hash(path, path.stat().st_mtime_ns):
            answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return answer

    app.register_blueprint(files)


def file_answer(path: Path, *, max_age: int) -> Response:
    """A file of ours, as a whole: none is left open where nobody reads the answer to its end."""
    changed = path.stat().st_mtime_ns
    return send_file(
        BytesIO(path.read_bytes()),
        download_name=path.name,
        etag=_hash(path, changed),
        last_modified=changed / 1e9,
        conditional=True,
        max_age=max_age,
    )


def asset(name: str) -> str:
    """The URL of a static file; it changes with the content. Raises ``LookupError``."""
    path = _named(tuple(current_app.extensions[STATIC]), name)
    return f"/static/{name}?v={_hash(path, path.stat().st_mtime_ns)}"


def csp_nonce() -> str:
    """What inline scripts and styles of this answer must carry."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    nonce: str = g.nonce
    return nonce


def page(template: str | list[str | Template], status: int = 200, **context: Any) -> Response:
    """The rendered page, of several templates the first there is.

    Never cached; nothing from another origin, no inline handlers.
    """
    return guarded(make_response(render_template(template, **context), status))


def guarded(answer: Response) -> Response:
    """``answer`` with the policy of our pages, unless it already has one."""
    nonce = csp_nonce()
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}';"
        " img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self';"
        " worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    return answer


@lru_cache(maxsize=512)
def _named(folders: tuple[Path, ...], name: str) -> Path:
    """Where a file lies that a template names; looking for it takes longer than its page does."""
    path = _found(folders, name)
    if path is None:
        raise LookupError(f"no static file {name!r}")
    return path


def _path(name: str) -> Path | None:
    return _found(current_app.extensions[STATIC], name)


def _found(folders: Iterable[Path], name: str) -> Path | None:
    if "\0" in name:
        return None
    for folder in folders:
        try:
            path: Path = (folder / name).resolve()
            if path.is_relative_to(folder.resolve()) and path.is_file():
                return path
        except OSError:  # a name that no file can have
            return None
    return None


@lru_cache(maxsize=512)
def _hash(path: Path, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
