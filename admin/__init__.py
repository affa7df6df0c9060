"""The panel: a plugin like any other, arriving by ``hub_init_app``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import hookimpl

if TYPE_CHECKING:
    from flask import Flask

    from hub.app import Hub


@hookimpl
def hub_init_app(app: Flask, hub: Hub) -> None:
    from admin.panel import panel

    panel(app, hub)
