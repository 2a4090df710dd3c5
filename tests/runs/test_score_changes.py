"""The change of a score in five parts, through whole runs of a small company."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from radar.core.runs import utc_now
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place, radar

pytestmark = pytest.mark.slow

PARTS = ("behaviour", "new_data", "late_data", "rule_change", "coverage")
USED = {"crm/accounts": "", "product/events": "3", "billing/payments": ""}
ACCOUNTS = ("plain", "late", "late_and_plain", "first_payments", "quiet", "busy", "same_day")

FAMILIES = ("usage", "adoption", "support", "billing", "comms", "relationship", "value", "sentiment")

Changes = dict[str, dict[str, float]]


def write(place: Place, feed: str, name: str, header: str, rows: Sequence[Sequence[object]]) -> None:
    path = place.extracts / feed / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(), *rows])


def write_events(place: Place, name: str, days: dict[str, date]) -> None:
    """A login of each account on its day; the event ids start with the name of the file."""
    rows = [(f"{name}-{account}", account, "login", f"{day}T00:00:00Z") for account, day in days.items()]
    write(place, "product/events", name, "event_id account_id event_name occurred_at", rows)


def changes_on(place: Place, day: date) -> Changes:
    """The parts of the day that are not 0, by account."""
    rows = place.rows(
        f"select account_id, {', '.join(PARTS)} from marts.fct_score_changes where as_of_date = '{day}'"
    )
    return {
        account: {part: value for part, value in zip(PARTS, parts, strict=True) if value}
        for account, *parts in rows
    }


class Company:
    """Four runs, the first over six days; the changes that each told of its newest day."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self.seeds = SeedFolder(folder / "seeds")
        self.today = utc_now().date()
        self.told: dict[str, Changes] = {}
        self.differing: dict[str, int] = {}
        self.seeds.write(
            "feeds",
            [
                row | {"is_used": str(row["feed"] in USED).lower(), "max_age_days": USED.get(row["feed"], "")}
                for row in self.seeds.rows("feeds")
            ],
        )

    def day(self, number: int) -> date:
        """A day counted from today."""
        return self.today + timedelta(days=number)

    def run(self, number: int, *options: str, status: int = 0) -> Changes:
        """A run as of that day, and the changes that it told."""
        self.place.run(f"--seeds={self.seeds.folder}", f"--as-of={self.day(number)}", *options, status=status)
        return changes_on(self.place, self.day(number))


def differing_signals(company: Company, family: str) -> int:
    """Rows of the rechecked day, yesterday, that are not as they were told, of accounts without late data."""
    told = f"from signals.sig_{family} where as_of_date = '{company.day(-1)}' and account_id <> 'late'"
    ((rows, differing),) = company.place.rows(
        f"select (select count(*) {told}), (select count(*) from"
        f" (select * {told} except select * from intermediate.sig_{family}__restated))"
    )
    assert rows == len(ACCOUNTS) - 1
    return int(differing)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    made = Company(tmp_path_factory.mktemp("changes"))
    place, day = made.place, made.day
    created = [(account, account, "2025-01-01T00:00:00Z") for account in ACCOUNTS]
    write(place, "crm/accounts", "a", "account_id name created_at", created)
    key_feature = [
        (f"k-{account}", account, "report_created", f"{day(-10)}T00:00:00Z") for account in ACCOUNTS
    ]
    write(place, "product/events", "k", "event_id account_id event_name occurred_at", key_feature)
    logins = {account: day(-40) for account in ACCOUNTS}
    write_events(place, "e", logins | {"plain": day(-14), "late_and_plain": day(-15), "busy": day(-1)})
    made.told["first"] = made.run(-1, f"--since={day(-6)}")
    # a login of before the last told day, another of the next day, and payments for the first time
    write_events(place, "l", {"late": day(-3), "late_and_plain": day(0)})
    payments = [("p1", "first_payments", 10, "failed", f"{day(-1)}T10:00:00Z")]
    write(place, "billing/payments", "p", "payment_id account_id amount_usd status attempted_at", payments)
    made.told["causes"] = made.run(0)
    made.differing = {family: differing_signals(made, family) for family in FAMILIES}
    # the day that was told last is today, and not over
    write_events(place, "s", {"same_day": day(0)})
    rules = made.seeds.rows("rules")
    made.seeds.write(
        "rules",
        [row | {"points": "-25"} if row["rule_id"] == "no_login_14d" else row for row in rules],
    )
    made.told["rules"] = made.run(1)
    made.told["stale"] = made.run(3, "--force-day")
    return made


