"""The kit for books is sharp."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.planting import Mutant, survivors

MUTANTS = {
    "a number within another": Mutant(
        'if paper["for"] == order.number]',
        'if order.number in paper["for"]]',
        "test_a_number_within_another_is_another_order",
    ),
    "the first that fits": Mutant(
        "for p in usable]",
        "for p in usable[:1]]",
        "test_two_documents_are_both_named_for_a_person_to_choose",
    ),
    "noted again": Mutant(
        "if not any(sign in note for note in there):",
        "if True:",
        "test_a_repeat_files_nothing_more",
    ),
    "noted means filed": Mutant(
        '            words = {"words"',
        "            pass\n        else:\n            return paper['id'] + ' in the ledger: notes'\n"
        '        if True:\n            words = {"words"',
        "test_cut_off_anywhere_it_goes_on_where_it_was",
    ),
    "one name for all files": Mutant(
        'name = f"{record.key}-{n}-{document.name}"',
        'name = f"{n}-{document.name}"',
        "test_two_attempts_are_both_there",
    ),
    "the paper is marked": Mutant(
        '        return f"{paper',
        '        self.tools.http.post_json(f"{ORIGIN}/papers/{record.target}", {"status": "done"})\n'
        '        return f"{paper',
        "test_amounts_and_lines_stay_as_they_are",
    ),
    "whatever there is": Mutant(
        '[paper for paper in papers if paper["for"] == order.number]',
        "papers",
        "test_the_one_document_of_an_order_is_found",
    ),
    "no number is a number": Mutant(
        "        if not order.number:\n            return []\n",
        '        if not order.number:\n            return [Candidate("A", "A", "the only one")]\n',
        "test_an_order_without_a_document_finds_none",
    ),
    "what is void is found": Mutant(
        'if paper["status"] != "void"]', "]", "test_a_document_taken_back_is_no_candidate"
    ),
    "no reason for a match": Mutant(
        '"same number") for', '"") for', "test_the_one_document_of_an_order_is_found"
    ),
    "finding leaves a note": Mutant(
        'papers = self._get("papers")\n',
        'papers = self._get("papers")\n'
        "        for one in papers:\n"
        "            self.tools.http.post_json(f\"{ORIGIN}/papers/{one['id']}/notes\", {'words': 'x'})\n",
        "test_finding_changes_nothing",
    ),
    "nobody received it": Mutant(
        "{record.received_by} {', '.join(short)}",
        "{', '.join(short)}",
        "test_a_delivery_is_one_note_and_one_file",
    ),
    "a file is cut": Mutant(
        "data=content)", "data=content[:10])", "test_a_delivery_is_one_note_and_one_file"
    ),
    "all outcomes are deliveries": Mutant(
        "else record.outcome.capitalize()",
        'else "Delivered"',
        "test_every_outcome_is_recorded_in_words_of_its_own",
    ),
    "only what went well": Mutant(
        "        paper = self._get",
        '        if record.outcome not in ("succeeded", "partial"):\n            return "nothing to say here"\n'
        "        paper = self._get",
        "test_every_outcome_is_recorded_in_words_of_its_own",
    ),
    "why is left out": Mutant(
        "{said} {record.reason}", "{said}", "test_every_outcome_is_recorded_in_words_of_its_own"
    ),
    "what was short is left out": Mutant(
        " {', '.join(short)}", "", "test_a_partial_delivery_says_what_was_short"
    ),
    "late proof is another delivery": Mutant(
        'f"{record.key}{record.late_proof}"',
        "f\"{record.key}{__import__('os').urandom(4) if record.late_proof else ''}\"",
        "test_late_proof_is_a_note_and_a_file_more",
    ),
    "late proof is no news": Mutant(
        '        paper = self._get(f"papers',
        '        if record.late_proof:\n            return "it was said before"\n'
        '        paper = self._get(f"papers',
        "test_late_proof_is_a_note_and_a_file_more",
    ),
    "one record an order": Mutant(
        'f"{record.key}{record.late_proof}"',
        'f"{record.order_ref}{record.late_proof}"',
        "test_two_attempts_are_both_there",
    ),
    "one file a record": Mutant(
        "enumerate(record.documents):",
        "enumerate(record.documents[:1]):",
        "test_two_documents_are_two_files",
    ),
    "void papers take notes": Mutant(
        'if paper["status"] == "void":',
        "if False:",
        "test_a_document_that_takes_no_record_is_refused_in_a_sentence",
    ),
    "gone is a bug": Mutant(
        "        if not paper:\n",
        "        if False:\n",
        "test_a_document_that_is_gone_is_refused_in_a_sentence",
    ),
    "books that are down have nothing": Mutant(
        'papers = self._get("papers")\n',
        'try:\n            papers = self._get("papers")\n'
        "        except Exception:\n            return []\n",
        "test_books_that_do_not_answer_are_told_apart",
    ),
}


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "record_sinks", MUTANTS) == []
