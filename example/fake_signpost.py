"""Signpost as it behaves from outside: enough of it to prove that the plugin is right."""

from typing import Any

from flask import Flask, request


class FakeSignpost:
    secret = "tok-5ecret"  # noqa: S105

    def __init__(self) -> None:
        self.places: list[dict[str, Any]] = []
        self.mood = "well"
        self.app = Flask("signpost")
        self.app.add_url_rule("/find", view_func=self._find)
        self.app.add_url_rule("/near", view_func=self._near)

    def put(self, name: str, lat: float, lng: float, exact: str = "door", score: float = 1) -> None:
        self.places.append({"name": name, "lat": lat, "lng": lng, "exact": exact, "score": score})

    def _find(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        street = request.args["text"].partition(",")[0].casefold()
        return {"places": [p for p in self.places if street and street in p["name"].casefold()]}

    def _near(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        lat, lng = float(request.args["lat"]), float(request.args["lng"])
        near = [p for p in self.places if abs(p["lat"] - lat) + abs(p["lng"] - lng) < 0.001]
        return {"places": sorted(near, key=lambda p: abs(p["lat"] - lat) + abs(p["lng"] - lng))}

    def _refusal(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Token") != self.secret:
            return {"error": "no"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "oops", 503
        if self.mood == "babbling":
            return "<html>Back soon</html>"
        return None
