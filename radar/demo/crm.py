"""The CRM's feeds: accounts, people, touchpoints, and the plan with the customer."""

from __future__ import annotations

from dataclasses import dataclass

from radar.demo.company import Company, is_every, usd
from radar.demo.draws import Draws
from radar.demo.files import Value
from radar.demo.names import (
    LANGUAGES,
    MILESTONES,
    PULSE_NOTES,
    REGIONS_BY_WEIGHT,
    TIME_ZONES,
    VENDOR_DOMAIN,
    person,
)
from radar.demo.stories import PRICE_CENTS, Account, account_id, level, owner_count

_TOPIC = 2
_OWNER_TOPIC = 3
_REVIEW_TOPIC = 8
_CONTACTS = {"smb": (2, 4), "mid_market": (3, 6), "enterprise": (5, 9)}
_TOUCHES_A_YEAR = {"smb": 14.0, "mid_market": 26.0, "enterprise": 44.0}
_PULSE_EVERY_DAYS = {"smb": 60, "mid_market": 45, "enterprise": 30}
_BAD_EMAILS = ("{local}(at){domain}", "{local}", "{local}@@{domain}", "n/a")
_OVERRIDE_REASONS = {
    "at_risk": "New management reviews every vendor this quarter; usage says nothing yet.",
    "watch": "Merger announced, their headcount may shrink.",
    "healthy": "Known quiet season, contract signed for three years.",
}
_SECOND_OPINION = "healthy", "Spoke with them yesterday, all is well."


@dataclass(frozen=True, slots=True)
class People:
    """The ids of an account's contacts (the first has the role champion, if any) and its owner's id."""

    contacts: tuple[str, ...]
    owner: str | None


def owner_id(number: int) -> str:
    """The id of a customer-success rep, from 1."""
    return f"own-{number:04d}"


def write_owners(company: Company) -> None:
    """All customer-success reps; one in twenty-three has left."""
    write = company.writer("crm/owners")
    for number in range(1, owner_count(company.accounts) + 1):
        draws = Draws(company.seed, _OWNER_TOPIC, number)
        name, local = person(draws, draws.weighted(REGIONS_BY_WEIGHT))
        email = f"{local}{number if number > 9 else ''}@{VENDOR_DOMAIN}"
        is_active = not is_every(number, 23, 9)
        booking = f"https://book.{VENDOR_DOMAIN}/{local}{number if number > 9 else ''}"
        row = (owner_id(number), name, email, f"U{number:07d}DEMO", booking, is_active)
        write(0, (*row, company.at(-400, 28800)))


def write_account(company: Company, account: Account) -> People:
    """Everything that the CRM knows of one account."""
    draws = Draws(company.seed, _TOPIC, account.number)
    owner = None if is_every(account.number, 50, 31) else owner_id(account.owner)
    _write_versions(company, account, draws, owner)
    people = People(_write_contacts(company, account, draws), owner)
    _write_touchpoints(company, account, draws, people)
    _write_milestones(company, account, draws)
    _write_pulses(company, account, draws, owner)
    _write_goals(company, account, draws)
    _write_override(company, account, owner)
    _write_reviews(company, account, owner)
    _write_identities(company, account)
    return people


# --- accounts -------------------------------------------------------------------------------------


