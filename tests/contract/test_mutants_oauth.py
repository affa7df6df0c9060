"""The kit for connections that are signed in to is sharp."""

from __future__ import annotations

from pathlib import Path

from tests.contract.planting import Mutant, exempting, survivors

GRANTED = 'return {"access": found["access"], "refresh": found["refresh"]}'
ONCE = "lambda now: now if now != kept else self.refresh(now)"
MUTANTS = {
    "the state is left out": Mutant(
        '"state": state, "redirect"',
        '"redirect"',
        "test_the_page_to_approve_gets_state_and_redirect",
    ),
    "the state is not quoted": Mutant(
        "?{urlencode(query)}",
        "?{'&'.join(f'{k}={v}' for k, v in query.items())}",
        "test_the_page_to_approve_gets_state_and_redirect",
    ),
    "the secret stands in the address": Mutant(
        '"client": "hub"',
        '"client": self.settings.secret.get_secret_value()',
        "test_the_page_to_approve_tells_no_secret",
    ),
    "a refusal is a parked record": Mutant(
        "            raise AuthError(SIGN_IN) from None\n",
        "            raise\n",
        "test_an_answer_that_is_not_genuine_is_refused",
    ),
    "an answer without a code is a bug": Mutant(
        'if not query.get("code"):', "if False:", "test_an_answer_that_is_not_genuine_is_refused"
    ),
    "who declined is told of a code": Mutant(
        'raise AuthError("You did not allow the hub in. Connect again when you want to.")',
        'raise AuthError("declined")',
        "test_who_declines_is_told_so",
    ),
    "the refresh token is lost": Mutant(
        GRANTED,
        'return {"access": found["access"], **({"refresh": found["refresh"]}'
        ' if "code" in given else {})}',
        "test_refreshed_tokens_let_in_again_and_again",
    ),
    "the first refresh token for ever": Mutant(
        GRANTED,
        'return {"access": found["access"],'
        ' "refresh": given.get("refresh_token", found["refresh"])}',
        "test_refreshed_tokens_let_in_again_and_again",
    ),
    "refreshed past the lease": Mutant(
        f"fresh = self._tokens.refresh_once({ONCE})",
        "fresh = self.refresh(kept)",
        "test_a_token_that_ended_is_refreshed_once_by_the_hubs_lease",
    ),
    "refreshed whoever was first": Mutant(
        ONCE, "self.refresh", "test_tokens_that_somebody_else_refreshed_are_used"
    ),
    "a token that ended is the end": Mutant(
        "        except AuthError:\n",
        "        except AuthError:\n            raise\n",
        "test_a_token_that_ended_is_refreshed_once_by_the_hubs_lease",
    ),
    "an outage disconnects": Mutant(
        "except Refused:", "except Exception:", "test_a_refresh_whose_answer_is_lost_is_tried_again"
    ),
    "any failure is a refused token": Mutant(
        "        except AuthError:\n",
        "        except Exception:\n            raise AuthError(SIGN_IN) from None\n",
        "test_an_outage_disconnects_nobody",
    ),
    "the token is in the message": Mutant(
        "            raise AuthError(SIGN_IN) from None\n",
        "            raise AuthError(f'Door does not take {given}. Sign in again.') from None\n",
        "test_no_token_is_told_to_anybody",
    ),
    "the token is in the log": Mutant(
        "        secret = self.settings",
        "        self.tools.log.debug('asking with %s', given)\n        secret = self.settings",
        "test_no_token_is_told_to_anybody",
    ),
    "the secret is a plain text": Mutant(
        'secret: SecretStr = Field(default=SecretStr("door-5ecret"), title="Secret")',
        'secret: SecretStr = Field(default=SecretStr("door-5ecret"), title="Secret")\n\n'
        "    def __repr__(self) -> str:\n        return self.secret.get_secret_value()",
        "test_no_token_is_told_to_anybody",
    ),
    "nothing to take back is a bug": Mutant(
        'if tokens.get("access"):', "if True:", "test_disconnecting_may_be_repeated"
    ),
    "let in without tokens": Mutant(
        'if not kept.get("access"):\n            raise AuthError(SIGN_IN)',
        'if not kept.get("access"):\n            return',
        "test_without_tokens_nobody_is_let_in",
    ),
    "who declines is left out": exempting("OAuthConformance", "test_who_declines_is_told_so"),
}


def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "oauth", MUTANTS) == []
