"""The map, plugins, backups and evidence, from the command line."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from getpass import getpass

from sqlmodel import col, func, select

from hub import backup
from hub.app import Hub
from hub.cli.opened import business_of, opened
from hub.core.errors import ConfigError
from hub.db.tables import BusinessRow, ChainRow, ProofFileRow
from hub.flows.installed import installed, switched_off
from hub.flows.people import reset_password
from hub.flows.proof_move import MoveReport, move_proof
from hub.flows.proof_store import DEFAULT, in_use
from hub.flows.prove import verify as verified
from hub.flows.webhook_log import unsound
from hub.maps.build import build
from hub.maps.roads import PROFILES, graph
from hub.maps.turns import MISSING, tiles
from hub.settings import Settings


def build_map(args: argparse.Namespace, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    now = Hub.from_settings(settings).now()

    begun = time.monotonic()

    def progress(step: str, share: float) -> None:
        print(f"{share:4.0%} {step} ({time.monotonic() - begun:.0f} s)")

    folder = settings.data_dir / "map"
    profiles = tuple(dict.fromkeys(args.profile or PROFILES))
    info = build(args.extract, folder, built_at=now, progress=progress, profiles=profiles)
    print(f"map of {info.source}: {info.counts}")
    for name in info.profiles:
        files = graph(folder / "current", name).parent.iterdir()
        print(f"roads for {name}: {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
    if info.turns:
        print(f"turn by turn: {tiles(folder / 'current').stat().st_size / 1e6:.1f} MB")
    else:
        print(f"no turn by turn. {MISSING}, then build it again.")


def password(args: argparse.Namespace, settings: Settings) -> None:
    hub = opened(settings)
    reset_password(hub, args.email, _typed(args.email))
    print("It is set, and every session of this account has ended.")


def _typed(email: str) -> str:
    """Asked for at a terminal; without one, a line of standard input."""
    if sys.stdin is not None and sys.stdin.isatty():
        with suppress(EOFError):
            return getpass(f"New password for {email}: ")
    elif sys.stdin is not None and (line := sys.stdin.readline()):
        return line.rstrip("\r\n")
    raise ConfigError(
        "No password came, and nothing was changed. Type it at a terminal, or send it as one"
        f" line: hub password {email} < FILE"
    )


def plugins(args: argparse.Namespace, settings: Settings) -> int:
    with nullcontext() if args.verbose else _unlogged():
        hub = Hub.from_settings(settings)
    registry = hub.registry
    for one in installed(registry):
        print(f"{one.name:16} {one.judged.level:10} {one.origin}")
        for kind, title in one.offers:
            print(f"    {kind}: {title}")
        for missing in one.judged.missing:
            print(f"    - {missing}")
    off, unknown = switched_off(hub)
    for name in off:
        print(f"{name:16} is switched off by HUB_PLUGINS_OFF")
    for name in unknown:
        said = f"HUB_PLUGINS_OFF names {name}, but no such plugin is installed"
        print(f"{said}. The names are those above.", file=sys.stderr)
    for problem in registry.problems:
        about = f"{problem.plugin} ({problem.origin}) cannot be used: {problem.message}"
        print(f"{about.removesuffix('.')}. {problem.remedy}", file=sys.stderr)
    return 1 if registry.problems else 0


@contextmanager
def _unlogged() -> Iterator[None]:
    """What is wrong with a plugin is told below, in one line instead of a traceback."""
    log = logging.getLogger("hub.registry")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def verify(args: argparse.Namespace, settings: Settings) -> int:
    hub = opened(settings)
    if args.business:
        businesses: Sequence[BusinessRow] = [business_of(hub, args.business)]
    else:
        with hub.reading() as session:
            businesses = session.exec(select(BusinessRow).order_by(col(BusinessRow.id))).all()
    ids = [business.id for business in businesses]
    problems = [
        (one.name, problem)
        for one in businesses
        for problem in (*verified(hub, one.id), *unsound(hub, one.id))
    ]
    for name, problem in problems:
        print(f"{name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{_kept(hub, ChainRow, ids)} links and {_kept(hub, ProofFileRow, ids)} files hold")
    return 1 if problems else 0


def _kept(hub: Hub, table: type[ChainRow] | type[ProofFileRow], business_ids: list[str]) -> int:
    with hub.reading() as session:
        kept = select(func.count()).select_from(table)
        return session.exec(kept.where(col(table.business_id).in_(business_ids))).one()


def move_pod(args: argparse.Namespace, settings: Settings) -> int:
    hub = opened(settings)
    business = business_of(hub, args.business)
    to = args.to or in_use(hub, business.id)

    def progress(report: MoveReport) -> None:
        if report.moved and report.moved % 100 == 0:
            print(f"{report.moved} moved")

    report = move_proof(
        hub, business.id, to, remove=args.remove, actor="operator", progress=progress
    )
    for problem in report.problems:
        print(problem, file=sys.stderr)
    removed = f", {report.removed} removed where they lay before" if args.remove else ""
    print(f"{report.moved} files moved to {to}{removed}, {len(report.problems)} problems")
    return 1 if report.problems else 0


def back_up(args: argparse.Namespace, settings: Settings) -> None:
    backup.back_up(settings, args.archive)
    print(f"wrote {args.archive}. Keep {settings.data_dir / 'keys'} too, somewhere else.")
    for store, files in _outside(Hub.from_settings(settings)).items():
        print(f"{files} proof files are not in it: they lie in {store}. Back them up there.")


def _outside(hub: Hub) -> dict[str, int]:
    """How many files, of every business, a backup does not hold, by their store."""
    with hub.reading() as session:
        found = session.exec(
            select(ProofFileRow.store, func.count())
            .where(ProofFileRow.store != DEFAULT)
            .group_by(col(ProofFileRow.store))
        )
        return dict(found.all())


def restore(args: argparse.Namespace, settings: Settings) -> None:
    backup.restore(settings, args.archive)
    print(f"restored into {settings.data_dir}. Put your keys folder back as well.")
