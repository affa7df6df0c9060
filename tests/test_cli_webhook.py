"""`hub webhook listen` shows developers what comes, and what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import requests
from standardwebhooks import Webhook

from hub.app import Hub
from hub.cli import main
from hub.cli.webhook import server
from hub.flows.endpoints import EndpointIn, change_endpoint, make_endpoint
from hub.flows.found import found
from hub.flows.webhook_send import send_test

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODY = '{"type":"job.failed","data":{"reason":"nobody_home"}}'


class Listening:
    def __init__(self, secret: str, answer: int) -> None:
        self.said: list[str] = []
        self.server = server(0, secret, answer, self.said.append)
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def post(self, body: str = BODY, *, secret: str = SECRET, ago_s: int = 0) -> requests.Response:
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign("msg_1", at, body),
        }
        return requests.post(self.url, data=body, headers=headers, timeout=20)


@pytest.fixture
def listening() -> Iterator[Listening]:
    one = Listening(SECRET, 204)
    yield one
    one.server.shutdown()
    one.server.server_close()


def test_a_genuine_webhook_is_shown_and_a_repeat_is_called_one(listening: Listening) -> None:
    assert [listening.post().status_code for _ in range(2)] == [204, 204]
    first, second = listening.said
    assert "job.failed  msg_1  verified, answered 204" in first
    assert '"reason": "nobody_home"' in first
    assert "this id came before" in second


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"secret": OTHER}, "The signature does not fit"),
        ({"ago_s": 4000}, "behind this machine's clock"),
    ],
)
def test_what_does_not_verify_is_refused_with_the_reason(
    listening: Listening, given: dict[str, object], why: str
) -> None:
    answer = listening.post(**given)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert why in answer.text
    [said] = listening.said
    assert "NOT VERIFIED" in said and why in said


def test_nothing_that_comes_steers_the_terminal(listening: Listening) -> None:
    listening.post('{"type":"\\u001b[2J", "x": "\\u009b31m"}')
    listening.post("\x1b[2Jno json")
    assert len(listening.said) == 2
    assert not [said for said in listening.said if not said.replace("\n", "").isprintable()]


def test_the_hub_s_own_webhooks_verify(listening: Listening) -> None:
    hub = Hub.in_memory(object(), http_allow=("127.0.0.1",))
    business_id = found(hub, "Husk", zone="UTC")
    about = EndpointIn(url=listening.url)
    made = make_endpoint(hub, business_id, about, actor="staff:1")
    _, answer = send_test(hub, business_id, made.endpoint.id)
    assert answer.status == 401  # it knows another secret
    assert "does not fit" in answer.text
    verifying = Listening(made.secret, 204)
    again = EndpointIn(url=verifying.url)
    changes = again.model_dump(include={"url"})
    change_endpoint(hub, business_id, made.endpoint.id, changes, actor="staff:1")
    _, answer = send_test(hub, business_id, made.endpoint.id)
    verifying.server.shutdown()
    assert answer.status == 204
    assert json.loads(verifying.said[0].partition("\n")[2])["type"] == "endpoint.test"


def test_the_command_says_where_it_listens_and_ends_with_a_word() -> None:
    command = [sys.executable, "-m", "hub.cli", "webhook", "listen", "--port", "0"]
    with subprocess.Popen(
        [*command, "--secret", SECRET, "--answer", "500"], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().split()[2]
        answered = requests.post(url, data="{}", timeout=20).status_code
        told = [program.stdout.readline() for _ in range(4)]
        program.terminate()
        assert "Good-bye" in program.stdout.read()
    assert (answered, program.returncode) == (401, 0)
    assert "HUB_HTTP_ALLOW=127.0.0.1:" in told[0]
    assert "webhook-id is missing" in told[3]


def test_what_cannot_be_a_secret_or_an_answer_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["webhook", "listen", "--secret", "hunter2!"]) == 1
    assert "whsec_" in capsys.readouterr().err
    assert main(["webhook", "listen", "--answer", "20"]) == 1
    assert "--answer" in capsys.readouterr().err
