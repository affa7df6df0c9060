"""Typst at work: a template of ours, data as JSON and pictures beside it.

Text reaches the page as strings of that JSON, so nothing in it is ever read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hub.core.errors import ConfigError

if TYPE_CHECKING:
    import typst

HERE = Path(__file__).parent
STANDARDS = ["a-2a", "ua-1"]
"""For archives (PDF/A-2a) and for screen readers (PDF/UA-1), both in one file."""


def typeset(
    template: str, data: Mapping[str, object], files: Mapping[str, bytes], at: datetime
) -> bytes:
    """The PDF of ``template`` (a file beside this one); the same input gives the same bytes.

    It is PDF/A-2a and PDF/UA-1, unless the text has letters that no font here can draw:
    those standards forbid the empty boxes that are then shown. Raises ``ConfigError``
    while the extra ``pdf`` is not installed.
    """
    typst = _typst()
    how = {"format": "pdf", "timestamp": int(at.timestamp())}
    with TemporaryDirectory(prefix="hub-pdf-") as folder:  # readable by this user only
        _lay_out(Path(folder), template, data, files)
        # Fonts of the system come last and help with what ours lack, such as Chinese.
        compiler = typst.Compiler(f"{folder}/main.typ", root=folder, font_paths=_fonts())
        try:
            return bytes(compiler.compile(pdf_standards=STANDARDS, **how))
        except typst.TypstError:
            return bytes(compiler.compile(**how))


def _lay_out(
    folder: Path, template: str, data: Mapping[str, object], files: Mapping[str, bytes]
) -> None:
    (folder / "main.typ").write_bytes((HERE / template).read_bytes())
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_bytes(content)


@cache
def _fonts() -> typst.Fonts:
    fonts: typst.Fonts = _typst().Fonts(include_system_fonts=True, font_paths=[str(HERE / "fonts")])
    return fonts


def _typst() -> Any:
    try:
        import typst
    except ImportError:
        raise ConfigError(
            "PDF documents need one more package: pip install 'lastmile-hub[pdf]'"
        ) from None
    return typst
