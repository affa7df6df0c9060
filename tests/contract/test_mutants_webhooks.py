"""The kit for connections that are called is sharp."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.planting import Mutant, exempting, survivors

DIGEST = "hmac.compare_digest(right, given)"
MUTANTS = {
    "everything is believed": Mutant(
        f"not self._secret or not {DIGEST}",
        "False",
        "test_a_call_that_lacks_its_signature_is_refused",
    ),
    "the body is not signed": Mutant(
        "right = b64encode(hmac.digest(self._secret.encode(), request.body",
        "request = WebhookRequest({**request.headers, 'x-signature': 'x'}, request.body)"
        " if not request.headers.get('x-signature') else WebhookRequest({'x-signature':"
        " b64encode(hmac.digest(self._secret.encode(), request.body, 'sha256')).decode()},"
        " request.body)\n        right = b64encode(hmac.digest(self._secret.encode(), request.body",
        "test_a_changed_body_is_refused",
    ),
    "a part of the signature is enough": Mutant(
        DIGEST, "right[-10:] == given[-10:]", "test_a_forged_signature_is_refused"
    ),
    "a header with an accent is a crash": Mutant(
        DIGEST,
        "hmac.compare_digest(right.decode(), request.headers.get('x-signature', ''))",
        "test_a_forged_signature_is_refused",
    ),
    "a secret for all connections": Mutant(
        "return self.tools.webhook_secret",
        "return self.tools.webhook_secret and 'one-for-all'",
        "test_another_connections_call_is_refused",
    ),
    "an empty secret is as good": Mutant(
        "not self._secret or not ", "not ", "test_without_a_secret_nothing_is_believed"
    ),
    "a genuine call is about nothing": Mutant(
        "return sha256(request.body).hexdigest()\n", "return None\n", "test_a_genuine_call_rings"
    ),
    "no id": Mutant(
        "return sha256(request.body).hexdigest()\n",
        "return ''\n",
        "test_a_repeat_is_known_by_its_id",
    ),
    "an id that nobody gave": Mutant(
        "return sha256(request.body).hexdigest()\n",
        "return __import__('uuid').uuid4().hex\n",
        "test_a_repeat_is_known_by_its_id",
    ),
    "one id for all": Mutant(
        "return sha256(request.body).hexdigest()\n",
        "return 'call'\n",
        "test_another_change_has_another_id",
    ),
    "a ping is an order": Mutant(
        'if body["kind"] != "order":', "if False:", "test_a_ping_is_about_no_order"
    ),
    "noise is a crash": Mutant(
        "        right = b64encode(",
        "        json.loads(request.body)['kind']\n        right = b64encode(",
        "test_noise_is_refused",
    ),
    "the token is needed to verify": Mutant(
        "return self.tools.webhook_secret",
        "return self.tools.webhook_secret and self.settings.token.get_secret_value()",
        "test_only_the_secrets_for_webhooks_are_needed",
    ),
    "subscribe adds each day": Mutant(
        'missing.discard(hook["topic"])',
        "pass",
        "test_subscribing_every_day_changes_nothing",
    ),
    "one subscription a day": Mutant(
        "for topic in missing:",
        "for topic in sorted(missing)[:1]:",
        "test_subscribing_every_day_changes_nothing",
    ),
    "an outage ends well": Mutant(
        'self.tools.http.post_json(f"{ORIGIN}/hooks", hook)',
        'try:\n                self.tools.http.post_json(f"{ORIGIN}/hooks", hook)\n'
        "            except Exception:\n                pass",
        "test_cut_off_anywhere_it_is_finished_the_next_time",
    ),
    "another secret is subscribed": Mutant(
        '"secret": self._secret,', '"secret": "typed-wrongly",', "test_a_genuine_call_rings"
    ),
    "nothing is subscribed": Mutant(
        "missing = set(TOPICS)", "missing = set()", "test_subscribing_has_the_address_called"
    ),
    "what was switched off stays off": Mutant(
        'if not hook["active"]:', "if False:", "test_what_the_other_side_ended_is_put_back"
    ),
    "what was dropped stays away": Mutant(
        "missing = set(TOPICS)",
        "missing = set(TOPICS) if not getattr(type(self), 'once', False) else set()\n"
        "        type(self).once = True",
        "test_what_the_other_side_ended_is_put_back",
    ),
    "the old address stays": Mutant(
        'if hook["topic"] not in missing or hook["url"] != url:',
        'if hook["url"] != url:\n                continue\n            if hook["topic"] not in missing:',
        "test_a_new_address_replaces_the_old",
    ),
    "unsubscribing leaves one": Mutant(
        "        for hook in self._ours():\n            self.tools.http.delete",
        "        for hook in self._ours()[1:]:\n            self.tools.http.delete",
        "test_unsubscribing_ends_the_calls_and_may_be_repeated",
    ),
    "unsubscribing twice is an error": Mutant(
        "    def unsubscribe(self) -> None:\n",
        "    def unsubscribe(self) -> None:\n        self._ours()[0]\n",
        "test_unsubscribing_ends_the_calls_and_may_be_repeated",
    ),
    "others' subscriptions are taken": Mutant(
        'if hook["name"] == self._name', "", "test_another_connections_subscriptions_stay"
    ),
    "pings are left out": exempting("WebhooksConformance", "test_a_ping_is_about_no_order"),
    "what is switched off is left out": exempting(
        "WebhooksConformance", "test_what_the_other_side_ended_is_put_back[switched off]"
    ),
    "nothing is ever lost": Mutant(
        '            hook["active"] = False\n        return True\n',
        "            pass\n        return False\n",
        "test_what_the_other_side_ended_is_put_back",
    ),
}


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "webhooks", MUTANTS) == []
