"""docs/quickstart-your-data.md: its commands, run on files as Stripe and HubSpot export them."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.frozen import ROOT

PAGE = (ROOT / "docs" / "quickstart-your-data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh quickstart\n(.*?)```", PAGE, re.DOTALL)
COMPANIES = 12

pytestmark = pytest.mark.slow


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    """A CSV with the vendor's own headers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def exports(folder: Path) -> None:
    """Twelve companies: payments of 41002 and 41003 fail, 41004 has cancelled, 41009 pays privately.

    Stripe tries a payment again for some weeks, and each attempt is a charge.
    """
    numbers = range(1, COMPANIES + 1)
    table(
        folder / "hubspot-crm-exports-all-companies.csv",
        [
            {
                "Record ID": 41000 + number,
                "Company name": f"Company {number}",
                "Company owner": "Ada Lovelace",
                "Create Date": "2025-01-15 09:30",
                "Last Modified Date": "2026-06-29 10:00",
                "Company Domain Name": f"company{number}.example",
                "Lifecycle Stage": "Customer" if number < COMPANIES else "Lead",
                "Country/Region": "Germany",
                "Industry": "COMPUTER_SOFTWARE",
                "City": "Berlin",
            }
            for number in numbers
        ],
    )
    table(
        folder / "customers.csv",
        [
            {
                "id": f"cus_{number}",
                "Description": "",
                "Email": f"billing@company{number}.example" if number != 9 else "nine@gmail.com",
                "Name": f"Company {number}",
                "Created (UTC)": "2025-01-15 09:30",
                "Delinquent": "false",
                "Card ID": "",
                "Currency": "usd",
                "account_id (metadata)": "41009" if number == 9 else "",
            }
            for number in numbers
        ],
    )
    table(
        folder / "stripe" / "subscriptions 2026-06-30.csv",
        [
            {
                "id": f"sub_{number}",
                "Customer ID": f"cus_{number}",
                "Customer Description": "",
                "Customer Email": f"billing@company{number}.example",
                "Plan": "price_gold_monthly" if number % 2 else "price_silver_monthly",
                "Product": "prod_gold" if number % 2 else "prod_silver",
                "Quantity": 5,
                "Currency": "usd",
                "Interval": "month",
                "Amount": "40.00" if number % 2 else "15.00",
                "Status": "canceled" if number == 4 else "past_due" if number in (2, 3) else "active",
                "Created (UTC)": "2025-02-01 00:00",
                "Start (UTC)": "2025-02-01 00:00",
                "Current Period Start (UTC)": "2026-06-01 00:00",
                "Current Period End (UTC)": "2026-07-01 00:00",
                "Canceled At (UTC)": "2026-06-20 12:00" if number == 4 else "",
                "Ended At (UTC)": "2026-06-20 12:00" if number == 4 else "",
            }
            for number in range(1, COMPANIES)
        ],
    )
    table(
        folder / "unified_payments.csv",
        [
            {
                "id": f"ch_{number}_{month}",
                "Created date (UTC)": f"2026-0{month}-{number + 10} 08:00",
                "Amount": "200.00",
                "Amount Refunded": "0.00",
                "Currency": "usd",
                "Captured": "true",
                "Customer ID": f"cus_{number}",
                "Customer Email": f"billing@company{number}.example",
                "Description": "Subscription update",
                "Status": "Paid",
                "Decline Reason": "",
            }
            for month in range(1, 7)
            for number in range(1, COMPANIES)
        ]
        + [
            {
                "id": f"ch_failed_{number}_{day}",
                "Created date (UTC)": f"2026-06-{day} 08:00",
                "Amount": "200.00",
                "Currency": "usd",
                "Captured": "false",
                "Customer ID": f"cus_{number}",
                "Status": "Failed",
                "Decline Reason": "insufficient_funds",
            }
            for number, days in ((2, (14, 17, 22, 30)), (3, (20, 25)))
            for day in days
        ],
    )
    (folder / "notes.txt").write_text("not an export\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quickstart")
    exports(folder / "exports")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "RADAR_SHIPPED_SEEDS": str(ROOT / "tests" / "seeds")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def done(place: Path) -> list[subprocess.CompletedProcess[str]]:
    """The commands of the page, one after another."""
    return [shell(command, place) for command in COMMANDS]