def _write_versions(company: Company, account: Account, draws: Draws, owner: str | None) -> None:
    """One row a change, in the file of its quarter; of the time before the extracts only the last state."""
    first_stage = "trial" if account.trial_days else "onboarding"
    changes: list[tuple[int, str, Value]] = [(account.created, "stage", first_stage)]
    if account.story != "trial":
        changes.append((account.created + (account.trial_days or 30), "stage", "customer"))
    if draws.chance(0.06):
        colleague = owner_id(draws.whole(1, owner_count(company.accounts)))
        changes.append((draws.whole(0, company.last), "owner_before", colleague))
    if account.canceled is not None:
        changes.append((account.canceled + draws.whole(0, 4), "stage", "churned"))
    elif is_every(account.number, 200, 150):  # a slip: its subscription lives
        changes.append((max(company.last - 10, account.created), "stage", "churned"))
    if is_every(account.number, 400, 390):
        changes.append((max(company.last - 20, account.created), "is_deleted", True))
    changes = sorted((c for c in changes if c[0] <= company.last), key=lambda change: change[0])
    moved = [(day, value) for day, what, value in changes if what == "owner_before"]
    arr_usd, plan = _arr_usd(account, draws), account.plan
    if is_every(account.number, 40, 17) and plan in {"team", "business"}:
        plan = "starter"  # the CRM does not know of the upgrade
    state: dict[str, Value] = {"stage": None, "is_deleted": False}
    has_parent = account.number > 1 and draws.chance(0.03)
    parent = account_id(draws.whole(1, account.number - 1)) if has_parent else None
    for index, (day, what, value) in enumerate(changes):
        if what in state:
            state[what] = value
        is_past = index + 1 < len(changes) and changes[index + 1][0] < 0
        if is_past:
            continue
        holder = moved[0][1] if moved and day < moved[0][0] else owner
        row = (account.account_id, account.name, account.domain, holder, account.segment, account.industry)
        rest = (account.region.country, None, parent, arr_usd, state["stage"], plan)
        times = (company.at(account.created, 32400), company.at(day, 32400 + 60 * index), state["is_deleted"])
        company.feeds["crm/accounts"].write(day, row + rest + times)


