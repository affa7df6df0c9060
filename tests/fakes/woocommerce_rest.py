"""Its REST API wc/v3, each request and answer held against the store's own schemas."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Request

from tests.fakes.woocommerce_door import admitted
from tests.fakes.woocommerce_schemas import Wrong, answered, body_of, query_of, sample
from tests.fakes.woocommerce_state import CORE, Call, State


class No(Exception):
    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(code)
        self.status = status
        self.document = {"code": code, "message": message, "data": {"status": status, **data}}


class Rest(State):
    def _rest(self, request: Request) -> tuple[Any, Mapping[str, str]]:
        path = request.path.rstrip("/")
        if request.args.get("rest_route") == "/" or (path == "/wp-json" and self.pretty_links):
            return self._index(), {}
        if not path.startswith("/wp-json/") or not self.pretty_links:
            return None, {}
        route = path.removeprefix("/wp-json/wc/v3/")
        named = {k: v for k, v in request.args.items() if not k.startswith(("oauth_", "consumer_"))}
        self.asked.append(f"{request.method} {route}?{urlencode(named)}")
        if route == path or not self.woocommerce:
            raise No(
                404, "rest_no_route", "No route was found matching the URL and request method."
            )
        self._let_in(request)
        query = {k: v for k, v in request.args.items() if not k.startswith("oauth_")}
        body = request.get_json(silent=True) if request.get_data() else {}
        parts = route.split("/")
        handle = {
            "orders": self._orders,
            "products": self._products,
            "settings": self._settings,
            "webhooks": self._webhooks,
        }.get(parts[0])
        if handle is None:
            raise No(
                404, "rest_no_route", "No route was found matching the URL and request method."
            )
        document, headers = handle(request.method, parts[1:], query, body)
        if wanted := query.get("_fields"):
            names = wanted.split(",")
            document = [{k: row[k] for k in names if k in row} for row in document]
        return document, headers

    def _index(self) -> Any:
        if self.hides_index:
            raise No(401, "rest_cannot_access", "Only authenticated users can access the REST API.")
        zone = self.now.astimezone(ZoneInfo(self.zone)).utcoffset()
        assert zone is not None
        return {
            "name": "Bakery",
            "url": "https://shop.test",
            "gmt_offset": zone.total_seconds() / 3600,
            "timezone_string": self.zone,
            "namespaces": ["oembed/1.0", *(["wc/v3"] if self.woocommerce else []), "wp/v2"],
        }

    def _let_in(self, request: Request) -> None:
        if self.drops_authorization:
            request.environ.pop("HTTP_AUTHORIZATION", None)
        https = self.behind_https or request.scheme == "https"
        may = admitted(request, self.key, self.secret, self._nonces, https=https)
        if not may or self.mood == "locked":
            if "oauth_signature" in request.args:
                wrong = "Invalid signature - provided signature does not match."
                raise No(401, "woocommerce_rest_authentication_error", wrong)
            raise No(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if self.permissions == "read" and request.method != "GET":
            raise No(
                401,
                "woocommerce_rest_authentication_error",
                "The API key provided does not have write permissions.",
            )

    # Routes --------------------------------------------------------------------------------------

    def _orders(
        self, method: str, rest: list[str], query: Mapping[str, str], body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        custom = tuple(self.custom)
        match method, rest:
            case "GET", []:
                return self._list(query_of("orders", "GET", query, custom))
            case "GET", ["statuses"] if not self.old:
                rows = [{"slug": k, "name": v} for k, v in {**CORE, **self.custom}.items()]
                for row in rows:
                    answered("statuses", row)
                return rows, {}
            case "POST", ["batch"]:
                return self._batch(body), {}
            case _, [number, *more] if number.isdecimal():
                row = self.orders.get(int(number))
                if row is None:
                    raise No(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
                if more == ["notes"]:
                    return self._notes(method, row["id"], query, body), {}
                if method == "PUT":
                    self._put(row, body_of("order", "PUT", body, custom))
                return row, {}
        raise No(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _list(self, query: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
        statuses = set(query["status"])
        if "any" in query["status"]:
            statuses = {*CORE, *self.custom}
        after, before = (self._moment(query, f"modified_{end}") for end in ("after", "before"))
        rows = [
            row
            for row in self.orders.values()
            if row["status"] in statuses
            and (not after or row["date_modified_gmt"] > after)
            and (not before or row["date_modified_gmt"] < before)
        ]
        # Orders of one instant come in no order at all: here the newest number first.
        field = {"modified": "date_modified_gmt", "date": "date_created_gmt", "id": "id"}
        by = field[query["orderby"]]
        rows.sort(key=lambda row: row["id"], reverse=True)
        rows.sort(key=lambda row: row[by])
        if query["order"] == "desc":
            rows.reverse()
        return self._paged(rows, query)

    def _paged(self, rows: list[Any], query: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
        size = min(query["per_page"], self.page_size)
        start = (query["page"] - 1) * size
        page = rows[start : start + size]
        past = not page and query["page"] > 1  # then it says that there is nothing at all
        total = 0 if past else len(rows)
        return page, {"X-WP-Total": str(total), "X-WP-TotalPages": str(-(-total // size))}

    def _moment(self, query: Mapping[str, Any], name: str) -> str:
        """As the store misreads it: see the four cases measured with a store in Sydney."""
        if name not in query:
            return ""
        given, zone = datetime.fromisoformat(query[name]), ZoneInfo(self.zone)
        if query["dates_are_gmt"]:
            shown = given.astimezone(zone).replace(tzinfo=None) if given.tzinfo else given
            return f"{shown:%Y-%m-%dT%H:%M:%S}"
        local = given if given.tzinfo else given.replace(tzinfo=zone)
        return f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"

    def _put(self, row: dict[str, Any], body: Mapping[str, Any]) -> None:
        self.now += timedelta(seconds=1)
        if body.get("status", row["status"]) != row["status"]:
            text = f"Order status changed from {row['status']} to {body['status']}."
            self._note(row["id"], text, to_customer=False)
            if body["status"] == "completed":
                self.mails.append(f"{row['id']}: completed")
        self._alter(row, body, self.now)
        self._ring("order.updated", row["id"])

    def _batch(self, body: Any) -> Any:
        """Each order by itself; one that fails says so in its place, and the whole is 200."""
        done = []
        for one in body.get("update", ()):
            row = self.orders.get(one["id"])
            try:
                if row is None:
                    raise No(400, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
                rest = {name: value for name, value in one.items() if name != "id"}
                self._put(row, body_of("batch", "POST", rest, tuple(self.custom)))
                done.append(row)
            except No as no:
                done.append({"id": one["id"], "error": no.document})
            except Wrong as wrong:
                error = {"code": "rest_invalid_param", "message": str(wrong)}
                done.append({"id": one["id"], "error": error})
        return {"update": done} if done else {}

    def _notes(self, method: str, number: int, query: Mapping[str, str], body: Any) -> Any:
        if method == "GET":
            kind = query_of("notes", "GET", query, ())["type"]
            wanted = {"any": (True, False), "customer": (True,), "internal": (False,)}[kind]
            notes = self.order_notes.get(number, [])
            return [note for note in reversed(notes) if note["customer_note"] in wanted]
        said = body_of("notes", "POST", body, ())
        return self._note(number, said["note"], to_customer=said.get("customer_note", False))

    def _products(
        self, method: str, rest: list[str], query: Mapping[str, str], body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        read = query_of("products", method, query, ())
        match rest:
            case []:
                shelf = self.products
            case [parent, "variations"]:
                shelf = self.variations.get(int(parent), {})
            case _:
                raise No(404, "rest_no_route", "No route was found.")
        wanted = set(read["include"]) or shelf.keys()
        return self._paged([row for n, row in shelf.items() if n in wanted], read)

    def _settings(
        self, method: str, rest: list[str], query: Mapping[str, str], body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        if self.hides_settings:
            raise No(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        assert (method, rest) == ("GET", ["products"])
        units = {"woocommerce_weight_unit": self.weight_unit, "woocommerce_dimension_unit": "cm"}
        return [{"id": name, "value": value} for name, value in units.items()], {}

    def _webhooks(
        self, method: str, rest: list[str], query: Mapping[str, str], body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        if not rest and method == "GET":
            read = query_of("webhooks", "GET", query, ())
            rows = [_shown(hook) for hook in self.webhooks.values()]
            return self._paged([r for r in rows if read["status"] in ("all", r["status"])], read)
        if not rest:
            said = body_of("webhooks", "POST", body, ())
            return self._new_webhook(said), {}
        hook = self.webhooks.get(int(rest[0]))
        if hook is None:
            raise No(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        if method == "DELETE":
            if query.get("force") != "true":
                why = "Webhooks do not support trashing."
                raise No(501, "woocommerce_rest_trash_not_supported", why)
            del self.webhooks[hook["id"]]
        elif method == "PUT":
            assert body.keys() <= {"name", "status", "topic", "secret", "delivery_url"}
            hook |= body
            hook["failures"] = 0 if body.get("status") == "active" else hook["failures"]
        return _shown(hook), {}

    def _new_webhook(self, said: Mapping[str, Any]) -> Any:
        hook = {**deepcopy(sample("sample-webhook.json")), "id": self._next_id(), **said}
        hook |= {"failures": 0, "status": said.get("status", "active")}
        self._dated(hook, "date_created", self.now)
        self.webhooks[hook["id"]] = hook
        form = {"content-type": "application/x-www-form-urlencoded"}
        ping = f"webhook_id={hook['id']}".encode()
        self._pings.append(Call(hook["id"], said["delivery_url"], form, ping))
        answered("webhooks", _shown(hook))
        return _shown(hook)


def _shown(hook: Mapping[str, Any]) -> Any:
    return {name: value for name, value in hook.items() if name not in ("secret", "failures")}
