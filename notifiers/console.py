"""Prints messages; for a first look and for development."""

from hub import Message, NotificationChannel, hookimpl

FIRST_LINES = 4


class Console(NotificationChannel):
    """A line for each message, whatever is in it, and below it how its text begins and links."""

    key = "console"
    title = "Console"
    reaches = "nobody"

    def send(self, message: Message) -> str:
        lines = [line for raw in message.text.splitlines() if (line := _in_a_line(raw))]
        head = message.subject or (lines.pop(0) if lines else "")
        shown = [line for n, line in enumerate(lines) if n < FIRST_LINES or "://" in line]
        print(f"to {_in_a_line(message.to)}: {_in_a_line(head)}", *shown, sep="\n    ")
        return message.key


def _in_a_line(text: str) -> str:
    """Without what would begin another line, or tell a terminal to do something."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Console]
