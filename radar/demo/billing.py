"""The billing system's feeds: subscriptions with their versions, monthly invoices, payments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from radar.demo.company import Company, is_every, usd
from radar.demo.draws import Draws
from radar.demo.files import Value
from radar.demo.stories import DOWNGRADE, PAID, PRICE_CENTS, UNKNOWN_PLAN, Account, Calendar

_TOPIC = 4
_FAILURES = ("card_declined", "expired_card", "insufficient_funds", "processing_error")
_ADD_ON_CENTS = 49000
_CANCEL = "zz_cancel"
_STATUS_AFTER = {"past_due": "past_due", "pause": "paused", "resume": "active", _CANCEL: "canceled"}


@dataclass(frozen=True, slots=True)
class Invoice:
    """One issued invoice: `failed` are the days of failed attempts, `paid` the day of the payment."""

    invoice_id: str
    day: int
    cents: int
    failed: tuple[int, ...]
    paid: int | None
    is_by_transfer: bool
    status: str


@dataclass(frozen=True, slots=True)
class _State:
    """What a version of a subscription says."""

    plan: str
    status: str
    seats: int | None
    is_ending: bool = False
    canceled: int | None = None


def write_account(company: Company, account: Account) -> list[Invoice]:
    """Subscriptions, invoices and payments of one account; the invoices for whoever reminds of them."""
    if is_every(account.number, 100, 33) and account.story == "steady":
        return []  # a customer that billing does not know
    draws = Draws(company.seed, _TOPIC, account.number)
    is_monthly = draws.chance(0.5 if account.segment == "smb" else 0.15)
    history = _history(company, account, draws)
    _write_versions(company, account, draws, history, is_monthly=is_monthly)
    if account.segment == "enterprise" and account.plan in PAID and draws.chance(0.25):
        _write_add_on(company, account)
    invoices = list(_invoices(company, account, draws, history))
    for invoice in invoices:
        _write_invoice(company, account, invoice)
        _write_payments(company, account, draws, invoice)
    return invoices


def _subscription_id(account: Account) -> str:
    return f"sub-{account.number:06d}"


# --- subscriptions --------------------------------------------------------------------------------


def _history(company: Company, account: Account, draws: Draws) -> list[tuple[int, _State]]:
    """The states of the main subscription, each from its day on, up to the last day."""
    plan = UNKNOWN_PLAN if is_every(account.number, 200, 77) and account.plan in PAID else account.plan
    state = _State(plan, "active", account.seats)
    days: list[tuple[int, str]] = [(day, "seats") for day, _ in account.seat_steps]
    if account.trial_days:
        state = _State("trial", "trialing", account.seats)
        days.append((account.created + account.trial_days, "paid"))
    days += [(day, what) for day, what in _turning_points(account, draws) if day is not None]
    history = [(account.created, state)]
    factors = dict(account.seat_steps)
    for day, what in sorted(days):
        if not account.created < day <= company.last or (account.canceled or day) < day:
            continue
        state = _next_state(state, what, plan, day, factors.get(day, 1.0))
        history.append((day, state))
    return history


def _turning_points(account: Account, draws: Draws) -> Iterator[tuple[int | None, str]]:
    yield account.downgraded, "downgrade"
    if account.card_fails_from is not None:
        yield account.card_fails_from + 7, "past_due"
    if account.paused is not None:
        yield account.paused[0], "pause"
        yield account.paused[1], "resume"
    if account.canceled is not None:
        if draws.chance(0.5):
            yield account.canceled - draws.whole(5, 25), "ending"
        yield account.canceled, _CANCEL  # sorts after whatever else falls on that day


def _next_state(state: _State, what: str, plan: str, day: int, factor: float) -> _State:
    seats = state.seats or 1
    if what == "seats":
        return replace(state, seats=max(seats + 1, round(seats * factor)))
    if what == "paid":
        return state if plan == "trial" else replace(state, plan=plan, status="active")
    if what == "downgrade":
        if state.plan in DOWNGRADE:
            return replace(state, plan=DOWNGRADE[state.plan])
        return replace(state, seats=max(1, seats * 6 // 10))
    if what == "ending":
        return replace(state, is_ending=True)
    return replace(state, status=_STATUS_AFTER[what], canceled=day if what == _CANCEL else None)


def _write_versions(
    company: Company, account: Account, draws: Draws, history: list[tuple[int, _State]], *, is_monthly: bool
) -> None:
    calendar = company.calendar
    expires_on = _card_expiry(account, draws, calendar)
    stop = company.last if account.canceled is None else account.canceled - 1
    first_paid = account.created + account.trial_days
    renewals = [day for day in _boundaries(account, calendar, is_monthly, stop) if day > first_paid]
    days = {day for day, _ in history} | {day for day in renewals if day >= -31}
    if account.canceled is not None and is_every(account.number, 5, 0):
        days = {account.canceled}  # only the latest state was ever extracted
    for day in sorted(days):
        state = next(state for since, state in reversed(history) if since <= day)
        end = next(_boundaries_after(account, calendar, is_monthly, day))
        if state.status == "trialing":
            end = account.created + account.trial_days
        what = (state.plan, state.status, state.seats, usd(_mrr_cents(state)))
        row = (_subscription_id(account), account.account_id, *what)
        times = (company.at(account.created, 33000), company.at(end, 0), state.is_ending)
        canceled_at = None if state.canceled is None else company.at(state.canceled, 54000)
        updated_at = company.at(day, 54000 if state.canceled is not None else 33000)
        company.feeds["billing/subscriptions"].write(day, (*row, *times, canceled_at, expires_on, updated_at))


def _mrr_cents(state: _State) -> int:
    if state.status == "trialing":
        return 0
    return (state.seats or 0) * PRICE_CENTS.get(state.plan, PRICE_CENTS["team"])


def _card_expiry(account: Account, draws: Draws, calendar: Calendar) -> str | None:
    """The last day of the month that is printed on the card; none where the customer pays by transfer."""
    if account.plan == "free" or (account.card_fails_from is None and draws.chance(0.25)):
        return None
    day = calendar.last + draws.whole(5, 1100)
    if account.card_fails_from is not None:
        day = account.card_fails_from - 31
    on = calendar.date(day)
    return calendar.date(calendar.day(date(on.year + on.month // 12, on.month % 12 + 1, 1)) - 1).isoformat()


def _boundaries_after(account: Account, calendar: Calendar, is_monthly: bool, day: int) -> Iterator[int]:
    """The ends of the periods after a day, without end."""
    start, after = calendar.date(account.created), calendar.date(day)
    months = (after.year - start.year) * 12 + after.month - start.month
    step = 1 if is_monthly else 12
    months -= months % step
    while True:
        month = start.year * 12 + start.month - 1 + months
        boundary = calendar.day(date(month // 12, month % 12 + 1, account.billing_day))
        if boundary > day:
            yield boundary
        months += step


def _boundaries(account: Account, calendar: Calendar, is_monthly: bool, stop: int) -> Iterator[int]:
    for boundary in _boundaries_after(account, calendar, is_monthly, max(account.created, -400)):
        if boundary > stop:
            return
        yield boundary


def _write_add_on(company: Company, account: Account) -> None:
    """A second subscription without seats, priced flat, renewed every year."""
    calendar = company.calendar
    stop = company.last if account.canceled is None else account.canceled - 1
    states = [(account.created, "active")]
    states += [
        (day, "active") for day in _boundaries(account, calendar, False, stop) if day > account.created
    ]
    if account.canceled is not None:
        states.append((account.canceled, "canceled"))
    for day, status in states:
        end = next(_boundaries_after(account, calendar, False, day))
        canceled_at = company.at(day, 54000) if status == "canceled" else None
        name = f"{_subscription_id(account)}-api"
        row: tuple[Value, ...] = (name, account.account_id, "team", status, None, usd(_ADD_ON_CENTS))
        rest = (company.at(account.created, 33000), company.at(end, 0), False, canceled_at, None)
        company.feeds["billing/subscriptions"].write(day, (*row, *rest, company.at(day, 54000)))


# --- invoices and payments ------------------------------------------------------------------------


def _invoices(
    company: Company, account: Account, draws: Draws, history: list[tuple[int, _State]]
) -> Iterator[Invoice]:
    stop = company.last if account.canceled is None else min(account.canceled - 1, company.last)
    number = 0
    for day in _boundaries_after(account, company.calendar, True, max(account.created, -1)):
        if day > stop:
            return
        state = next(state for since, state in reversed(history) if since <= day)
        cents = _mrr_cents(state)
        if cents == 0 or state.status == "paused":
            continue
        number += 1
        yield _invoice(account, draws, (day, cents, number), company.last)


def _invoice(account: Account, draws: Draws, key: tuple[int, int, int], last: int) -> Invoice:
    """The fate of one invoice; `key` is its day, its amount in cents, its number."""
    day, cents, number = key
    invoice_id = f"inv-{account.number:06d}-{number:03d}"
    turn, failed = draws.real(0, 1), tuple[int, ...]()
    is_by_transfer, paid, status = False, None, "open"
    if account.card_fails_from is not None and day >= account.card_fails_from:
        failed = tuple(day + after for after in account.card_attempts)
        status = "open" if account.canceled is None else "uncollectible"
    elif turn < 0.03:
        failed, paid = (day,), day + 3
    elif turn < 0.09:
        is_by_transfer, paid = True, day + draws.whole(9, 24)
    elif turn < 0.095:
        status = "void"
    elif turn < 0.1 and day > last - 20:
        status = "draft"
    else:
        paid = day
    if paid is not None and paid > last:
        paid = None
    failed = tuple(attempt for attempt in failed if attempt <= last)
    if paid is not None:
        status = "paid"
    return Invoice(invoice_id, day, cents, failed, paid, is_by_transfer, status)


def _write_invoice(company: Company, account: Account, invoice: Invoice) -> None:
    write = company.writer("billing/invoices")
    issued = company.at(invoice.day, 21600)
    row = (invoice.invoice_id, account.account_id, _subscription_id(account), usd(invoice.cents))
    due = company.at(invoice.day + 14, 21600)
    if invoice.paid is None:
        write(invoice.day, (*row, invoice.status, issued, due, None, issued))
        return
    if invoice.paid > invoice.day:
        write(invoice.day, (*row, "open", issued, due, None, issued))  # overtaken by the next row
    paid = company.at(invoice.paid, 23400)
    write(invoice.paid, (*row, "paid", issued, due, paid, paid))


def _write_payments(company: Company, account: Account, draws: Draws, invoice: Invoice) -> None:
    write = company.writer("billing/payments")
    fields = (invoice.invoice_id, account.account_id, usd(invoice.cents))
    attempts: list[tuple[int, str]] = [(day, "failed") for day in invoice.failed]
    if invoice.paid is not None:
        attempts.append((invoice.paid, "succeeded"))
        if draws.chance(0.003) and invoice.paid + 10 <= company.last:
            attempts.append((invoice.paid + 10, "refunded"))
    is_odd = is_every(account.number, 150, 45) and invoice.invoice_id.endswith("-001")
    for number, (day, status) in enumerate(attempts, start=1):
        code = draws.pick(_FAILURES) if status == "failed" else None
        payment = f"pay-{invoice.invoice_id[4:]}-{number}"
        write(day, (payment, *fields, status, code, company.at(day, 23400)))
    if is_odd:
        odd = (f"pay-{invoice.invoice_id[4:]}-9", *fields, "pending_review", None)
        write(invoice.day, (*odd, company.at(invoice.day, 23000)))
