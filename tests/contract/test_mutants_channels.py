"""The kit for notification channels is sharp."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.planting import Mutant, exempting, survivors

POST = 'reply = self.tools.http.post(f"{ORIGIN}/messages", json=body, headers=self._headers())'
BODY = 'body = {"key": message.key, "to": message.to, "text": message.text}'
TOLD_APART = "test_a_carrier_that_takes_nothing_is_told_apart"
MUTANTS = {
    "nothing is sent": Mutant(
        f"            {POST}\n",
        "            return message.key\n",
        "test_a_message_is_carried_once_to_whom_it_is_for",
    ),
    "all go to one number": Mutant(
        '"to": message.to',
        '"to": "+358400000000"',
        "test_a_message_is_carried_once_to_whom_it_is_for",
    ),
    "no id": Mutant(
        'return str(reply.json()["id"])',
        'return ""',
        "test_it_says_by_what_the_carrier_knows_it",
    ),
    "one id for all": Mutant(
        'return str(reply.json()["id"])',
        'return "accepted"',
        "test_it_says_by_what_the_carrier_knows_it",
    ),
    "the key stays here": Mutant(
        '"key": message.key',
        "\"key\": __import__('uuid').uuid4().hex",
        "test_a_repeat_is_harmless_only_if_it_says_so",
    ),
    "the same words are the same message": Mutant(
        '"key": message.key',
        '"key": str(hash(message.text))',
        "test_two_messages_of_the_same_words_are_two",
    ),
    "letters are lost": Mutant(
        '"text": message.text',
        '"text": message.text.encode("ascii", "ignore").decode()',
        "test_any_words_can_be_sent",
    ),
    "long texts are cut": Mutant(
        '"text": message.text', '"text": message.text[:160]', "test_any_words_can_be_sent"
    ),
    "words are a template": Mutant(
        '"text": message.text', '"text": message.text % ()', "test_any_words_can_be_sent"
    ),
    "an address that is wrong is tried for ever": Mutant(
        'raise Refused("The carrier cannot reach this number. Look at the contact.")',
        'raise Unavailable("The carrier takes nothing now; it is asked again.")',
        "test_an_address_that_can_never_receive_is_refused_in_a_sentence",
    ),
    "refused without a sentence": Mutant(
        'raise Refused("The carrier cannot reach this number. Look at the contact.")',
        'raise Refused("422")',
        "test_an_address_that_can_never_receive_is_refused_in_a_sentence",
    ),
    "a refused key is the message's fault": Mutant(
        'raise AuthError("The carrier does not take this key. Copy it again.")',
        'raise Refused("The carrier does not take this key. Copy it again.")',
        TOLD_APART,
    ),
    "a busy carrier is a refusal": Mutant(
        'raise Unavailable("The carrier takes nothing now; it is asked again.")',
        'raise Refused("The carrier takes nothing now, so nothing is sent.")',
        TOLD_APART,
    ),
    "a failure is an id": Mutant("        if not reply.ok:\n", "        if False:\n", TOLD_APART),
    "what may have left did not": Mutant(
        'raise MaybeSent("The carrier took the message and gave no answer.") from error',
        'raise Unavailable("The carrier takes nothing now; it is asked again.") from error',
        "test_an_answer_that_is_lost_says_that_nobody_knows",
        also=("repeat_is_harmless = True", "repeat_is_harmless = False"),
    ),
    "what may have left is refused": Mutant(
        'raise MaybeSent("The carrier took the message and gave no answer.") from error',
        'raise Refused("The carrier did not answer, so it is set aside.") from error',
        "test_an_answer_that_is_lost_says_that_nobody_knows",
    ),
    "what did not leave may have": Mutant(
        'raise Unavailable("The carrier takes nothing now; it is asked again.")',
        'raise MaybeSent("The carrier may have it, nobody knows.")',
        TOLD_APART,
    ),
    "a check sends a message": Mutant(
        '        self.tools.http.get_json(f"{ORIGIN}/me", headers=self._headers())\n',
        '        self.send(Message(key="test", to="+3581", subject="", text="Test"))\n',
        "test_a_check_proves_the_log_in_and_sends_nothing",
    ),
    "a check checks nothing": Mutant(
        '        self.tools.http.get_json(f"{ORIGIN}/me", headers=self._headers())\n',
        "        return\n",
        "test_a_check_proves_the_log_in_and_sends_nothing",
    ),
    "the key is a plain text": Mutant(
        'api_key: SecretStr = Field(title="Key")\n',
        'api_key: SecretStr = Field(title="Key")\n\n    def __repr__(self) -> str:\n'
        "        return self.api_key.get_secret_value()\n",
        "test_no_secret_is_told",
    ),
    "the recipient is in the log": Mutant(
        f"        {BODY}\n",
        f'        {BODY}\n        self.tools.log.info("to %s", message.to)\n',
        "test_addresses_stay_out_of_the_log",
    ),
    "never sent is failed": Mutant(
        '"sent" if found else "unknown"',
        '"sent" if found else "failed"',
        "test_what_became_of_a_message_can_be_looked_up",
    ),
    "any receipt is believed": Mutant(
        'if not hmac.compare_digest(right.encode(), request.headers.get("x-sign", "").encode()):',
        "if not right:",
        "test_a_receipt_is_believed_only_if_it_is_the_carriers",
    ),
    "who can be asked is not": exempting(
        "NotificationChannelConformance", "test_what_became_of_a_message_can_be_looked_up"
    ),
    "receipts are not believed": exempting(
        "NotificationChannelConformance",
        "test_a_receipt_is_believed_only_if_it_is_the_carriers",
    ),
    "an outage is left out": exempting("NotificationChannelConformance", f"{TOLD_APART}[down]"),
    "no address is wrong": Mutant(
        '    no_address = "12"\n', "", "test_what_is_left_out_it_cannot_do"
    ),
    "no such mood": Mutant(
        '        return [(one["to"], one["text"]) for one in carrier.has.values()]\n',
        '        return [(one["to"], one["text"]) for one in carrier.has.values()]\n\n'
        "    def be(self, carrier: Carrier, mood: str) -> bool:\n        return False\n",
        TOLD_APART,
    ),
}


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "channels", MUTANTS) == []
