"""A door that people open by signing in, and a connection through it that is right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask, request
from pydantic import BaseModel, Field, SecretStr

from hub import AuthError, Connection, ConnectsByOAuth, Refused, Tools
from hub.testing import OAuthConformance, WsgiAdapter

ORIGIN = "https://door.example"
SIGN_IN = "Sign in at Door again: connect it under Connections."


@dataclass
class Door:
    mood: str = "well"
    codes: set[str] = field(default_factory=set)
    access: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    made: int = 0

    def __post_init__(self) -> None:
        self.app = Flask("door")
        self.app.before_request(self._refusal)
        self.app.add_url_rule("/token", "token", self._token, methods=["POST"])
        self.app.add_url_rule("/me", "me", self._me)
        self.app.add_url_rule("/leave", "leave", self._leave, methods=["POST"])

    def be(self, mood: str) -> None:
        self.mood = mood

    def _token(self) -> Any:
        given = request.get_json()
        held = self.codes if "code" in given else self.refresh
        key = given.get("code") or given.get("refresh_token")
        if given["client_secret"] != "door-5ecret" or key not in held:
            return {"error": "invalid_grant"}, 400
        held.discard(key)
        self.made += 1
        access, refresh = f"access-{self.made:04}", f"refresh-{self.made:04}"
        self.access.add(access)
        self.refresh.add(refresh)
        return {"access": access, "refresh": refresh}

    def _me(self) -> Any:
        if request.headers.get("Authorization") not in self.access:
            return {"error": "who?"}, 401
        return {"name": "Husk"}

    def _leave(self) -> Any:
        self.access.discard(request.get_json()["access"])
        return {}

    def _refusal(self) -> Any:
        match self.mood:
            case "busy":
                return {"error": "slow"}, 429, {"Retry-After": "7"}
            case "down":
                return "oops", 503
        return None


class Settings(BaseModel):
    secret: SecretStr = Field(default=SecretStr("door-5ecret"), title="Secret")


class Let(Connection, ConnectsByOAuth):
    key = "let"
    title = "Door"
    Settings: ClassVar[type[BaseModel]] = Settings

    def check(self) -> None:
        kept = self._tokens.load()
        if not kept.get("access"):
            raise AuthError(SIGN_IN)
        try:
            self._me(kept["access"])
        except AuthError:
            fresh = self._tokens.refresh_once(lambda now: now if now != kept else self.refresh(now))
            self._me(fresh["access"])

    def authorize_url(self, state: str, redirect: str) -> str:
        query = {"client": "hub", "state": state, "redirect": redirect}
        return f"{ORIGIN}/allow?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect: str) -> Mapping[str, str]:
        if query.get("error") == "declined":
            raise AuthError("You did not allow the hub in. Connect again when you want to.")
        if not query.get("code"):
            raise AuthError(SIGN_IN)
        return self._granted({"code": query["code"]})

    def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        if not tokens.get("refresh"):
            raise AuthError(SIGN_IN)
        return self._granted({"refresh_token": tokens["refresh"]})

    def revoke(self, tokens: Mapping[str, str]) -> None:
        if tokens.get("access"):
            self.tools.http.post_json(f"{ORIGIN}/leave", {"access": tokens["access"]})

    def _granted(self, given: Mapping[str, str]) -> Mapping[str, str]:
        secret = self.settings.secret.get_secret_value()
        try:
            found = self.tools.http.post_json(f"{ORIGIN}/token", {**given, "client_secret": secret})
        except Refused:
            raise AuthError(SIGN_IN) from None
        return {"access": found["access"], "refresh": found["refresh"]}

    def _me(self, token: str) -> None:
        self.tools.http.get_json(f"{ORIGIN}/me", headers={"Authorization": token})

    @property
    def _tokens(self) -> Any:
        return self.tools.tokens


class TestReference(OAuthConformance):
    @pytest.fixture
    def remote(self) -> Door:
        return Door()

    def connection(self, remote: Door, tools: Tools) -> Let:
        tools.http.mount(ORIGIN, WsgiAdapter(remote.app))
        return Let(Let.Settings(), tools)

    def consent(self, remote: Door, url: str, *, allow: bool) -> Mapping[str, str]:
        asked = parse_qs(urlsplit(url).query)
        state = asked.get("state", [""])[0]
        if not allow:
            return {"error": "declined", "state": state}
        code = f"c0de-{len(remote.codes)}-{remote.made}"
        remote.codes.add(code)
        return {"code": code, "state": state}

    def forged(self, remote: Door, query: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        return {"with a code nobody gave out": {**query, "code": "gu3ssed"}}

    def expire(self, remote: Door) -> None:
        remote.access.clear()

    def forget(self, remote: Door) -> None:
        remote.access.clear()
        remote.refresh.clear()