def test_every_command_of_the_page_ends_well(done: list[subprocess.CompletedProcess[str]]) -> None:
    assert len(done) == 3
    for command in done:
        assert command.returncode == 0, command.stdout + command.stderr
        assert "Traceback" not in command.stdout + command.stderr


def test_the_first_command_ends_with_the_accounts_at_risk(
    done: list[subprocess.CompletedProcess[str]], place: Path
) -> None:
    first, _, third = done
    for line in (
        r"hubspot-crm-exports-all-companies.csv +hubspot/companies",
        r"customers.csv +stripe/customers",
        r"stripe/subscriptions 2026-06-30.csv +stripe/subscriptions",
        r"unified_payments.csv +stripe/charges",
        r"notes.txt +not taken: its type is not read",
        r"prod_silver +6 accounts|prod_silver +5 accounts",
        r"First day, 2026-06-30",
        r"The \d+ most at risk",
    ):
        assert re.search(line, first.stdout), (line, first.stdout)
    assert "Words that were not recognised" not in first.stdout
    assert "failed payment" in third.stdout
    with duckdb.connect(str(place / "my-company/published/radar.duckdb"), read_only=True) as con:
        risk = con.execute(
            "select account_id from marts.rpt_account_health where bucket <> 'healthy' order by all"
        ).fetchall()
    assert {("41002",), ("41003",)} <= set(risk)


def test_what_was_guessed_is_in_seeds_and_to_be_confirmed(
    done: list[subprocess.CompletedProcess[str]], place: Path
) -> None:
    company = place / "my-company"
    assert (company / "seeds" / "plans.csv").read_text() == (
        "plan_id,name,is_paid,rank\nprod_silver,prod_silver,true,0\nprod_gold,prod_gold,true,1\n"
    )
    feeds = (company / "seeds" / "feeds.csv").read_text()
    assert "billing/payments,true,7," in feeds
    assert "support/tickets,false,7," in feeds
    assert not (company / "seeds" / "product_events.csv").exists()
    page = (company / "CONFIRM.md").read_text()
    assert "| prod_silver | 5 accounts, 75.00 a month in the middle | paid, rank 0 |" in page
    assert "- notes.txt: its type is not read" in page


def test_the_folder_has_what_runs_it_every_day(
    done: list[subprocess.CompletedProcess[str]], place: Path
) -> None:
    company = place / "my-company"
    settings = (company / ".env.example").read_text()
    assert f"RADAR_WAREHOUSE={company}/warehouse.duckdb\n" in settings
    assert f"DAGSTER_HOME={company}/dagster\n" in settings
    assert (company / "dagster" / "dagster.yaml").read_text() == (
        ROOT / "orchestration" / "dagster.yaml"
    ).read_text()
    units = sorted((company / "systemd").iterdir())
    assert [unit.name for unit in units] == [
        f"radar-{service}-my-company.service" for service in ("daemon", "panel", "webserver")
    ]
    for text in (settings, (company / "compose.yaml").read_text(), *(unit.read_text() for unit in units)):
        assert "/opt/radar" not in text
        assert "/var/lib/radar" not in text
        assert "%i" not in text
        assert "RADAR_HOME" not in text


def test_nothing_is_overwritten(done: list[subprocess.CompletedProcess[str]], place: Path) -> None:
    before = (place / "my-company" / "CONFIRM.md").read_text()
    again = shell(COMMANDS[0], place)
    assert again.returncode == 2
    assert "there is something already" in again.stderr
    assert (place / "my-company" / "CONFIRM.md").read_text() == before


def test_without_accounts_nothing_is_written(place: Path) -> None:
    (place / "half").mkdir()
    (place / "half" / "customers.csv").write_bytes((place / "exports" / "customers.csv").read_bytes())
    none = shell(".venv/bin/radar init other --from half --yes", place)
    assert none.returncode == 1
    assert "no file of accounts was found" in none.stderr
    assert "add the companies of your CRM" in none.stderr
    assert not [path.name for path in place.iterdir() if "other" in path.name]
