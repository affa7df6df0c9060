"""Which notices this day is to bring, by the business's rules and by what truly happened.

| what happened, as the simulator knows it | who is told what | how often |
|---|---|---|
| the shop's order was answered 2xx | placed | once per order |
| a route was published with the job, or the job was put on a published one | dispatched | once |
| a driver's "on the way" was answered, and he was not there yet | on its way | each |
| the promise that the board shows for a job became another one | new time | each |
| a driver's ending was answered as applied: success | delivered | once per job |
| … as applied: failure | failed | once per job |
| a dispatcher chose what follows | next step | once per job |

The first leg of a pair tells nobody but of its failure: its recipient waits for the second.
An "on the way" is overtaken, and nobody told, when the same message of the phone ends the job
or tells of the arrival, and twenty minutes after it was tapped. Nothing here is read from what
the hub says that it sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.business import Trade
from hub.core.notice_words import suggested_texts
from hub.core.notices import Trigger
from hub.core.values import Role
from hub.demo.mailbox import Mail
from hub.demo.notebook import Key, Notebook
from hub.demo.phone import Act

Result = Mapping[str, Any]
SPECIAL = {Trigger.DELIVERED: "Order .*: (delivered|collected|done)"}


def promised(book: Notebook, number: str, trigger: Trigger) -> None:
    """Whoever waits for an order is to be told; of others' orders nothing is known here."""
    order = book.orders.get(number)
    if order is not None and (contact := order.contact(Role.RECIPIENT)) is not None:
        book.promised[contact.email, trigger] += 1


def tells_of(book: Notebook, job: Mapping[str, Any], *, failed: bool = False) -> bool:
    """Whether what happens to this job is told to anybody."""
    order = book.orders.get(job["number"])
    fetches = order is not None and order.pick_up is not None and job["kind"] == "collect"
    return failed or not fetches


def of_taps(
    book: Notebook,
    answered: Sequence[tuple[Act, Result]],
    shown: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> None:
    """What one message of a phone brings; ``shown``: job id -> the job on the phone after it."""
    within_s = suggested_texts(Trade.FRESH_FOOD)[Trigger.ON_ITS_WAY].within_s
    ended = {act.get("job_id") for act, _ in answered if act["kind"] in ("close", "arrive")}
    for act, result in answered:
        job = shown.get(act.get("job_id", ""))
        if job is None or result["result"] != "applied":
            continue
        match act["kind"]:
            case "close":
                failed = act["body"]["outcome"] == "failed"
                if tells_of(book, job, failed=failed):
                    trigger = Trigger.FAILED if failed else Trigger.DELIVERED
                    promised(book, job["number"], trigger)
            case "head_for":
                ago_s = (now - datetime.fromisoformat(act["occurred_at"])).total_seconds()
                overtaken = act["job_id"] in ended or job["state"] in ("arrived", "closed")
                if not overtaken and ago_s <= within_s and tells_of(book, job):
                    promised(book, job["number"], Trigger.ON_ITS_WAY)


def trigger_of(mail: Mail, brand: str) -> Trigger | None:
    """What a mail is about, by its subject; ``None`` for one of no rule's."""
    return next((one for one, form in _forms(brand) if form.fullmatch(mail.subject)), None)


def came(mails: Iterable[Mail], brand: str) -> Counter[Key]:
    """How often each was told what. Raises ``LookupError`` for a mail that no rule explains."""
    found: Counter[Key] = Counter()
    for mail in mails:
        trigger = trigger_of(mail, brand)
        if trigger is None:
            raise LookupError(f"No rule explains a mail to {mail.to}: {mail.subject!r}.")
        found[mail.to, trigger] += 1
    return found


def differences(wanted: Counter[Key], got: Counter[Key]) -> list[str]:
    """A sentence for each notice too few or too many."""
    return [
        f"{to} was to be told {trigger.value} {wanted[to, trigger]}×, and was {got[to, trigger]}×."
        for to, trigger in sorted(wanted.keys() | got.keys())
        if wanted[to, trigger] != got[to, trigger]
    ]


def _forms(brand: str) -> list[tuple[Trigger, re.Pattern[str]]]:
    """Every rule's subject as a pattern, the most telling first."""
    texts = suggested_texts(Trade.FRESH_FOOD)
    plain = {one: text.subject.replace("{brand}", brand) for one, text in texts.items()}
    by_words = sorted(plain, key=lambda one: -len(re.sub(r"\{\w+\}", "", plain[one])))
    last = [one for one in by_words if one not in SPECIAL] + list(SPECIAL)
    return [(one, re.compile(SPECIAL.get(one) or _pattern(plain[one]))) for one in last]


def _pattern(subject: str) -> str:
    parts = re.split(r"\{\w+\}", subject)
    return ".*".join(map(re.escape, parts)).replace(".*\\ ", "(?:.* )?", parts[0] == "")
