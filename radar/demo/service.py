"""What customers write and receive: support tickets, messages, survey answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from radar.demo.billing import Invoice
from radar.demo.company import Company, is_every
from radar.demo.crm import People
from radar.demo.draws import Draws
from radar.demo.names import (
    ANGRY_BODIES,
    CALM_BODIES,
    COMPETITOR_BODIES,
    COMPETITORS,
    SURVEY_BAD,
    SURVEY_GOOD,
    SURVEY_MIXED,
    TICKET_OPENINGS,
    TICKET_SUBJECTS,
)
from radar.demo.stories import Account, level

_TICKETS, _MESSAGES, _SURVEYS = 5, 6, 7
_CALM_PRIORITIES = (("low", 25), ("normal", 60), ("high", 13), ("urgent", 2))
_TROUBLE_PRIORITIES = (("low", 5), ("normal", 45), ("high", 35), ("urgent", 15))
_SEGMENT_LOAD = {"smb": 0.6, "mid_market": 1.0, "enterprise": 2.0}


def write_account(company: Company, account: Account, people: People, invoices: list[Invoice]) -> None:
    """Tickets, messages and survey answers of one account."""
    _write_tickets(company, account, people)
    _write_messages(company, account, people, invoices)
    _write_surveys(company, account, people)


def _end(company: Company, account: Account) -> int:
    return company.last if account.canceled is None else account.canceled


# --- tickets --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """Why a ticket is opened on that day; `sentiment` where it is not drawn from the mood."""

    day: int
    is_trouble: bool
    names_competitor: bool
    sentiment: float | None = None


def _write_tickets(company: Company, account: Account, people: People) -> None:
    draws = Draws(company.seed, _TICKETS, account.number)
    for number, drawn in enumerate(_cases(company, account, draws), start=1):
        is_out_of_range = number == 1 and is_every(account.number, 80, 19)
        case = replace(drawn, sentiment=7.5) if is_out_of_range else drawn
        ids = (f"tkt-{account.number:06d}-{number:04d}", account.account_id, draws.pick(people.contacts))
        _write_ticket(company, account, draws, ids, case)


def _cases(company: Company, account: Account, draws: Draws) -> Iterator[_Case]:
    end = _end(company, account)
    load = account.tickets_a_year * (1 if account.quick_support else _SEGMENT_LOAD[account.segment])
    calm = 365.0 / load
    last_word = None if account.trouble_from is None else max(end - draws.whole(3, 20), 0)
    day = max(account.created, 0) + int(calm * draws.real(0, 1))
    while day <= end:
        is_trouble = account.trouble_from is not None and day >= account.trouble_from
        if last_word is not None and last_word <= day:
            yield _Case(last_word, is_trouble=True, names_competitor=True)
            last_word = None
        if is_trouble or level(account.activity, day) > 0:  # who does not use it has no questions
            yield _Case(day, is_trouble, is_trouble and draws.chance(0.2))
        day += 1 + int((7.0 if is_trouble else calm) * draws.real(0.3, 1.7))
    if last_word is not None:
        yield _Case(last_word, is_trouble=True, names_competitor=True)


def _write_ticket(
    company: Company, account: Account, draws: Draws, ids: tuple[str, str, str], case: _Case
) -> None:
    mood = 0.15 if case.is_trouble else level(account.mood, case.day)
    sentiment = round(min(max(1.6 * (mood - 0.5) + draws.real(-0.3, 0.3), -1), 1), 2)
    if case.sentiment is not None:
        sentiment = case.sentiment
    body = f"{draws.pick(TICKET_OPENINGS)}\n\n{draws.pick(ANGRY_BODIES if mood < 0.4 else CALM_BODIES)}"
    if case.names_competitor:
        body += "\n" + draws.pick(COMPETITOR_BODIES).format(name=draws.pick(COMPETITORS))
    priority = draws.weighted(_TROUBLE_PRIORITIES if case.is_trouble else _CALM_PRIORITIES)
    text = (priority, sentiment, draws.pick(TICKET_SUBJECTS), body)

    write, local = company.writer("support/tickets"), _local_times(company, account)
    opened, first, resolved = _course(company, account, draws, case)
    times = (local(opened), None if first is None else local(first))
    if resolved is None:
        status, changed = ("open", opened) if first is None else ("pending", first)
        write(changed // 86400, (*ids, status, *text, *times, None, local(changed)))
        return
    if draws.chance(0.04):  # an earlier state, overtaken by the next row
        write(case.day, (*ids, "open", *text, local(opened), None, None, local(opened)))
    write(resolved // 86400, (*ids, "resolved", *text, *times, local(resolved), local(resolved)))


def _course(
    company: Company, account: Account, draws: Draws, case: _Case
) -> tuple[int, int | None, int | None]:
    """When a ticket was opened, first answered and resolved (seconds since day 0), as far as it has come."""
    opened = case.day * 86400 + draws.whole(21600, 68400)
    resolved = opened + _resolution_seconds(account, draws, case.is_trouble)
    first = opened + int((resolved - opened) * draws.real(0.05, 0.5))
    now = (company.last + 1) * 86400
    is_stuck = case.is_trouble and case.day > company.last - 40 and draws.chance(0.4)
    return opened, first if first < now else None, resolved if resolved < now and not is_stuck else None


def _resolution_seconds(account: Account, draws: Draws, is_trouble: bool) -> int:
    if is_trouble:
        hours = draws.real(60, 260)
    elif account.quick_support or draws.chance(0.3):
        hours = draws.real(0.7, 20)
    else:
        hours = draws.real(20, 130)
    return int(3600 * hours)


class _local_times:  # noqa: N801 - used as a function
    """Seconds since day 0 as the support tool writes them: local time with its offset."""

    def __init__(self, company: Company, account: Account) -> None:
        self._zero = datetime.combine(company.calendar.first, datetime.min.time(), UTC)
        self._zone = timezone(timedelta(minutes=account.region.utc_offset_minutes))

    def __call__(self, second: int) -> str:
        return (self._zero + timedelta(seconds=second)).astimezone(self._zone).isoformat()


# --- messages -------------------------------------------------------------------------------------


def _write_messages(company: Company, account: Account, people: People, invoices: list[Invoice]) -> None:
    draws = Draws(company.seed, _MESSAGES, account.number)
    write, calendar = company.writer("comms/messages"), company.calendar
    number = 0
    for day, kind, invoice in sorted(_sendings(company, account, draws, invoices)):
        if not 0 <= day <= _end(company, account):
            continue
        number += 1
        mood = level(account.mood, day)
        sent = draws.whole(25200, 61200)
        opened, clicked = _reaction(draws, kind, mood, is_ignored=account.card_fails_from is not None)
        is_gone = draws.chance(0.003) and opened
        times = [
            calendar.at(day, sent + delay)
            if happens and day * 86400 + sent + delay < calendar.days * 86400
            else None
            for happens, delay in ((opened, draws.whole(60, 90000)), (clicked, 90600), (is_gone, 90900))
        ]
        head = (
            f"msg-{account.number:06d}-{number:04d}",
            account.account_id,
            draws.pick(people.contacts),
            kind,
        )
        sent_at = calendar.at(day, sent)
        row = (*head, invoice or None, sent_at, *times, next((time for time in times[::-1] if time), sent_at))
        write(day, row)


def _sendings(
    company: Company, account: Account, draws: Draws, invoices: list[Invoice]
) -> Iterator[tuple[int, str, str]]:
    """Day, kind and invoice of every message, in no order."""
    start = account.created
    for after in (0, 2, 5, 9, 14):
        yield start + after, "onboarding", ""
    first = max(start, 0)
    for kind, every in (("newsletter", 30), ("feature", 30), ("survey", 150)):
        for day in range(first + draws.whole(0, every - 1), company.last + 1, every):
            yield day, kind, ""
    for invoice in invoices:
        if invoice.failed:
            # One in ten reminders does not say which invoice it is about.
            yield invoice.day + 2, "billing_reminder", "" if draws.chance(0.1) else invoice.invoice_id
        elif invoice.is_by_transfer:
            yield invoice.day + 7, "billing_reminder", invoice.invoice_id


def _reaction(draws: Draws, kind: str, mood: float, *, is_ignored: bool) -> tuple[bool, bool]:
    """Whether a message is opened, and whether it is clicked."""
    if kind == "billing_reminder":
        opened = draws.chance(0.3 if is_ignored else 0.9)
        return opened, opened and not is_ignored and draws.chance(0.9)
    opened = draws.chance((0.85 if kind == "onboarding" else 0.6) * mood)
    return opened, opened and draws.chance(0.35)


# --- surveys --------------------------------------------------------------------------------------


def _write_surveys(company: Company, account: Account, people: People) -> None:
    draws = Draws(company.seed, _SURVEYS, account.number)
    write = company.writer("feedback/surveys")
    end, number = _end(company, account), 0
    for kind, every, answers in (("nps", 120, 0.6), ("csat", 75, 0.5), ("ces", 150, 0.3)):
        for asked in range(max(account.created, 0) + draws.whole(0, every - 1), end + 1, every):
            mood = level(account.mood, asked)
            if level(account.activity, asked) == 0 or not draws.chance(answers):
                continue
            day = min(asked + draws.whole(0, 3), end)
            number += 1
            score = _score(draws, kind, mood)
            if kind == "nps" and is_every(account.number, 130, 64):
                score = 11
            comment = _comment(draws, mood, day, account)
            head = (f"rsp-{account.number:06d}-{number:03d}", account.account_id, draws.pick(people.contacts))
            write(day, (*head, kind, score, comment, company.at(day, draws.whole(25200, 72000))))


def _score(draws: Draws, kind: str, mood: float) -> int:
    low, high = (0, 10) if kind == "nps" else (1, 5)
    return min(max(round(low + (high - low) * (mood + draws.real(-0.15, 0.25))), low), high)


def _comment(draws: Draws, mood: float, day: int, account: Account) -> str | None:
    texts = SURVEY_GOOD if mood > 0.65 else SURVEY_MIXED if mood > 0.4 else SURVEY_BAD
    comment = draws.pick(texts)
    if account.trouble_from is not None and day >= account.trouble_from:
        comment = f"{comment} We also look at {draws.pick(COMPETITORS).upper()}.".strip()
    return comment or None