def _arr_usd(account: Account, draws: Draws) -> float | None:
    if draws.chance(0.02):
        return None
    cents = 12 * account.seats * PRICE_CENTS[account.plan]
    return usd(cents * 110 // 100 if is_every(account.number, 25, 6) else cents)


# --- people ---------------------------------------------------------------------------------------


def _write_contacts(company: Company, account: Account, draws: Draws) -> tuple[str, ...]:
    write = company.writer("crm/contacts")
    contacts = []
    for index in range(draws.whole(*_CONTACTS[account.segment])):
        contact_id = f"con-{account.number:06d}-{index + 1:02d}"
        name, local = person(draws, account.region)
        email = f"{local}{index or ''}@{account.domain}"
        if index == 1 and is_every(account.number, 100, 13):
            wrong = _BAD_EMAILS[account.number // 100 % len(_BAD_EMAILS)]
            email = wrong.format(local=local, domain=account.domain)
        role = _role(account, draws, index)
        has_consent = draws.chance(0.7)
        since = company.at(account.created, 36000 + 600 * index)
        consent_at = since if has_consent else None

        versions = [(True, since)]
        if index == 0 and account.champion_left is not None:
            versions.append((False, company.at(account.champion_left, 61200)))
        elif index > 1 and draws.chance(0.05):
            left = draws.whole(max(account.created, 0), max(account.created, company.last))
            versions.append((False, company.at(left, 61200)))
        for is_active, updated_at in versions:
            row = (contact_id, account.account_id, email, name, role, is_active, has_consent, consent_at)
            language = LANGUAGES.get(account.region.country)
            write(0, (*row, language, since, updated_at, TIME_ZONES[account.region.country]))
        contacts.append(contact_id)
    return tuple(contacts)


def _role(account: Account, draws: Draws, index: int) -> str:
    if index == 0:
        return "champion" if account.champion_left is not None or draws.chance(0.9) else "admin"
    if index == 1:
        return "sponsor" if account.champion_left is None and draws.chance(0.5) else "admin"
    return draws.weighted((("user", 70), ("admin", 10), ("other", 20)))


def _write_touchpoints(company: Company, account: Account, draws: Draws, people: People) -> None:
    write = company.writer("crm/touchpoints")
    every = 365.0 / _TOUCHES_A_YEAR[account.segment]
    day, number = max(account.created, 0) + int(every * draws.real(0, 1)), 0
    end = company.last if account.canceled is None else account.canceled
    while day <= end:
        replies = account.replies_until is None or day <= account.replies_until
        direction = "inbound" if replies and draws.chance(0.55) else "outbound"
        channel = draws.weighted((("email", 55), ("call", 25), ("meeting", 20 if replies else 0)))
        is_automated = channel == "email" and draws.chance(0.15)
        if is_automated and not replies:
            direction = "inbound"  # an out-of-office answer is no reply
        contact = draws.pick(people.contacts)
        if account.champion_left is not None and day > account.champion_left:
            contact = people.contacts[1]
        number += 1
        touchpoint = f"tp-{account.number:06d}-{number:04d}"
        moment = company.at(day, draws.whole(28800, 64800))
        what = (channel, direction, is_automated, moment)
        row = (touchpoint, account.account_id, contact, people.owner, *what)
        write(day, row)
        if is_every(account.number, 50, 21) and number == 3:
            write(day, row)  # the CRM sent it twice
        if draws.chance(0.06):
            number += 1
            note = (f"tp-{account.number:06d}-{number:04d}", account.account_id, None, people.owner)
            write(day, (*note, "note", "outbound", False, moment))
        day += 1 + int(every * draws.real(0.3, 1.7))


# --- the plan with the customer -------------------------------------------------------------------


def _write_milestones(company: Company, account: Account, draws: Draws) -> None:
    due_days = [account.created + after for after in (10, 25, 45, 75)]
    due_days += range(account.created + 120, company.last + 100, 91)
    missed = {company.last - 6 - 13 * index for index in range(account.missed_milestones)}
    plan = [day for day in due_days if day >= -90 and all(abs(day - other) > 5 for other in missed)]
    for number, due in enumerate(sorted({*plan, *missed}), start=1):
        completed = None if due in missed else _completion(company, account, draws, due)
        at = None if completed is None else company.at(completed, draws.whole(30000, 64000))
        set_at = company.at(min(max(due - 60, account.created), company.last), 30000)
        name = MILESTONES[due_days.index(due)] if due in due_days[:4] else MILESTONES[4 + number % 3]
        row = (f"ms-{account.number:06d}-{number:02d}", account.account_id, name)
        due_date = company.calendar.date(due).isoformat()
        company.feeds["crm/milestones"].write(0, (*row, due_date, at, at or set_at))


def _completion(company: Company, account: Account, draws: Draws, due: int) -> int | None:
    """The day on which a milestone was completed: mostly a little early, seldom where the mood is bad."""
    day = max(due - draws.whole(0, 12) + (4 if draws.chance(0.1) else 0), account.created)
    is_given_up = level(account.mood, due) < 0.45 and draws.chance(0.35)
    is_over = account.canceled is not None and day >= account.canceled
    return None if is_given_up or is_over or day > company.last else day


def _write_pulses(company: Company, account: Account, draws: Draws, owner: str | None) -> None:
    """The owner's own view, now and then; on a few accounts a colleague's, whom the CRM does not know."""
    if owner is None or (account.segment == "smb" and draws.chance(0.6)):
        return
    every = _PULSE_EVERY_DAYS[account.segment]
    end = company.last if account.canceled is None else account.canceled
    days = range(max(account.created, 0) + draws.whole(0, every - 1), end + 1, every)
    for number, day in enumerate(days, start=1):
        sentiment = min(max(round(1 + 4 * level(account.mood, day) + draws.real(-0.7, 0.7)), 1), 5)
        writer = owner
        if is_every(account.number, 60, 26) and owner_count(company.accounts) > 1:
            writer = owner_id(account.owner % owner_count(company.accounts) + 1)
        row = (f"pl-{account.number:06d}-{number:03d}", account.account_id, writer, sentiment)
        note = draws.pick(PULSE_NOTES[sentiment]) or None
        company.feeds["crm/pulses"].write(day, (*row, note, company.at(day, draws.whole(40000, 66000))))


def _write_goals(company: Company, account: Account, draws: Draws) -> None:
    last = company.last
    goals: list[tuple[str, int, int, int | None]] = []
    if account.story == "seasonal" and draws.chance(0.6):
        goals += [("days_since_login", 30, 0, None), ("days_since_key_feature", 200, 0, None)]
    if is_every(account.number, 50, 7):
        goals.append(("days_since_key_feature", 45, max(account.created, 0), None))
    if is_every(account.number, 100, 58):
        goals.append(("days_since_login", 7, 0, max(last - 30, 0)))
    for number, (signal, target, start, stop) in enumerate(goals, start=1):
        valid_to = None if stop is None else company.calendar.date(stop).isoformat()
        row = (f"goal-{account.number:06d}-{number}", account.account_id, signal, target)
        company.feeds["crm/goals"].write(0, (*row, company.calendar.date(start).isoformat(), valid_to))


def _write_override(company: Company, account: Account, owner: str | None) -> None:
    if not is_every(account.number, 67, 5) or account.canceled is not None:
        return
    days_ago, lasts = ((6, 30), (60, 40), (10, None), (45, None))[account.number // 67 % 4]
    bucket = ("at_risk", "watch", "healthy")[account.number // 67 % 3]
    day = max(company.last - days_ago, account.created)
    expires = None if lasts is None else company.at(day + lasts, 0)
    row = (f"ovr-{account.number:06d}", account.account_id, bucket, _OVERRIDE_REASONS[bucket])
    company.feeds["crm/overrides"].write(0, (*row, owner or owner_id(1), company.at(day, 50000), expires))


def _write_reviews(company: Company, account: Account, owner: str | None) -> None:
    """What people answered to the weekly spot checks, sign-offs, and the question how it ended."""
    draws = Draws(company.seed, _REVIEW_TOPIC, account.number)
    person, number = owner or owner_id(1), 0

    def write(day: int, kind: str, verdict: str, bucket: str | None, reason: str | None) -> None:
        nonlocal number
        number += 1
        answered = company.at(min(day + draws.whole(0, 3), company.last), draws.whole(30000, 64000))
        row = (
            f"rev-{account.number:06d}-{number:02d}",
            account.account_id,
            company.calendar.date(day).isoformat(),
        )
        company.feeds["crm/reviews"].write(
            0,
            (
                *row,
                kind,
                verdict,
                bucket,
                reason,
                None,
                None,
                None,
                None,
                None,
                None,
                person,
                answered,
                answered,
            ),
        )

    first = max(company.last - 41, 0)
    for day in range(first, company.last + 1):
        is_monday = company.calendar.date(day).weekday() == 0
        if not (is_monday and account.is_there(day) and _looks_bad(account, day) and draws.chance(0.6)):
            continue
        if draws.chance(0.1):
            write(day, "spot_check", "disagree", *_SECOND_OPINION)
        else:
            write(day, "spot_check", "agree", None, None)
    if _looks_bad(account, company.last) and account.is_there(company.last) and draws.chance(0.4):
        write(max(company.last - 1, 0), "sign_off", "agree", None, None)
    if account.canceled is not None and draws.chance(0.5):
        verdict = draws.weighted((("right", 70), ("too_early", 15), ("wrong", 15)))
        write(account.canceled, "outcome", verdict, None, None)


def _looks_bad(account: Account, day: int) -> bool:
    """Whether a rep would see trouble: nobody works any more, or the card fails."""
    has_failing_card = account.card_fails_from is not None and account.card_fails_from <= day
    return has_failing_card or level(account.activity, day) < 0.3


def _write_identities(company: Company, account: Account) -> None:
    write, number = company.writer("crm/identities"), account.number
    write(0, ("stripe", f"cus_D{number:06d}", account.account_id))
    write(0, ("zendesk", f"org-{40000 + number}", account.account_id))
    if account.segment != "smb":
        write(0, ("intercom", f"ic-{number:06d}", account.account_id))
    if number == 8:
        write(0, ("zendesk", f"org-{40000 + 7}", account.account_id))  # number 7 claims it as well
