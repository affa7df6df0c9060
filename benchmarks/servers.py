"""What our live process is measured against, each a program of its own on a Unix socket.

``echo``: ASGI that reads the body and says ok. ``sse``: ASGI that passes each body on to
the pages of its path. ``orm``: Flask on granian, pydantic, rows by the ORM, one commit for
each request, as most trackers do it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

OK = b'{"ok":true}'
JSON = [(b"content-type", b"application/json"), (b"content-length", b"11")]


async def _body(receive: Any) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await _body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": JSON})
    await send({"type": "http.response.body", "body": OK})


PAGES: dict[str, set[Any]] = {}


async def sse(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    path = scope["path"]
    if scope["method"] == "GET":
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
        PAGES.setdefault(path, set()).add(send)
        while (await receive())["type"] != "http.disconnect":
            pass
        PAGES[path].discard(send)
        return
    body = await _body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": JSON})
    await send({"type": "http.response.body", "body": OK})
    event = {"type": "http.response.body", "body": b"data: %s\n\n" % body, "more_body": True}
    for page in tuple(PAGES.get(path, ())):
        await page(event)


def orm_app() -> Any:
    import os

    from flask import Flask, Response, request
    from pydantic import BaseModel, Field
    from sqlalchemy import BigInteger
    from sqlmodel import Field as Column
    from sqlmodel import Session, SQLModel

    from hub.db.engine import open_engine

    class FixIn(BaseModel):
        seq: int
        t: int
        lat: Annotated[float, Field(ge=-90, le=90)]
        lon: Annotated[float, Field(ge=-180, le=180)]
        acc: Annotated[float, Field(ge=0)]
        spd: float | None = None
        hdg: float | None = None
        bat: float | None = None

    class Batch(BaseModel):
        fixes: list[FixIn]

    class Position(SQLModel, table=True):
        id: int | None = Column(default=None, primary_key=True)
        device: str
        seq: int = Column(sa_type=BigInteger)
        t: int = Column(sa_type=BigInteger)
        lat: float
        lon: float
        acc: float
        spd: float | None = None
        hdg: float | None = None
        bat: float | None = None

    engine = open_engine(os.environ["BENCH_ORM_URL"])
    SQLModel.metadata.create_all(engine, tables=[Position.__table__])  # type: ignore[attr-defined]
    app = Flask("orm")

    @app.post("/live/fixes")
    def fixes() -> Response:
        device = request.headers["Authorization"]
        batch = Batch.model_validate_json(request.get_data())
        with Session(engine.execution_options(hub_write=True)) as session:
            session.add_all(Position(device=device, **fix.model_dump()) for fix in batch.fixes)
            session.commit()
        return Response(OK, content_type="application/json")

    return app


def main(kind: str, socket: str) -> None:
    if kind == "orm":
        from granian import Granian
        from granian.constants import Interfaces
        from granian.log import LogLevels

        Granian(
            "benchmarks.servers:orm_app",
            factory=True,
            interface=Interfaces.WSGI,
            blocking_threads=8,
            backlog=1024,
            log_level=LogLevels.error,
            uds=Path(socket),
        ).serve()
        return
    import uvicorn

    uvicorn.run(
        {"echo": echo, "sse": sse}[kind],
        uds=socket,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        backlog=4096,
        timeout_keep_alive=120,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
