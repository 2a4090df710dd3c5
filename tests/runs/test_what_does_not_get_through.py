"""A small company whose product calls accounts otherwise, and whose billing says a word that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

DAY = datetime.now(UTC).date() - timedelta(days=1)
ACCOUNTS = [f"acc_{number}" for number in range(1, 9)]
FEEDS = ("crm/accounts", "crm/identities", "billing/subscriptions", "product/events")


def write(place: Place, feed: str, name: str, columns: str, rows: list[str]) -> None:
    path = place.extracts / feed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([columns, *rows]) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("company"))
    shipped = (SEEDS / "feeds.csv").read_text().splitlines()
    seeds = place.folder / "seeds"
    seeds.mkdir()
    used = [line if line.split(",")[0] in FEEDS else line.replace("true", "false") for line in shipped]
    (seeds / "feeds.csv").write_text("\n".join(used) + "\n")
    write(
        place, "crm/accounts", "a.csv", "account_id,name,created_at",
        [f"{account},{account},2025-01-01" for account in ACCOUNTS],
    )  # fmt: skip
    subscription = "subscription_id,account_id,plan_id,status,mrr_usd,started_at,updated_at"
    write(
        place, "billing/subscriptions", "1.csv", subscription,
        [f"s{account},{account},team,active,100,2025-01-01,{DAY - timedelta(9)}" for account in ACCOUNTS],
    )  # fmt: skip
    write(
        place, "billing/subscriptions", "2.csv", subscription,
        [f"sacc_1,acc_1,team,zombie,100,2025-01-01,{DAY - timedelta(2)}"],
    )  # fmt: skip
    write(
        place, "product/events", "e.csv", "event_id,account_id,event_name,occurred_at",
        [
            f"{account}{name}{days},org_{account},{name},{DAY - timedelta(days)}"
            for account in ACCOUNTS
            for name in ("login", "report_created")
            for days in range(20)
        ],
    )  # fmt: skip
    return place


def test_ids_that_nobody_claims_block_the_feed_and_resolve_once_they_are_claimed(place: Place) -> None:
    options = (f"--seeds={place.folder / 'seeds'}", f"--as-of={DAY}")
    told = place.run(*options, status=3).stdout
    assert "blocked product/events: 320 of 320 new rows did not get through" in told
    assert "such as org_acc_1" in told
    assert "0 % (0) have ever had usage" in told
    with place.read() as con:
        assert con.execute("select count(days_since_login) from signals.sig_usage").fetchone() == (0,)
        buckets = con.execute("select distinct decision from marts.rpt_account_health").fetchall()
        assert ("decided",) not in buckets
    write(
        place, "crm/identities", "i.csv", "source,source_account_id,account_id",
        [f"product,org_{account},{account}" for account in ACCOUNTS],
    )  # fmt: skip
    told = place.run(*options).stdout
    assert "100 % (8) have ever had usage" in told
    with place.read() as con:
        assert con.execute("select distinct days_since_login from signals.sig_usage").fetchall() == [(0,)]
        found = con.execute("select account_id, decision from marts.rpt_account_health order by 1").fetchall()
        assert found[0] == ("acc_1", "undecided")  # its subscription's newest version was refused
        assert {decision for _, decision in found[1:]} == {"decided"}
        unknown = con.execute(
            "select distinct account_id from scoring.fct_signal_values "
            "where signal = 'mrr_usd' and not is_known"
        ).fetchall()
        assert unknown == [("acc_1",)]
        assert con.execute(
            "select bool_and(rows_read = rows_landed + rows_repeated + rows_rejected"
            " + rows_refused_by_checks + rows_waiting) from audit.loads where status = 'landed'"
        ).fetchone() == (True,)
