"""Prints messages; for a first look and for development."""

from hub import Message, NotificationChannel, hookimpl


class Console(NotificationChannel):
    key = "console"
    title = "Console"
    reaches = "nobody"
    repeat_is_harmless = True

    def send(self, message: Message) -> str:
        print(f"to {message.to}: {message.subject or message.text}")
        return message.key


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Console]
