"""A company that bills in several currencies, from its files to what readers get, with rates and without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

DAY = datetime.now(UTC).date() - timedelta(days=1)
BEGAN, CHANGED = DAY - timedelta(days=200), DAY - timedelta(days=20)
USED = ("crm/accounts", "billing/invoices", "billing/payments", "billing/subscriptions")
INVOICES = "invoice_id,account_id,amount_usd,currency,status,issued_at"
SUBSCRIPTIONS = (
    "subscription_id,account_id,plan_id,status,seats,mrr_usd,currency,started_at,current_period_end,"
    "updated_at"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("company"))
    (place.folder / "seeds").mkdir()
    shipped = (SEEDS / "feeds.csv").read_text().splitlines()
    used = [line if line.split(",")[0] in USED else line.replace("true", "false") for line in shipped]
    write(place.folder / "seeds/feeds.csv", *used)
    accounts = [f"{name},{name},2025-01-01,500,EUR" for name in ("dollar", "euro", "franc", "moved", "less")]
    write(place.extracts / "crm/accounts/a.csv", "account_id,name,created_at,arr_usd,currency", *accounts)
    lines = [
        f"i1,euro,100,eur,open,{DAY}",
        f"i2,dollar,100,USD,open,{DAY}",
        f"i3,dollar,100,,open,{DAY}",
        f"i4,franc,30.50,CHF,open,{CHANGED}",
        f"i5,franc,20,CHF,open,{DAY}",
        f"i6,dollar,7,Euro,open,{DAY}",
    ]
    write(place.extracts / "billing/invoices/i.csv", INVOICES, *lines)
    attempted = f"p1,i1,euro,100,EUR,succeeded,{DAY}"
    payments = "payment_id,invoice_id,account_id,amount_usd,currency,status,attempted_at"
    write(place.extracts / "billing/payments/p.csv", payments, attempted)
    ends = DAY + timedelta(days=40)
    states = [
        ("dollar", 10, "USD", BEGAN),
        ("euro", 10, "EUR", BEGAN),
        ("franc", 10, "CHF", BEGAN),
        ("moved", 10, "EUR", BEGAN),
        ("moved", 10, "USD", CHANGED),
        ("less", 10, "EUR", BEGAN),
        ("less", 9, "EUR", CHANGED),
    ]
    lines = [
        f"s_{name},{name},free,active,3,{mrr},{currency},{BEGAN},{ends},{since}"
        for name, mrr, currency, since in states
    ]
    write(place.extracts / "billing/subscriptions/s.csv", SUBSCRIPTIONS, *lines)
    return place


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def published(place: Place, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


def signal(place: Place, name: str) -> dict[str, float | None]:
    """The signal's value of each account on the day; accounts of which it is not known are left out."""
    query = f"select account_id, value from scoring.fct_signal_values where signal = '{name}' and is_known"
    return dict(published(place, f"{query} and as_of_date = '{DAY}'"))  # type: ignore[arg-type]


def test_an_amount_without_a_rate_is_unknown_and_named_until_its_rate_is_there(place: Place) -> None:
    options = (f"--seeds={place.folder / 'seeds'}", f"--as-of={DAY}")
    unknown = "select feed, currency, amounts, amount, first_date from marts.rpt_unknown_amounts order by all"
    said = place.run(*options).stdout
    assert place.rows(
        "select invoice_id, cast(amount_usd as double), currency from raw.billing_invoices order by 1"
    ) == [
        ("i1", 100, "EUR"),
        ("i2", 100, "USD"),
        ("i3", 100, None),
        ("i4", 30.5, "CHF"),
        ("i5", 20, "CHF"),
        ("i6", 7, "XXX"),
    ]
    assert "billing/invoices: 1 value refused, currency wrong_type, such as E***(4)" in said
    assert (
        f"  warning: billing/invoices: 2 amounts from {CHANGED} on, 50.50 CHF in all, are not known in USD"
        f" (marts.rpt_unknown_amounts). What to do: add a rate for CHF that is valid from {CHANGED} or"
        " earlier to seeds/fx_rates.csv\n"
    ) in said
    assert (
        f"  warning: billing/invoices: 1 amount from {DAY} on, 7.00 XXX in all, is not known in USD"
        " (marts.rpt_unknown_amounts). What to do: correct the currency of these rows in the source,"
        " and send them again\n"
    ) in said
    without_rates = [
        ("billing/invoices", "CHF", 2, 50.5, CHANGED),
        ("billing/invoices", "EUR", 1, 100, DAY),
        ("billing/invoices", "XXX", 1, 7, DAY),
        ("billing/payments", "EUR", 1, 100, DAY),
        ("billing/subscriptions", "CHF", 1, 10, BEGAN),
        ("billing/subscriptions", "EUR", 4, 39, BEGAN),
        ("crm/accounts", "EUR", 5, 2500, datetime(2025, 1, 1).date()),
    ]
    assert published(place, unknown) == without_rates
    assert signal(place, "mrr_usd") == {"dollar": 10, "moved": 10}
    assert signal(place, "is_downgraded_90d") == {"dollar": 0, "euro": 0, "franc": 0, "less": 1}
    assert len(signal(place, "days_to_renewal")) == 5
    arr = "select account_id, arr_usd from marts.rpt_account_health order by 1"
    assert published(place, arr) == [
        ("dollar", 120),
        ("euro", None),
        ("franc", None),
        ("less", None),
        ("moved", 120),
    ]

    # its rates come, and no file: an early one for what began then, and another one since the change
    write(
        place.folder / "seeds/fx_rates.csv",
        "currency,valid_from,usd_per_unit",
        f"EUR,{BEGAN},1.5",
        f"eur,{CHANGED},2",
    )
    said = place.run(*options).stdout
    assert " EUR in all" in said  # the CRM's, from before the first rate
    assert published(place, unknown) == [
        line for line in without_rates if line[1] != "EUR" or line[0] == "crm/accounts"
    ]
    assert signal(place, "mrr_usd") == {"dollar": 10, "euro": 15, "less": 13.5, "moved": 10}
    assert signal(place, "is_downgraded_90d") == {"dollar": 0, "euro": 0, "franc": 0, "less": 1, "moved": 1}
    assert dict(published(place, arr))["euro"] == 180
    facts = "select fact_id, amount_usd from marts.rpt_account_facts where kind = 'invoice' order by 1"
    assert published(place, facts) == [
        ("i1", 200),
        ("i2", 100),
        ("i3", 100),
        ("i4", None),
        ("i5", None),
        ("i6", None),
    ]
