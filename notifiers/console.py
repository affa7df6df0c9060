"""Prints messages; for a first look and for development."""

from hub import Message, NotificationChannel, hookimpl


class Console(NotificationChannel):
    """One line for each message, whatever is in it."""

    key = "console"
    title = "Console"
    reaches = "nobody"

    def send(self, message: Message) -> str:
        print(f"to {_in_a_line(message.to)}: {_in_a_line(message.subject or message.text)}")
        return message.key


def _in_a_line(text: str) -> str:
    """Without what would begin another line, or tell a terminal to do something."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Console]
