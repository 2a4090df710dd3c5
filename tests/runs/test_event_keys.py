"""A company whose event ids count from 1 for each user: blocked until it names the columns of its key."""

from __future__ import annotations

import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

AS_OF = "2026-11-27"
ACCOUNTS = [f"acc_{number}" for number in range(1, 7)]
FEEDS = ("crm/accounts", "billing/subscriptions", "product/events")
NAMES = ("login", "report_created", "forecast_run", "project_created")
USERS = ("u1", "u2", "")


def write(place: Place, feed: str, name: str, *lines: str) -> None:
    path = place.extracts / feed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_events(place: Place, name: str, *rows: str) -> None:
    write(place, "product/events", name, "event_id,account_id,user_id,event_name,occurred_at", *rows)


def name_key(place: Place, key: str) -> None:
    lines = (SEEDS / "feeds.csv").read_text().splitlines()
    used = [line if line.split(",")[0] in FEEDS else line.replace("true", "false") for line in lines]
    seeds = place.folder / "seeds"
    seeds.mkdir(exist_ok=True)
    text = "\n".join(f"{line[:-1]}{key}," if line.startswith("product/events") else line for line in used)
    (seeds / "feeds.csv").write_text(text + "\n")


def events_of(place: Place) -> list[tuple[str, str, int]]:
    return place.rows(
        "select account_id, event_name, sum(events)::integer from intermediate.int_user_days"
        " group by all having sum(events) > 0 order by all"
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("keys"))
    write(
        place, "crm/accounts", "a.csv", "account_id,name,created_at",
        *(f"{account},{account},2025-01-01" for account in ACCOUNTS),
    )  # fmt: skip
    write(
        place, "billing/subscriptions", "s.csv",
        "subscription_id,account_id,plan_id,status,mrr_usd,started_at,updated_at",
        *(f"s{account},{account},team,active,100,2025-01-01,2026-11-20" for account in ACCOUNTS),
    )  # fmt: skip
    write_events(
        place,
        "e.csv",
        *(
            f"{number},{account},{user},{name},2026-11-26T0{number}:00:00Z"
            for account in ACCOUNTS
            for user in USERS
            for number, name in enumerate(NAMES, start=1)
        ),
    )
    name_key(place, "")
    return place


def test_ids_that_count_per_user_block_the_feed_until_a_key_is_named(place: Place) -> None:
    options = (f"--seeds={place.folder / 'seeds'}", f"--as-of={AS_OF}")
    said = place.run(*options, status=3).stdout
    assert "key_conflicts_in_bounds" in said
    assert "the column key of seeds/feeds.csv, such as account_id user_id event_id" in said
    name_key(place, "user_id event_id account_id")
    (place.extracts / "product/events/e.csv").rename(place.extracts / "product/events/e2.csv")
    place.run(*options)
    once = [(account, name, len(USERS)) for account in ACCOUNTS for name in sorted(NAMES)]
    assert events_of(place) == once
    assert place.rows("select min(days_since_login), max(logins_30d) from signals.sig_usage") == [(1, 3)]


def test_an_event_that_comes_again_is_known_by_the_named_key(place: Place) -> None:
    write_events(
        place,
        "later.csv",
        "1,acc_1,u1,login,2026-11-26T01:00:00Z",  # as it was
        "1,acc_1,,login,2026-11-26T01:00:00Z",
        "2,acc_2,u2,search,2026-11-26T02:00:00Z",  # one event has another name now
        "2,acc_3,u3,report_created,2026-11-26T02:00:00Z",  # another user's
    )
    place.run(f"--seeds={place.folder / 'seeds'}", f"--as-of={AS_OF}")
    counts = {(account, name): count for account, name, count in events_of(place)}
    assert counts["acc_1", "login"] == 3
    assert (counts["acc_2", "report_created"], counts["acc_2", "search"]) == (2, 1)
    assert counts["acc_3", "report_created"] == 4


def test_a_key_is_not_changed_once_events_are_counted(place: Place) -> None:
    before = events_of(place)
    seeds = place.folder / "seeds"
    for key in ("", "event_id user_id"):
        name_key(place, key)
        said = place.run(f"--seeds={seeds}", f"--as-of={AS_OF}", status=1)
        assert "feeds.csv, row 14, column key: " in said.stdout + said.stderr
        assert "put event_id account_id user_id back, or land all files in a new wareh" in said.stderr
    assert events_of(place) == before


def test_seeds_with_a_bad_key_start_no_run(place: Place) -> None:
    name_key(place, "user_id")
    said = place.run(f"--seeds={place.folder / 'seeds'}", f"--as-of={AS_OF}", status=1)
    assert "feeds.csv, row 14, column key: the key lacks event_id" in said.stdout + said.stderr
