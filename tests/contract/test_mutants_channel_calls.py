"""The kits for carriers that are paid by the message, and that pass on answers, are sharp."""

from __future__ import annotations

from pathlib import Path

from tests.contract.planting import Mutant, survivors

COST = 'return Cost(parts, parts * 50_000, "EUR")'
REPLY = 'return Reply(told["from"], told["text"])'
BELIEVED = "test_an_answer_is_believed_only_if_it_is_the_carriers"
WHO = "test_an_answer_says_who_and_what"
MUTANTS = {
    "no parts": Mutant(
        COST, 'return Cost(0, 0, "EUR")', "test_a_cost_is_whole_parts_and_whole_millionths"
    ),
    "a price in floats": Mutant(
        COST,
        'return Cost(parts, parts * 0.05, "EUR")',
        "test_a_cost_is_whole_parts_and_whole_millionths",
    ),
    "a figure alone": Mutant(
        COST, "return parts * 50_000", "test_a_cost_is_whole_parts_and_whole_millionths"
    ),
    "no currency": Mutant(
        COST,
        "return Cost(parts, parts * 50_000)",
        "test_what_costs_something_says_in_which_currency",
    ),
    "the second part is free": Mutant(
        COST,
        'return Cost(parts, 50_000, "EUR")',
        "test_a_longer_message_is_never_cheaper_and_a_part_has_one_price",
    ),
    "counting sends": Mutant(
        COST, f"self.send(message)\n        {COST}", "test_asking_for_a_cost_sends_nothing"
    ),
    "the number loses its plus": Mutant(
        REPLY, 'return Reply(told["from"].lstrip("+"), told["text"])', WHO
    ),
    "only ASCII comes through": Mutant(
        REPLY, 'return Reply(told["from"], told["text"].encode("ascii", "ignore").decode())', WHO
    ),
    "a wish of its own": Mutant(REPLY, 'return Reply(told["from"], told["text"], "quit")', WHO),
    "any answer is believed": Mutant(
        'if not hmac.compare_digest(right, request.headers.get("x-sign", "")):',
        "if False:",
        BELIEVED,
    ),
    "another error": Mutant(
        'raise BadSignature("This answer is not from the carrier.")',
        'raise ValueError("This answer is not from the carrier.")',
        BELIEVED,
    ),
    "an answer nobody can read": Mutant(
        '    reaches = "phone"\n',
        '    reaches = "phone"\n    answer = (None, "")\n',
        "test_a_carrier_is_answered_in_something_it_can_read",
    ),
}


def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "channel_calls", MUTANTS) == []
