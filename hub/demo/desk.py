"""A dispatcher at the panel and the board: pages are loaded, forms are filled in and sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hub.core.errors import Refused
from hub.demo.wire import Answer, Wire

LOG_IN = "/panel/log-in"
Board = Mapping[str, Any]


class Desk:
    """Each method is what a person does there. Raises ``Refused`` where the hub does not let it."""

    def __init__(self, wire: Wire, day: str) -> None:
        self.wire, self.day = wire, day
        self._csrf_of_day = ""

    def log_in(self, email: str, password: str) -> None:
        answer = self.wire.form(LOG_IN, [("email", email), ("password", password)])
        cookie = re.match(r"hub_staff=[^;]+", answer.headers.get("set-cookie", ""))
        if answer.status != 302 or cookie is None:
            raise Refused(f"The panel lets nobody in: {answer.status}.")
        self.wire.headers["Cookie"] = cookie[0]

    def drivers(self) -> dict[str, str]:
        """Name -> id of everybody who may drive."""
        text = self._page(f"/panel/day?day={self.day}")
        self._csrf_of_day = _csrf(text)
        found = re.findall(r'action="/panel/day/shifts/([\w-]+)" aria-label="([^"]+)"', text)
        return {name: id for id, name in found}

    def pairing_code(self, driver_id: str) -> str:
        # The day's page stays open while one driver after the other comes with a phone.
        self._csrf_of_day = self._csrf_of_day or _csrf(self._page(f"/panel/day?day={self.day}"))
        fields = [("csrf", self._csrf_of_day), ("id", driver_id)]
        answer = self.wire.form("/panel/records/drivers/pair/", fields)
        code = re.search(r'class="code strong">([^<]+)<', answer.text)
        if code is None:
            raise Refused(f"The panel shows no code: {answer.status}.")
        return code[1].replace(" ", "")

    def to_do(self) -> int:
        """How many jobs of the day the hub can plan, or has planned."""
        page = self._page(f"/panel/day?day={self.day}")
        found = re.search(r"<strong>(\d+)</strong> to do<", page)
        return int(found[1]) if found else 0

    def plan(self) -> None:
        page = self._page(f"/panel/day?day={self.day}")
        for depot_id in dict.fromkeys(re.findall(r'name="depot_id" value="([\w-]+)"', page)):
            self._press("/panel/day/plan", page, ("day", self.day), ("depot_id", depot_id))

    def progress(self) -> tuple[bool, int]:
        """Whether a plan is being made, and how many jobs the best one so far serves."""
        answer = self.wire.get(f"/panel/day/stand?day={self.day}")
        progress = answer.json()["progress"]
        best = re.search(r"Best so far: (\d+) served", progress)
        return "<progress" in progress, int(best[1]) if best else 0

    def stop_planning(self) -> None:
        page = self._page(f"/panel/day?day={self.day}")
        for path in re.findall(r'action="(/panel/day/plans/[\w-]+/stop)"', page):
            self._press(path, page, ("day", self.day))

    def publish(self) -> int:
        """Put every draft on its driver's phone; how many."""
        page = self._page(f"/panel/day?day={self.day}")
        drafts = dict.fromkeys(re.findall(r'name="route" value="([\w-]+:\d+)"', page))
        if drafts:
            routes = [("route", one) for one in drafts]
            self._press("/panel/day/publish", page, ("day", self.day), *routes)
        return len(drafts)

    def board(self) -> Board:
        answer = self.wire.get(f"/board/data?day={self.day}")
        if not answer.ok:
            raise Refused(f"The board shows nothing: {answer.status}.")
        board: Board = answer.json()
        return board

    def track(self, driver_id: str) -> Mapping[str, Any]:
        """Every fix kept of a driver's day."""
        track: Mapping[str, Any] = self.wire.get(
            f"/board/drivers/{driver_id}/track?day={self.day}"
        ).json()
        return track

    def place(self, job_id: str) -> bool:
        """Put a job at its best place, whatever that costs; whether there was one."""
        path = f"/board/jobs/{job_id}/place"
        page = self._page(f"{path}?day={self.day}")
        found = re.search(rf'action="{path}".*?name="to" value="([\w:-]+)"(.*?)</form>', page, re.S)
        if found is None:
            return False
        force = [("force", "1")] if 'name="force"' in found[2] else []
        answer = self._press(path, page, ("day", self.day), ("to", found[1]), *force)
        return answer.status < 400 or self._is_placed(job_id)

    def _is_placed(self, job_id: str) -> bool:
        """Who sent a form twice, for want of an answer, looks at what came of the first."""
        stops = [stop for route in self.board()["routes"] for stop in route["stops"]]
        return any(job["id"] == job_id for stop in stops for job in stop["jobs"])

    def _route(self, route_id: str) -> Mapping[str, Any]:
        route: Mapping[str, Any] = next(
            one for one in self.board()["routes"] if one["id"] == route_id
        )
        return route

    def hand_over(self, route_id: str, driver_id: str) -> None:
        """All that is left of a route to another driver; the board asks first what breaks."""
        path = f"/board/routes/{route_id}/hand-over"
        page = self._page(f"{path}?day={self.day}")
        fields = [("day", self.day), ("version", _version(page)), ("driver_id", driver_id)]
        answer = self._press(path, page, *fields)
        if answer.status == 409:
            answer = self._press(path, page, *fields, ("force", "1"))
        if answer.status >= 400 and self._route(route_id)["driver_id"] != driver_id:
            raise Refused(f"The route cannot be handed over: {answer.status} {answer.text[:300]}")

    def change_van(self, route_id: str, driver: str, van: str) -> None:
        """Load a driver's route into his own van, by the panel's page of the route."""
        path = f"/panel/day/{self.day}/routes/{route_id}"
        page = self._page(path)
        fields = [("version", _version(page)), ("driver_id", _option(page, "driver_id", driver))]
        fields.append(("vehicle_id", _option(page, "vehicle_id", van)))
        answer = self._press(path, page, *fields)
        if answer.status == 409:
            answer = self._press(path, page, *fields, ("force", "1"))
        if answer.status >= 400 and self._route(route_id)["vehicle"] != van:
            raise Refused(f"The van cannot be changed: {answer.status} {answer.text[:300]}")

    def next_step(self, order_id: str, job_id: str, step: str) -> None:
        page = self._page(f"/panel/orders/{order_id}")
        self._press(f"/panel/orders/{order_id}/jobs/{job_id}/next", page, ("step", step))

    def _page(self, path: str) -> str:
        answer = self.wire.get(path, Accept="text/html")
        if not answer.ok:
            raise Refused(f"{path} shows nothing: {answer.status}.")
        return answer.text

    def _press(self, path: str, page: str, *fields: tuple[str, str]) -> Answer:
        return self.wire.form(quote(path), [("csrf", _csrf(page)), *fields])


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    if found is None:
        raise Refused("The page has no form to send.")
    return found[1]


def _version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    if found is None:
        raise Refused("The page names no version of the route.")
    return found[1]


def _option(page: str, select: str, title: str) -> str:
    """The value of what a list offers under ``title``."""
    options = re.search(rf'<select[^>]*name="{select}"[^>]*>(.*?)</select>', page, re.S)
    found = re.search(
        rf'<option value="([\w-]+)"[^>]*>{re.escape(title)}', options[1] if options else ""
    )
    if found is None:
        raise Refused(f"The page does not offer {title!r}.")
    return found[1]
