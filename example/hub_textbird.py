"""Text messages by Textbird, a (made-up) carrier with a small JSON API."""

from typing import Any, Literal

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from hub import LooksUp, Message, NotificationChannel, hookimpl


class TextbirdSettings(BaseModel):
    url: HttpUrl = Field(title="Address of the carrier", description="As in https://sms.example")
    token: SecretStr = Field(title="API token", description="Textbird → Account → Tokens")
    sender: str = Field(
        title="Sender",
        description="What phones show: up to 11 letters",
        min_length=1,
        max_length=11,
    )


class Textbird(NotificationChannel, LooksUp):
    key = "textbird"
    title = "Textbird"
    reaches = "phone"
    repeat_is_harmless = True  # it drops a second message with the same key for three days
    Settings = TextbirdSettings

    def check(self) -> None:
        self._messages("")

    def send(self, message: Message) -> str:
        body = {
            "key": message.key,
            "from": self.settings.sender,
            "to": message.to,
            "text": message.text,
        }
        url = f"{self.settings.url}messages"
        return str(self.tools.http.post_json(url, body, headers=self._headers())["id"])

    def status(self, key: str) -> Literal["sent", "unknown", "failed"]:
        found = self._messages(key)
        if not found:
            return "unknown"
        return "failed" if found[0]["state"] == "failed" else "sent"

    def _messages(self, key: str) -> Any:
        url, query = f"{self.settings.url}messages", {"key": key}
        return self.tools.http.get_json(url, params=query, headers=self._headers())["messages"]

    def _headers(self) -> dict[str, str]:
        return {"X-Token": self.settings.token.get_secret_value()}


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Textbird]