def test_a_plain_day_is_behaviour_and_late_events_and_a_first_feed_are_not(company: Company) -> None:
    assert company.told["causes"] == {
        "plain": {"behaviour": -20},
        "late": {"late_data": 20},
        "late_and_plain": {"behaviour": 20},
        "first_payments": {"new_data": -15},
    }


def test_a_rule_change_is_never_a_change_of_the_customer(company: Company) -> None:
    same_day = {"same_day": {"rule_change": -5, "behaviour": 25}}
    assert company.told["rules"] == same_day | {
        account: {"rule_change": -5} for account in ("plain", "quiet", "first_payments")
    }


def test_a_feed_that_goes_stale_is_coverage(company: Company) -> None:
    assert company.told["stale"] == {
        account: {"coverage": 25} for account in ("plain", "quiet", "first_payments")
    }


def test_a_day_rechecked_without_late_data_has_the_signals_that_were_told(company: Company) -> None:
    assert company.differing == dict.fromkeys(FAMILIES, 0)


ANY_PAIR = """
    with told as (select account_id, as_of_date, score from marts.fct_health_history)

    select
        count(*),
        count(*) filter (where later.score - earlier.score <> 0),
        count(*) filter (where later.score - earlier.score <> coalesce(parts.total, 0))
    from told as earlier
    join told as later on later.account_id = earlier.account_id and later.as_of_date > earlier.as_of_date
    left join lateral (
        select sum(behaviour) + sum(new_data) + sum(late_data) + sum(rule_change) + sum(coverage) as total
        from marts.fct_score_changes as changes
        where changes.account_id = earlier.account_id
            and changes.as_of_date > earlier.as_of_date and changes.as_of_date <= later.as_of_date
    ) as parts on true
"""


def test_the_parts_between_any_two_told_days_are_the_whole_difference(company: Company) -> None:
    ((pairs, changed, wrong),) = company.place.rows(ANY_PAIR)
    assert pairs == len(ACCOUNTS) * 9 * 8 / 2
    assert changed > 20
    assert wrong == 0


def test_the_reasons_are_the_evidence_of_the_ledger(company: Company) -> None:
    day, before = company.day(0), company.day(-1)
    said = dict(
        company.place.rows(
            f"select account_id, reasons from marts.fct_score_changes where as_of_date = '{day}'"
        )
    )
    assert said["plain"] == "No login for 14 days (limit 14) (-20 points)"
    assert said["late"] == "Late data: No longer so: No login for 39 days (limit 14) (-20 points)"
    assert said["first_payments"] == "New data: 1 failed payment in 30 days (-15 points)"
    text = radar("explain", "late", f"--as-of={day}", f"--published={company.place.published}").stdout
    assert f"Since {before}: +20 (late data +20): {said['late']}" in text


def test_history_and_signals_of_the_rechecked_day_stand_as_they_were_told(company: Company) -> None:
    day = company.day(-1)
    told = f"select score from marts.fct_health_history where account_id = 'late' and as_of_date = '{day}'"
    signals = (
        f"select days_since_login from signals.sig_usage where account_id = 'late' and as_of_date = '{day}'"
    )
    assert company.place.rows(told) == [(80,)]
    assert company.place.rows(signals) == [(39,)]


def test_a_past_day_told_anew_changes_the_row_of_the_day_after_it_too(company: Company) -> None:
    """Runs last: it changes the place."""
    company.run(-1, status=3)  # nothing leaves for a day that is not the newest
    row = (
        "select compared_with, score_before, score_after from marts.fct_score_changes"
        f" where account_id = 'late' and as_of_date = '{company.day(0)}'"
    )
    assert company.place.rows(row) == []
    with duckdb.connect(str(company.place.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(row).fetchall() == []
    assert changes_on(company.place, company.day(-1))["late"] == {"rule_change": -5, "late_data": 25}
    assert company.place.rows(ANY_PAIR)[0][2] == 0
