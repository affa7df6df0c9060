"""A shop at Shopify, as far as the hub talks to it: signing in, the Admin API, calls.

Queries are run for real on Shopify's own schema, so what is wrong is answered as there, and kept
in ``wrong`` for the test to see. Also a program: ``serve(FakeShopify())``.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import NAMESPACE_URL, uuid5

from graphql import GraphQLError, execute
from werkzeug import Request, Response

from tests.fakes.shopify_api import Api
from tests.fakes.shopify_schema import MOST, actual, cost, read, schema
from tests.fakes.shopify_state import Json, State, address, number, text

MONDAY = datetime(2024, 3, 4, 6, 0, tzinfo=UTC)
SHOP = "husk.myshopify.com"
KEY, SECRET, TOKEN = "client-id-1", "shpss_client-5ecret", "shpat_t0ken-5ecret"
SCOPES = [
    "write_merchant_managed_fulfillment_orders", "read_orders", "read_locations",
    "write_fulfillments",
]  # fmt: skip
CONSENT = (
    "<!doctype html><title>Install app</title><form method=post>"
    "<button name=install value=1>Install</button><button>Cancel</button></form>"
)
SERVED = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")


class FakeShopify:
    def __init__(
        self, *, now: Callable[[], datetime] = lambda: MONDAY, shop: str = SHOP,
        page_size: int = 250,
    ) -> None:  # fmt: skip
        self.now, self.shop = now, shop
        self.state = State(now, shop, page_size)
        self.scopes = list(SCOPES)
        self.approved = True  # for protected customer data: True, False (refused), None (left out)
        self.tokens: dict[str, datetime | None] = {TOKEN: None}
        self.refreshers: set[str] = set()
        self.codes: set[str] = set()
        self.expiring = True
        self.mood, self.delay_s = "well", 0.0
        self.cuts: Counter[str] = Counter()
        self.metered = False
        self.points, self.most_points, self.restored_a_s = 2000.0, 2000.0, 100.0
        self._filled_at = now()
        self.asked: list[str] = []  # names of what was asked, in order
        self.costs: list[int] = []
        self.wrong: list[str] = []
        self._refs: dict[str, str] = {}
        self._lock = RLock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._lock:
            reply = self._answer(Request(environ))
        return reply(environ, start_response)

    # What the kit needs of a shop.
    @property
    def secret(self) -> str:
        return TOKEN

    @property
    def page_size(self) -> int:
        return self.state.page_size

    def put(
        self, ref: str, changed: datetime, *, name: str = "Ana", cancelled: bool = False
    ) -> None:
        if ref not in self._refs:
            self._refs[ref] = self.state.place()["id"]
        order = self.state.orders[self._refs[ref]]
        order["shippingAddress"] = address(name)
        if cancelled:
            self.state.cancel(order)
        for record in (order, *self.state.units_of(order["id"])):
            record["updatedAt"] = text(changed)
        for unit in self.state.units_of(order["id"]):
            unit["destination"] |= {"firstName": name, "lastName": None}
        self.state._sorted.clear()

    def spoil(self, ref: str, changed: datetime) -> None:
        self.put(ref, changed)
        order = self.state.orders[self._refs[ref]]
        for place in (order["shippingAddress"], self.state.units_of(order["id"])[0]["destination"]):
            place |= {"address1": None, "address2": None}

    def ref_of(self, ref: str) -> str:
        [unit] = self.state.units_of(self._refs[ref])
        return str(number(unit["id"]))

    def be(self, mood: str) -> None:
        """Besides the kit's: 429, broken, half, hung_up, frozen, moved, gone."""
        self.mood = mood

    # What a test does in the shop's admin.
    def unit(self, ref: str) -> Json:
        return self.state.units[f"gid://shopify/FulfillmentOrder/{ref}"]

    def order_of(self, ref: str) -> Json:
        return self.unit(ref)["order"]

    def set_status(self, ref: str, status: str) -> None:
        unit = self.unit(ref)
        unit["status"] = status
        self.state.touch(unit)  # and not the order, as far as anybody knows

    def fulfil_by_hand(self, ref: str, **tracking: str) -> Json:
        made = self.state.fulfil([{"fulfillmentOrderId": self.unit(ref)["id"]}], tracking)
        assert isinstance(made, dict), made
        return made

    def fulfilments(self, ref: str) -> list[Json]:
        gid = self.unit(ref)["id"]
        return [f for f in self.state.fulfilments.values() if gid in f["parts"]]

    def written(self, name: str) -> list[Json]:
        return [what for wrote, what in self.state.writes if wrote == name]

    def cut_off(self, operation: str) -> None:
        """The next such request is carried out, and its answer lost."""
        self.cuts[operation] += 1

    def drop_hooks(self) -> None:
        """As after eight calls that nobody took."""
        self.state.hooks.clear()

    def call(
        self,
        topic: str,
        body: Any = None,
        *,
        id: str = "",
        secret: str = SECRET,
        prefix: str = "X-",
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of one call, signed."""
        raw = json.dumps(body if body is not None else {"id": 1, "updated_at": None}).encode()
        signature = b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()
        headers = {
            "Topic": topic, "Hmac-Sha256": signature, "Shop-Domain": self.shop,
            "API-Version": "2026-07", "Webhook-Id": id or str(uuid5(NAMESPACE_URL, token_hex(8))),
            "Triggered-At": text(self.now()),
        }  # fmt: skip
        return {f"{prefix}Shopify-{name}".lower(): value for name, value in headers.items()}, raw

    def approve(self, url: str) -> dict[str, str]:
        """What its owner's browser brings back from the page at ``url``."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert urlsplit(url).netloc == self.shop
        assert urlsplit(url).path == "/admin/oauth/authorize"
        assert asked["client_id"] == KEY
        self.scopes = asked["scope"].split(",")
        code = token_hex(8)
        self.codes.add(code)
        answer = {
            "code": code, "host": "aHVzaw", "shop": self.shop, "state": asked["state"],
            "timestamp": str(int(self.now().timestamp())),
        }  # fmt: skip
        return {**answer, "hmac": sign(answer)}

    # The wire.
    def _answer(self, request: Request) -> Response:
        if self.delay_s:
            time.sleep(self.delay_s)
        if (reply := self._in_a_mood(request.path)) is not None:
            return reply
        if (request.method, request.path) == ("POST", "/admin/oauth/access_token"):
            return self._token(request)
        if request.path == "/admin/oauth/authorize":
            return self._consent(request)
        if request.path == "/admin":
            return Response("<title>Husk</title><h1>Home</h1>", content_type="text/html")
        found = re.fullmatch(r"/admin/api/(\d{4}-\d\d)/graphql\.json", request.path)
        if request.method == "POST" and found:
            return self._graphql(request, found[1])
        self.wrong.append(f"{request.method} {request.path}")
        return answered({"errors": "Not Found"}, 404)

    def _consent(self, request: Request) -> Response:
        """Who cancels stays in the shop's admin: the app hears nothing of it."""
        if request.method == "GET":
            return Response(CONSENT, content_type="text/html")
        if "install" not in request.form:
            return Response(status=302, headers={"Location": "/admin"})
        back = self.approve(f"https://{self.shop}{request.full_path}")
        where = f"{request.args['redirect_uri']}?{urlencode(back)}"
        return Response(status=302, headers={"Location": where})

    def _in_a_mood(self, path: str) -> Response | None:
        match self.mood:
            case "busy" | "broken" if "graphql" not in path:
                return None
            case "locked":
                return answered({"errors": "[API] Invalid API key or access token"}, 401)
            case "429":
                return answered({"errors": "Too many requests"}, 429, {"Retry-After": "4.0"})
            case "busy":
                return answered(throttled(700, 0, 100))
            case "broken":
                return answered(failed("Internal error.", "INTERNAL_SERVER_ERROR"))
            case "down":
                return Response("<html>503</html>", 503)
            case "babbling":
                return Response("<html>Back soon</html>", 200, content_type="text/html")
            case "half":
                return Response('{"data": {"orders": {"no', 200, content_type="application/json")
            case "frozen":
                return answered({"errors": "Unavailable Shop"}, 402)
            case "gone":
                return answered({"errors": "Not Found"}, 404)
            case "moved":
                return Response(status=301, headers={"Location": "https://elsewhere.example/"})
        return None

    def _token(self, request: Request) -> Response:
        form = request.form
        if (form.get("client_id"), form.get("client_secret")) != (KEY, SECRET):
            return answered({"error": "invalid_client"}, 400)
        grant, expires = form.get("grant_type", ""), self.expiring
        if grant == "client_credentials":
            given = {"access_token": self._made(86399), "expires_in": 86399}
            return answered({**given, "scope": ",".join(self.scopes)})
        if grant == "refresh_token":
            if form.get("refresh_token") not in self.refreshers:
                return answered({"error": "invalid_grant"}, 400)
            self.refreshers.discard(form["refresh_token"])
        elif form.get("code") in self.codes:
            self.codes.discard(form["code"])
            expires = expires and form.get("expiring") == "1"
        else:
            return Response("<html>Oauth error invalid_request</html>", 400)
        given = {"access_token": self._made(3600 if expires else None)}
        if expires:
            refresh = f"shprt_{token_hex(8)}"
            self.refreshers.add(refresh)
            given |= {"expires_in": 3600, "refresh_token": refresh}
            given |= {"refresh_token_expires_in": 7776000}
        return answered({**given, "scope": ",".join(self.scopes)})

    def _made(self, life_s: int | None) -> str:
        token = f"shpua_{token_hex(8)}"
        self.tokens[token] = self.now() + timedelta(seconds=life_s) if life_s else None
        return token

    def _graphql(self, request: Request, version: str) -> Response:
        token = request.headers.get("X-Shopify-Access-Token", "")
        ends = self.tokens.get(token, self.now())
        if token not in self.tokens or self.state.uninstalled or (ends and ends <= self.now()):
            return answered({"errors": "[API] Invalid API key or access token"}, 401)
        body = request.get_json()
        served = version if version in SERVED else SERVED[0]
        answer, name = self._run(body["query"], body.get("variables") or {})
        self.asked.append(name)
        reply = answered(answer, headers={"X-Shopify-API-Version": served})
        if self.cuts[name]:
            self.cuts[name] -= 1
            reply.set_data(reply.get_data()[: len(reply.get_data()) // 2])
        return reply

    def _run(self, query: str, variables: Json) -> tuple[Json, str]:
        document = read(query)
        if document.errors:
            self.wrong += [str(error) for error in document.errors]
            return failed(document.errors[0].message, "undefinedField"), document.name
        asked = cost(document, variables)
        self.costs.append(asked)
        if asked > MOST:
            said = f"Query cost is {asked}, which exceeds the single query max cost limit {MOST}."
            return failed(said, "MAX_COST_EXCEEDED"), document.name
        self._fill()
        if self.metered and asked > self.points:
            return throttled(asked, self.points, self.restored_a_s), document.name
        if denied := self._denied(document.needs, document.protected):
            return denied, document.name
        root = Api(self.state, self.scopes, self.approved is True)
        result = execute(schema(), document.node, root, variable_values=variables)
        if result.errors:
            self.wrong += [str(e) for e in result.errors if not is_refusal(e)]
            return failed(result.errors[0].message, "BAD_REQUEST"), document.name
        data: Any = result.data
        if self.approved is None:
            data = redacted(data)
        spent = actual(data)
        if self.metered:
            self.points -= spent
        return {"data": data, "extensions": {"cost": self._cost(asked, spent)}}, document.name

    def _fill(self) -> None:
        passed = (self.now() - self._filled_at).total_seconds()
        self.points = min(self.most_points, self.points + passed * self.restored_a_s)
        self._filled_at = self.now()

    def _denied(self, needs: Any, protected: frozenset[str]) -> Json | None:
        granted = {*self.scopes, *(s.replace("write_", "read_", 1) for s in self.scopes)}
        for field, scopes in needs:
            if not scopes & granted:
                names = " or ".join(f"`{scope}` access scope" for scope in sorted(scopes))
                said = f"Access denied for {field} field. Required access: {names}."
                return failed(said, "ACCESS_DENIED", requiredAccess=f"{names}.")
        if protected and self.approved is False:
            return failed(
                f"This app is not approved to use the {min(protected)} field. See"
                " https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
                "ACCESS_DENIED",
            )
        return None

    def _cost(self, asked: int, spent: int) -> Json:
        return {
            "requestedQueryCost": asked,
            "actualQueryCost": spent,
            "throttleStatus": status(self.points, self.restored_a_s, self.most_points),
        }


PRIVATE = {
    "address1", "address2", "zip", "phone", "firstName", "lastName", "name", "email", "latitude",
    "longitude",
}  # fmt: skip
PLACES = {"destination", "shippingAddress", "billingAddress"}


def redacted(data: Any, private: bool = False) -> Any:
    """As an app gets it that may not see protected customer data."""
    if isinstance(data, list):
        return [redacted(one, private) for one in data]
    if not isinstance(data, dict):
        return data
    hides = PRIVATE if private else {"email", "phone"}
    return {k: None if k in hides else redacted(v, k in PLACES) for k, v in data.items()}


def is_refusal(error: GraphQLError) -> bool:
    """An answer of Shopify's own, rather than a mistake of who asked or of this fake."""
    return "cursor" in error.message


def answered(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json")


def failed(message: str, code: str, **more: Any) -> Json:
    return {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


def throttled(asked: float, there: float, rate: float) -> Json:
    extensions = {
        "cost": {
            "requestedQueryCost": asked,
            "actualQueryCost": None,
            "throttleStatus": status(there, rate, 2000),
        }
    }
    return {**failed("Throttled", "THROTTLED"), "extensions": extensions}


def status(there: float, rate: float, most: float) -> Json:
    return {"maximumAvailable": most, "currentlyAvailable": int(there), "restoreRate": rate}


def sign(query: Mapping[str, str], secret: str = SECRET) -> str:
    """As Shopify signs what a browser brings back: hex, over the sorted pairs."""
    message = "&".join(f"{key}={query[key]}" for key in sorted(query))
    return hmac.digest(secret.encode(), message.encode(), "sha256").hex()
