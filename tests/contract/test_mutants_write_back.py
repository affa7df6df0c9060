"""The kit for sources that tell how orders fare is sharp."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.planting import Mutant, exempting, survivors

LOOKS = 'if update.key not in [event["key"] for event in there]:'
ONCE = "test_each_stage_arrives_once_however_often_it_is_told"
CUT = "test_cut_off_anywhere_it_is_finished_the_next_time"
MUTANTS = {
    "what is there is not looked for": Mutant(LOOKS, "if True:", ONCE),
    "remembered in the process": Mutant(
        LOOKS,
        "done = self.__dict__.setdefault('done', set())\n"
        "        is_new = update.key not in done\n"
        "        done.add(update.key)\n"
        "        if is_new:",
        ONCE,
    ),
    "the last step says that all is done": Mutant(
        'if order["status"] == "cancelled":',
        'if order["link"] == update.tracking_url:\n            return\n'
        '        if order["status"] == "cancelled":',
        CUT,
    ),
    "an order that is gone is nobody's business": Mutant(
        'raise Refused(f"Order {update.order_number} is no longer in the shop.")',
        "return",
        "test_an_order_that_is_gone_is_refused_in_a_sentence",
    ),
    "our own completion is a cancellation": Mutant(
        'status="cancelled" if row["status"] == "cancelled" else "open"',
        'status="cancelled" if row["status"] != "open" else "open"',
        "test_what_we_tell_never_comes_back_as_news",
    ),
    "the link is left out": Mutant(
        'if order["link"] != update.tracking_url:',
        "if False:",
        "test_the_shop_has_the_tracking_link",
    ),
    "told by stage, not by key": Mutant(
        LOOKS,
        'if words not in [event["words"] for event in there]:',
        "test_a_second_attempt_is_told_as_well",
    ),
    "one report an order": Mutant(
        'if words == "delivered" and order["status"] == "open":',
        'if words == "delivered" and order["status"] == "open" and not there:',
        "test_a_second_attempt_is_told_as_well",
    ),
    "a failure is kept to oneself": Mutant(
        "if not words:", 'if not words or update.outcome == "failed":', ONCE
    ),
    "placed is news": Mutant(
        'words = self.said.get(f"{update.stage} {update.outcome}".strip(), "")',
        'words = self.said.get(f"{update.stage} {update.outcome}".strip(), update.stage)',
        ONCE,
    ),
    "an early stage is waited for": Mutant(
        "        if update.key not in",
        '        if words == "delivered" and not there:\n            return\n'
        "        if update.key not in",
        "test_stages_that_were_left_out_are_not_missed",
    ),
    "the last that is told is true": Mutant(
        'if any(event["at"] > update.at.isoformat() for event in there):',
        "if False:",
        "test_an_older_report_after_a_newer_one_changes_nothing",
    ),
    "late proof is not shown": Mutant(
        "        if not words:\n",
        "        if not words or update.late_proof:\n",
        "test_proof_that_comes_late_is_told_once",
    ),
    "late proof is another delivery": Mutant(
        LOOKS,
        'if update.late_proof or update.key not in [event["key"] for event in there]:',
        "test_proof_that_comes_late_is_told_once",
    ),
    "gone, without a sentence": Mutant(
        'raise Refused(f"Order {update.order_number} is no longer in the shop.")',
        'raise Refused("404")',
        "test_an_order_that_is_gone_is_refused_in_a_sentence",
    ),
    "gone, without the number": Mutant(
        'raise Refused(f"Order {update.order_number} is no longer in the shop.")',
        'raise Refused(f"The shop has {update.order_ref} no more.")',
        "test_an_order_that_is_gone_is_refused_in_a_sentence",
    ),
    "a cancelled order is completed": Mutant(
        'if order["status"] == "cancelled":\n            raise Refused(f"Order {update.order_number}'
        ' was cancelled in the shop.")\n',
        'if order["status"] == "cancelled":\n            order["status"] = "open"\n',
        "test_an_order_called_off_in_the_shop_stays_so",
    ),
    "the first link for ever": Mutant(
        'if order["link"] != update.tracking_url:',
        'if not order["link"]:',
        "test_a_new_tracking_link_replaces_the_old",
    ),
    "our link comes back as an amendment": Mutant(
        'address=Address(("1 High St",)),',
        'address=Address(("1 High St",)), instructions=row["link"],',
        "test_what_we_tell_never_comes_back_as_news",
    ),
    "cancelled for a moment": Mutant(
        '            self._post(f"orders/{update.order_ref}", {"status": "done by hub"})',
        '            self._post(f"orders/{update.order_ref}", {"status": "cancelled"})\n'
        '            self._post(f"orders/{update.order_ref}", {"status": "done by hub"})',
        "test_nor_when_telling_it_was_cut_off",
    ),
    "an outage is swallowed": Mutant(
        '        self.tools.http.post_json(f"{ORIGIN}/{path}", body)',
        '        try:\n            self.tools.http.post_json(f"{ORIGIN}/{path}", body)\n'
        "        except Exception:\n            pass",
        CUT,
    ),
    "an outage is a refusal": Mutant(
        'return self.tools.http.get_json(f"{ORIGIN}/{path}")',
        "try:\n"
        '            return self.tools.http.get_json(f"{ORIGIN}/{path}")\n'
        "        except Exception as error:\n"
        '            raise Refused("The shop did not take it, so it is set aside.") from error',
        "test_a_shop_that_does_not_listen_is_told_apart",
    ),
    "late proof is left out": exempting(
        "WriteBackConformance", "test_proof_that_comes_late_is_told_once"
    ),
    "late proof is not taken": Mutant(
        "    takes_late_proof = True\n", "", "test_proof_that_comes_late_is_told_once"
    ),
}


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "write_back", MUTANTS) == []
