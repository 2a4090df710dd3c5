"""What people decide, through whole runs of a small company: overrides, sign-offs, spot checks, outcomes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MARCH = date(2026, 3, 1)
USED = {
    *("crm/accounts", "crm/overrides", "crm/reviews", "crm/pulses"),
    *("billing/subscriptions", "billing/payments"),
}
SETTINGS = {
    "override_days": 10,
    "outcome_days": 10,
    "sign_off_priority": 40,  # upsell stands there in the playbook that ships
    "spot_check_accounts": 7,
    "disagreement_least_answers": 7,
    "review_queue_rows": 20,
}
GROWING = [f"g{number}" for number in range(1, 9)]
QUIET = ["plain", "expires", "latest", "person", "model", "both", "open", "nobody", "reasonless", "blank"]
OVERRIDES = [
    # id, account, bucket, reason, by, at, expires
    ("o1", "plain", "watch", "known", "olga", "2026-03-05T23:59:59Z", ""),
    ("o2", "expires", "watch", "known", "olga", "2026-03-05T00:00:00Z", "2026-03-10T00:00:00Z"),
    ("o3", "latest", "at_risk", "known", "olga", "2026-03-03T09:00:00Z", "2026-05-01T00:00:00Z"),
    ("o4", "latest", "watch", "changed my mind", "omar", "2026-03-06T09:00:00Z", "2026-03-08T00:00:00Z"),
    ("o5", "person", "at_risk", "their board said so", "olga", "2026-03-05T09:00:00Z", ""),
    ("o6", "model", "healthy", "all is well", "olga", "2026-03-05T09:00:00Z", ""),
    ("o7", "both", "watch", "to be sure", "omar", "2026-03-05T09:00:00Z", ""),
    ("o8", "open", "watch", "to be sure", "omar", "2026-03-25T09:00:00Z", ""),
    ("o9", "nobody", "watch", "no subscription yet", "omar", "2026-03-05T09:00:00Z", ""),
    ("o10", "reasonless", "at_risk", "", "omar", "2026-03-05T09:00:00Z", ""),
    ("o11", "blank", "at_risk", "   ", "omar", "2026-03-05T09:00:00Z", ""),
]


def write(place: Place, feed: str, header: str, rows: Sequence[Sequence[object]], name: str = "a") -> None:
    path = place.extracts / feed / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(), *rows])


def write_seeds(place: Place) -> None:
    """The shipped reference data with the feeds and the numbers of this company."""
    seeds = place.folder / "seeds"
    seeds.mkdir()
    (seeds / "feeds.csv").write_text(
        "feed,is_used,max_age_days\n"
        + "".join(
            f"{row['feed']},{str(row['feed'] in USED).lower()},\n" for row in rows_of(SEEDS / "feeds.csv")
        )
    )
    with (seeds / "settings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["setting", "value", "unit", "description"])
        writer.writeheader()
        for row in rows_of(SEEDS / "settings.csv"):
            writer.writerow(row | {"value": SETTINGS.get(row["setting"], row["value"])})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_company(place: Place) -> None:
    accounts = [
        (account, account.title(), "own", "starter", "2025-01-01", "2025-01-01")
        for account in GROWING + QUIET
    ]
    write(place, "crm/accounts", "account_id name owner_id plan_id created_at updated_at", accounts)
    subscriptions: list[tuple[object, ...]] = [
        (f"s-{account}", account, "starter", "active", 4, 40, "2025-01-01", "2025-01-01")
        for account in GROWING + QUIET
        if account != "nobody"
    ]
    subscriptions += [
        (f"s-{account}", account, "starter", "active", 5, 50, "2025-01-01", "2026-03-02")
        for account in GROWING
    ]
    subscriptions += [
        (f"s-{account}", account, "starter", "canceled", 5, 50, "2025-01-01", "2026-03-12")
        for account in ("person", "g7", "g8")
    ]
    subscriptions.append(("s-model", "model", "free", "active", 4, 0, "2025-01-01", "2026-03-15"))
    header = "subscription_id account_id plan_id status seats mrr_usd started_at updated_at"
    write(place, "billing/subscriptions", header, subscriptions)
    payments = [(f"p{number}", "model", 10, "failed", "2026-03-01T10:00:00Z") for number in range(4)]
    write(place, "billing/payments", "payment_id account_id amount_usd status attempted_at", payments)
    header = "override_id account_id bucket reason overridden_by overridden_at expires_at"
    write(place, "crm/overrides", header, OVERRIDES)
    pulses = [
        ("u1", "plain", "own", 4, "2026-03-05T10:00:00Z"),
        ("u2", "open", "other", 4, "2026-03-05T10:00:00Z"),
    ]
    write(place, "crm/pulses", "pulse_id account_id owner_id sentiment recorded_at", pulses)
    # verdicts of everybody, whoever is drawn; sign-offs since the flags were raised on March 2, and before
    reviews = [
        (f"c-{account}", account, "2026-03-04", "spot_check", "disagree", "healthy", "omar", "2026-03-05")
        for account in GROWING
    ]
    reviews += [
        ("f1", "g1", "2026-03-02", "sign_off", "agree", "", "olga", "2026-03-03"),
        ("f2", "g2", "2026-03-01", "sign_off", "agree", "", "olga", "2026-03-03"),
        ("f3", "g3", "2026-03-02", "sign_off", "disagree", "healthy", "olga", "2026-03-03"),
        ("f4", "g4", "2026-03-02", "sign_off", "agree", "", "olga", "2026-03-11"),
    ]
    header = "review_id account_id as_of_date kind verdict bucket reviewed_by reviewed_at"
    write(place, "crm/reviews", header, reviews)


@pytest.fixture(scope="module")
def until_10th(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, dict[str, object], str]:
    """A run up to March 10: the place, what it told, and what it said."""
    place = Place(tmp_path_factory.mktemp("people"))
    write_seeds(place)
    write_company(place)
    # two of eleven overrides lack their reason: more than a tenth of the feed was refused
    days = ("--since=2026-03-01", "--as-of=2026-03-10")
    said = place.run(f"--seeds={place.folder / 'seeds'}", *days, status=3).stdout
    told: dict[str, object] = {
        "draw": place.rows("select iso_week, account_id from marts.rpt_spot_checks order by all"),
        "agreement": place.rows("select * exclude (agreed_pct) from marts.rpt_review_agreement order by all"),
        "outcomes": place.rows("select distinct outcome from marts.rpt_override_scoreboard"),
        "sign_offs": place.rows(
            "select account_id, is_signed_off, sign_off_verdict from marts.rpt_review_queue "
            "where sign_off_required order by 1"
        ),
    }
    return place, told, said


@pytest.fixture(scope="module")
def place(until_10th: tuple[Place, dict[str, object], str]) -> Place:
    """The same place after a run of the whole month."""
    place = until_10th[0]
    place.run(f"--seeds={place.folder / 'seeds'}", "--since=2026-03-01", "--as-of=2026-03-31")
    return place


def days_of(place: Place, account: str, bucket: str) -> list[int]:
    """The days of March on which the account was told in the bucket by hand."""
    return [
        day.day
        for (day,) in place.rows(
            f"select as_of_date from marts.fct_health_history where account_id = '{account}' "
            f"and is_overridden and bucket = '{bucket}' and model_bucket = 'healthy' order by 1"
        )
    ]


@pytest.mark.parametrize(
    ("account", "bucket", "first", "last"),
    [
        ("plain", "watch", 5, 14),  # ten days by the settings; on the eleventh the rules speak again
        ("expires", "watch", 5, 9),  # it ends with the day before expires_at
        ("latest", "at_risk", 3, 5),
        ("latest", "watch", 6, 7),  # and the earlier one, which would hold until May, does not come back
    ],
)
def test_an_override_holds_from_its_day_until_it_expires(
    place: Place, account: str, bucket: str, first: int, last: int
) -> None:
    assert days_of(place, account, bucket) == list(range(first, last + 1))
    told = place.rows(
        f"select count(*), min(score), count(*) filter (where bucket = model_bucket) "
        f"from marts.fct_health_history where account_id = '{account}'"
    )
    overridden = 5 if account == "latest" else last - first + 1
    assert told == [(31, 100.0, 31 - overridden)], "the score stays as it is"


def test_an_override_without_a_reason_is_refused_by_name(place: Place) -> None:
    refused = place.rows(
        "select row_number, rule, column_name from quarantine.rejected_rows "
        "where feed = 'crm/overrides' order by 1"
    )
    assert refused == [(10, "missing_required", "reason"), (11, "missing_required", "reason")]
    query = "select count(*) from marts.fct_health_history where account_id in ('reasonless', 'blank')"
    assert place.rows(f"{query} and is_overridden") == [(0,)]


def test_the_scoreboard_tells_who_was_right_also_of_accounts_that_left(place: Place) -> None:
    told = {
        row[0]: row[1:]
        for row in place.rows(
            "select account_id, model_bucket, override_bucket, outcome, outcome_date, who_was_right "
            "from marts.rpt_override_scoreboard where override_id not in ('o1', 'o2', 'o3', 'o4')"
        )
    }
    assert told == {
        "person": ("healthy", "at_risk", "churned", date(2026, 3, 12), "person"),
        "model": ("at_risk", "healthy", "downgraded", date(2026, 3, 15), "model"),
        "both": ("healthy", "watch", "stayed", None, "both"),
        "open": ("healthy", "watch", "not_known_yet", None, "open"),
        "nobody": ("healthy", "watch", "not_known_yet", None, "open"),
    }
    assert place.rows("select count(*) from marts.rpt_account_health where account_id = 'person'") == [(0,)]
    assert place.rows(
        "select not_known_because from marts.rpt_override_scoreboard where override_id = 'o9'"
    ) == [("Billing knows no subscription of the account",)]


def test_nothing_that_came_later_is_known_on_the_tenth(
    until_10th: tuple[Place, dict[str, object], str],
) -> None:
    assert until_10th[1]["outcomes"] == [("not_known_yet",)]


def test_a_week_keeps_its_draw_and_its_limit(
    place: Place, until_10th: tuple[Place, dict[str, object], str]
) -> None:
    draw = place.rows("select iso_week, account_id from marts.rpt_spot_checks order by all")
    assert draw == until_10th[1]["draw"]
    assert {week: [w for w, _ in draw].count(week) for week, _ in draw} == {"2026-W10": 7, "2026-W11": 7}
    left = "select count(*) from marts.rpt_spot_checks where account_id in ('g7', 'g8')"
    assert place.rows(left) > [(0,)], "an account that left stays drawn"


def test_disagreement_is_counted_warned_of_and_stops_nothing(
    until_10th: tuple[Place, dict[str, object], str],
) -> None:
    _, told, said = until_10th
    assert told["agreement"] == [
        ("2026-W10", 1, 7, 7, 0, 7, 100.0, True),
        ("2026-W11", 1, 7, 0, 0, 0, None, False),
        ("overall", 2, 14, 7, 0, 7, 100.0, True),
    ]
    assert "warning: people disagree with 7 of 7 spot checks (100.0 %)" in said


def test_top_flags_wait_for_a_sign_off_of_this_episode(
    until_10th: tuple[Place, dict[str, object], str],
) -> None:
    waiting = [(account, False, None) for account in GROWING if account not in ("g1", "g3")]
    assert until_10th[1]["sign_offs"] == sorted([*waiting, ("g3", False, "disagree")])
    # g1 is signed off and out of the queue; g2's sign-off was of the day before the flag, g4's comes tomorrow


def test_an_owner_whom_only_a_pulse_names_is_told_and_not_used(place: Place) -> None:
    told = place.rows(
        "select account_id, crm_value, other_value, used_source, min(as_of_date), count(*) "
        "from marts.fct_source_conflicts where field = 'owner_id' group by all"
    )
    assert told == [("open", "own", "other", "crm", MARCH + timedelta(days=4), 27)]
