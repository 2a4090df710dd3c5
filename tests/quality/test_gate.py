"""What does not get through is never zero: the share that blocks a feed, and whose rows are missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from arrivals import NOW, Warehouse

from radar.cli import summary
from radar.landing.land import land
from radar.quality import gate
from radar.quality.hygiene import blocked_feeds, shortfalls

PAYMENTS, SUBSCRIPTIONS = "billing/payments", "billing/subscriptions"
PAYMENT_COLUMNS = "payment_id,account_id,amount_usd,status,attempted_at"
SUBSCRIPTION_COLUMNS = "subscription_id,account_id,plan_id,status,started_at,updated_at"


class Company:
    """Extracts that land and are checked, run by run."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse, self.folder, self.batch = warehouse, folder, 0
        self.accounts("a1")

    def put(self, name: str, columns: str, rows: Iterable[str]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([columns, *rows]) + "\n")

    def accounts(self, *names: str, deleted: str = "") -> None:
        self.put(
            "crm/accounts/accounts.csv",
            "account_id,name,created_at,updated_at,is_deleted",
            [
                f"{name},{name},2024-01-01,2025-06-0{1 + (name == deleted)},{name == deleted}"
                for name in names
            ],
        )

    def payments(self, file: str, *rows: tuple[str, str, str], first: int = 0) -> None:
        """Rows of (account, amount, status)."""
        self.put(
            f"{PAYMENTS}/{file}",
            PAYMENT_COLUMNS,
            [f"{file}{first + n},{a},{amount},{s},2025-06-29" for n, (a, amount, s) in enumerate(rows)],
        )

    def subscriptions(self, file: str, *rows: tuple[str, str, str]) -> None:
        """Rows of (subscription, status, updated_at), all of account a1."""
        self.put(
            f"{SUBSCRIPTIONS}/{file}",
            SUBSCRIPTION_COLUMNS,
            [f"{name},a1,pro,{status},2025-01-01,{at}" for name, status, at in rows],
        )

    def run(self) -> dict[str, str]:
        """Land and check once: feed -> why it is blocked."""
        self.batch += 1
        land(self.warehouse.con, self.folder, run_id=f"run{self.batch}", batch_id=self.batch, now=NOW)
        self.warehouse.check(self.batch)
        return blocked_feeds(self.warehouse.con, f"run{self.batch}")

    def missing(self, feed: str) -> list[tuple[str, ...]]:
        return self.warehouse.rows(
            "SELECT account_id, entity_key FROM quarantine.refused_keys "
            f"WHERE feed = '{feed}' AND superseded_at IS NULL ORDER BY ALL"
        )


@pytest.fixture
def company(warehouse: Warehouse, tmp_path: Path) -> Company:
    return Company(warehouse, tmp_path / "extracts")


GOOD, WAITS = ("a1", "5", "failed"), ("a2", "5", "failed")
BAD_AMOUNT, BAD_STATUS = ("a1", "1.000x", "failed"), ("a1", "5", "lost")


@pytest.mark.parametrize(
    ("lost", "good", "is_blocked"),
    [
        ([WAITS] * 2, 8, False),
        ([WAITS] * 3, 8, True),
        ([BAD_AMOUNT] * 2, 8, False),
        ([BAD_AMOUNT] * 3, 8, True),
        ([BAD_STATUS, WAITS], 8, False),
        ([BAD_AMOUNT, BAD_STATUS, WAITS], 8, True),
        ([WAITS], 1, False),
        ([BAD_AMOUNT], 1, False),
        ([WAITS] * 2, 0, True),
    ],
)
def test_more_than_a_fifth_that_did_not_get_through_blocks_the_feed(
    company: Company, lost: list[tuple[str, str, str]], good: int, is_blocked: bool
) -> None:
    company.payments("p.csv", *lost, *[GOOD] * good)
    assert (PAYMENTS in company.run()) == is_blocked
    assert len(company.warehouse.rows("FROM raw.billing_payments")) == good


def test_the_reason_names_column_example_first_row_and_remedy(company: Company) -> None:
    company.payments("p.csv", GOOD, BAD_AMOUNT, WAITS, BAD_AMOUNT)
    reason = company.run()[PAYMENTS]
    assert reason.startswith("3 of 4 new rows did not get through (75 %, the limit is 20 %): ")
    assert "1 waits for 1 account that has not arrived, such as a2 (column account_id, the first in" in reason
    assert "2 refused for wrong_type in column amount_usd (such as 1***(6), the first in" in reason
    assert f"{PAYMENTS}/p.csv row 2" in reason
    assert reason.endswith(f"What to do: {gate.REMEDY_WAITING}; or {gate.REMEDY}")


def test_rows_that_waited_open_the_feed_when_their_account_arrives(company: Company) -> None:
    company.payments("p.csv", *[WAITS] * 9, GOOD)
    assert PAYMENTS in company.run()
    assert PAYMENTS in company.run()  # nothing has changed
    company.accounts("a1", "a2")
    assert company.run() == {}
    assert company.warehouse.state(PAYMENTS, 3) == ("ok", None)
    assert len(company.warehouse.rows("FROM raw.billing_payments")) == 10


def test_a_few_good_rows_do_not_open_a_feed_that_lost_many(company: Company) -> None:
    company.payments("p.csv", *[BAD_AMOUNT] * 10)
    assert PAYMENTS in company.run()
    company.payments("q.csv", *[GOOD] * 2)
    assert PAYMENTS in company.run()
    company.payments("p.csv", *[GOOD] * 10)
    assert company.run() == {}


def test_the_same_bad_rows_again_are_not_counted_again(company: Company) -> None:
    company.payments("p.csv", *[BAD_AMOUNT] * 10)
    assert PAYMENTS in company.run()
    company.payments("p.csv", *[BAD_AMOUNT] * 10, GOOD)
    assert "10 of 11" in company.run()[PAYMENTS]


def test_a_feed_that_a_check_blocked_goes_on_to_say_which(company: Company) -> None:
    """Without new rows, and with some that are not enough."""
    company.accounts("a1", "a2")
    taken_twice = [f"p{n // 2},a{1 + n % 2},5,failed,2025-06-29" for n in range(20)]
    company.put(f"{PAYMENTS}/p.csv", PAYMENT_COLUMNS, taken_twice)
    why = company.run()[PAYMENTS]
    assert why.startswith("20 of 20 rows fail the check key_conflicts_in_bounds")
    for lost, good in ((20, 0), (20, 0), (19, 1)):
        company.payments("q.csv", *[GOOD] * good)
        reason = f"{lost} of 20 new rows did not get through ({lost * 5} %, the limit is 20 %): {why}"
        reason += f". What to do: {gate.REMEDY}"
        assert company.run()[PAYMENTS] == reason
        assert company.warehouse.state(PAYMENTS, company.batch) == ("held", reason)
        told = f"SELECT message FROM audit.checks WHERE check_name = '{gate.CHECK}' AND feed = '{PAYMENTS}'"
        assert company.warehouse.rows(f"{told} AND batch_id = {company.batch}") == [reason]


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_blank_file_blocks_a_feed_and_a_header_alone_does_not(company: Company, text: str) -> None:
    company.payments("p.csv", *[GOOD] * 5)
    assert company.run() == {}
    path = company.folder / PAYMENTS / "q.csv"
    path.write_text(text)
    (company.folder / SUBSCRIPTIONS).mkdir(parents=True)
    (company.folder / SUBSCRIPTIONS / "s.csv").write_text(f"{SUBSCRIPTION_COLUMNS}\n")
    assert set(company.run()) == {PAYMENTS}


@pytest.mark.parametrize(("bad", "is_failed"), [(1, False), (2, True)])
def test_a_tenth_refused_at_landing_fails_a_critical_check(
    company: Company, bad: int, is_failed: bool
) -> None:
    company.payments("p.csv", *[BAD_AMOUNT] * bad, *[GOOD] * (20 - bad))
    assert company.run() == {}
    assert (PAYMENTS in shortfalls(company.warehouse.con, "run1")) == is_failed
    assert company.warehouse.state(PAYMENTS) == ("ok", None)


def test_a_check_within_its_bounds_is_called_so(company: Company) -> None:
    company.payments("p.csv", BAD_STATUS, *[GOOD] * 20)
    company.run()
    failed = company.warehouse.con.execute(summary._FAILED, {"run_id": "run1"}).fetchall()
    assert [row[1:3] for row in failed] == [("status_known", "within bounds")]


def test_every_row_of_a_file_is_counted_once(company: Company) -> None:
    company.payments("p.csv", GOOD, WAITS, BAD_AMOUNT, ("a1", "-1", "lost"), *[GOOD] * 20)
    company.run()
    columns = "rows_read, rows_landed, rows_repeated, rows_rejected, rows_refused_by_checks, rows_waiting"
    load = f"SELECT {columns} FROM audit.loads WHERE feed = '{PAYMENTS}' AND batch_id ="
    assert company.warehouse.rows(f"{load} 1") == [(24, 21, 0, 1, 1, 1)]
    company.payments("p.csv", GOOD, *[BAD_STATUS] * 9, first=0)
    company.run()
    assert company.warehouse.rows(f"{load} 2") == [(10, 0, 1, 0, 9, 0)]
    quarantined = (
        "SELECT count(*), count(DISTINCT row_number) FROM quarantine.rejected_rows WHERE batch_id = 1"
    )
    assert company.warehouse.rows(quarantined) == [(3, 3)]
    assert company.warehouse.rows("SELECT count(*) FROM raw.billing_payments") == [21]


# Whose rows are missing


def test_a_refused_newest_version_is_missing_until_a_newer_one_lands(company: Company) -> None:
    company.subscriptions("1.csv", *[(f"s{n}", "active", "2025-06-01") for n in range(9)])
    company.run()
    company.subscriptions("2.csv", ("s1", "zombie", "2025-06-10"), ("s2", "active", "2025-06-10"))
    assert company.run() == {}
    assert company.missing(SUBSCRIPTIONS) == [("a1", "s1")]
    company.subscriptions("3.csv", ("s1", "active", "2025-06-05"))
    company.run()
    assert company.missing(SUBSCRIPTIONS) == [("a1", "s1")]  # an older version says nothing of the newest
    company.subscriptions("4.csv", ("s1", "canceled", "2025-06-20"))
    company.run()
    assert company.missing(SUBSCRIPTIONS) == []
    ended = "SELECT CAST(superseded_at AS VARCHAR) FROM quarantine.refused_keys"
    assert company.warehouse.rows(ended) == ["2025-06-20 00:00:00"]


def test_a_version_that_comes_again_corrected_is_as_if_it_had_not_been_refused(company: Company) -> None:
    company.subscriptions("1.csv", *[(f"s{n}", "active", "2025-06-01") for n in range(9)])
    company.run()
    company.subscriptions("2.csv", ("s1", "zombie", "2025-06-10"))
    company.run()
    company.subscriptions("2.csv", ("s1", "canceled", "2025-06-10"))
    company.run()
    times = "SELECT superseded_at = fact_at FROM quarantine.refused_keys"
    assert company.warehouse.rows(times) == [True]


def test_facts_of_an_account_are_missing_where_more_than_a_fifth_of_them_is(company: Company) -> None:
    company.accounts("a1", "a2")
    company.payments("p.csv", *[GOOD] * 20, ("a1", "x", "failed"), ("a2", "x", "failed"))
    assert company.run() == {}
    assert company.missing(PAYMENTS) == [("a2", "p.csv21")]
    company.payments("q.csv", ("a2", "5", "failed"))
    company.run()
    assert company.missing(PAYMENTS) == []


CONTACTS = "crm/contacts"
CONTACT_COLUMNS = "contact_id,account_id,role,updated_at"
FIRST, SECOND = "2025-06-01", "2025-06-10"  # when a version was made
BAD_TIME = "10.06.25 ?"


def contacts(company: Company, file: str, *versions: tuple[str, str]) -> None:
    """Versions of a contact of account a1 as (role, updated_at); one without the account is refused."""
    rows = [f"c1,{'' if role == 'bad' else 'a1'},{role},{at}" for role, at in versions]
    if versions[0][0] == "bad":
        rows.append(f"mate,a1,user,{FIRST}")  # a file of which no row is good blocks the feed
    company.put(f"{CONTACTS}/{file}", CONTACT_COLUMNS, rows)


def others(company: Company) -> None:
    """So many good rows that a refused one blocks no feed."""
    company.put(
        f"{CONTACTS}/0.csv", CONTACT_COLUMNS, [f"other{number},a1,user,{FIRST}" for number in range(9)]
    )


@pytest.mark.parametrize(
    ("good_at", "bad_at", "file", "is_missing"),
    [
        ("", "", "1.csv", False),
        ("", "", "2.csv", False),
        ("", "", "3.csv", False),
        (SECOND, SECOND, "3.csv", False),
        ("", SECOND, "3.csv", False),
        (FIRST, "", "3.csv", False),
        (FIRST, BAD_TIME, "3.csv", False),
        (FIRST, SECOND, "3.csv", True),  # an older version says nothing of the newest, however late it comes
    ],
)
def test_a_version_that_is_repeated_after_a_refused_one_is_known_again(
    company: Company, good_at: str, bad_at: str, file: str, is_missing: bool
) -> None:
    """Put back under either name, or delivered under a new one."""
    others(company)
    contacts(company, "1.csv", ("user", good_at))
    company.run()
    contacts(company, "1.csv" if file == "1.csv" else "2.csv", ("bad", bad_at))
    assert company.run() == {}
    assert company.missing(CONTACTS) == [("a1", "c1")]
    company.run()
    assert company.missing(CONTACTS) == [("a1", "c1")]  # nothing has come
    contacts(company, file, ("user", good_at))
    company.run()
    assert company.missing(CONTACTS) == ([("a1", "c1")] if is_missing else [])
    assert len(company.warehouse.rows("FROM raw.crm_contacts WHERE contact_id = 'c1'")) == 1


@pytest.mark.parametrize(
    ("good_at", "bad_at"), [("", ""), (SECOND, SECOND), ("", SECOND), (FIRST, SECOND), (FIRST, BAD_TIME)]
)
def test_a_file_with_the_good_version_and_the_bad_one_clears_nothing(
    company: Company, good_at: str, bad_at: str
) -> None:
    others(company)
    contacts(company, "1.csv", ("user", good_at))
    company.run()
    contacts(company, "2.csv", ("user", good_at), ("bad", bad_at))
    company.run()
    assert company.missing(CONTACTS) == [("a1", "c1")]
    contacts(company, "3.csv", ("user", good_at), ("bad", bad_at))
    company.run()
    assert company.missing(CONTACTS) == [("a1", "c1")]
    contacts(company, "4.csv", ("user", good_at))
    company.run()
    assert company.missing(CONTACTS) == ([] if good_at != FIRST or bad_at == BAD_TIME else [("a1", "c1")])


def test_a_repeat_amid_other_rows_clears_what_a_check_refused(company: Company) -> None:
    others(company)
    company.subscriptions("1.csv", *[(f"s{n}", "active", FIRST) for n in range(9)])
    company.run()
    company.subscriptions("2.csv", ("s1", "zombie", FIRST))
    company.run()
    assert company.missing(SUBSCRIPTIONS) == [("a1", "s1")]
    company.subscriptions("3.csv", ("s1", "active", FIRST), ("s2", "active", SECOND))
    company.run()
    assert company.missing(SUBSCRIPTIONS) == []
    ended = "SELECT superseded_at = fact_at FROM quarantine.refused_keys"
    assert company.warehouse.rows(ended) == [True]  # as if it had not been refused
    assert company.warehouse.rows("FROM control.repeated_keys") == []


@pytest.mark.parametrize("file", ["2.csv", "3.csv"])
def test_a_row_without_a_key_is_made_up_for_by_its_file_or_by_a_later_row_of_the_account(
    company: Company, file: str
) -> None:
    others(company)
    company.run()
    company.put(f"{CONTACTS}/2.csv", CONTACT_COLUMNS, [",a1,user,", f"mate,a1,user,{FIRST}"])
    assert company.run() == {}
    assert company.missing(CONTACTS) == [("a1", None)]
    company.run()
    assert company.missing(CONTACTS) == [("a1", None)]
    rows = [f"mate,a1,user,{FIRST}"] if file == "2.csv" else ["c1,a1,user,"]
    company.put(f"{CONTACTS}/{file}", CONTACT_COLUMNS, rows)
    company.run()
    assert company.missing(CONTACTS) == []


def test_a_fact_that_is_repeated_after_a_refused_one_is_known_again(company: Company) -> None:
    company.accounts("a1", "a2")
    company.payments("p.csv", *[GOOD] * 20, ("a2", "5", "failed"))
    company.run()
    company.payments("p.csv", *[GOOD] * 20, ("a2", "x", "failed"))
    company.run()
    assert company.missing(PAYMENTS) == [("a2", "p.csv20")]
    company.payments("p.csv", *[GOOD] * 20, ("a2", "5", "failed"))
    company.run()
    assert company.missing(PAYMENTS) == []


# Ids of other systems


@pytest.mark.parametrize(
    ("claims", "resolved"),
    [
        ([("product", "org_1", "a1")], ("a1",)),
        ([("product", "org_1", "a1"), ("billing", "org_1", "a1")], ("a1",)),
        ([("product", "org_1", "a1"), ("product", "org_1", "a2")], ()),
        ([("product", "org_1", "a1"), ("billing", "org_1", "a2")], ("a1",)),
        ([("billing", "org_1", "a1"), ("support", "org_1", "a2")], ()),
        ([("crm", "org_1", "old"), ("crm", "old", "a2")], ("a2",)),
        ([("product", "org_1", "nobody")], ()),
        ([("product", "org_1", "acme.com"), ("domain", "acme.com", "a1")], ("a1",)),
        ([("product", "org_1", "x.io"), ("domain", "x.io", "a1"), ("domain", "x.io", "a2")], ()),
    ],
)
def test_ids_that_one_account_claims_are_that_account(
    company: Company, claims: list[tuple[str, str, str]], resolved: tuple[str, ...]
) -> None:
    company.accounts("a1", "a2", "old", deleted="old")
    company.put(
        "crm/identities/i.csv", "source,source_account_id,account_id", [",".join(row) for row in claims]
    )
    company.put(
        "product/events/e.csv",
        "event_id,account_id,event_name,occurred_at",
        ["e1,org_1,login,2025-06-29", "e2,org_1,login,2025-06-29"],
    )
    blocked = company.run()
    found = company.warehouse.rows(
        "SELECT resolved_account_id FROM raw.account_aliases "
        "WHERE source = 'product' AND account_id = 'org_1'"
    )
    assert tuple(found) == resolved
    assert len(company.warehouse.rows("FROM raw.product_events")) == 2 * len(resolved)
    assert ("product/events" in blocked) == (not resolved)


def test_a_living_account_is_nobody_else(company: Company) -> None:
    company.accounts("a1", "a2")
    company.put("crm/identities/i.csv", "source,source_account_id,account_id", ["crm,a1,a2"])
    company.run()
    assert company.warehouse.rows("FROM raw.account_aliases") == []


def test_rows_that_waited_land_when_an_account_claims_their_id(company: Company) -> None:
    company.payments("p.csv", ("cus_1", "5", "failed"), ("cus_1", "5", "failed"))
    assert PAYMENTS in company.run()
    company.put("crm/identities/i.csv", "source,source_account_id,account_id", ["billing,cus_1,a1"])
    assert company.run() == {}
    assert company.warehouse.rows("SELECT DISTINCT account_id FROM raw.billing_payments") == ["cus_1"]


# How old the facts are


def test_the_days_of_facts_are_kept_by_the_feeds_own_times(company: Company) -> None:
    company.payments("p.csv", *[GOOD] * 3, BAD_STATUS)
    company.run()
    days = "SELECT feed, CAST(fact_date AS VARCHAR) FROM audit.fact_days"
    assert company.warehouse.rows(days) == [(PAYMENTS, "2025-06-29")]


def test_columns_that_are_misnamed_or_gone_warn_once_and_block_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    company = Company(warehouse, tmp_path / "extracts")
    row = "a1,10,succeeded,2025-06-29"
    failed = (
        "SELECT check_name, severity, message FROM audit.checks "
        f"WHERE NOT success AND feed = '{PAYMENTS}' AND batch_id = {{}} ORDER BY check_name"
    )
    found = (
        "SELECT column_name, finding, nearest_name, source_file, files FROM audit.column_findings "
        "WHERE batch_id = {} ORDER BY ALL"
    )
    company.put(f"{PAYMENTS}/1.csv", f"{PAYMENT_COLUMNS},invoice_id,a@b.test", [f"p1,{row},i,w"])
    assert company.run() == {}
    assert warehouse.rows(failed.format(1)) == []
    assert warehouse.rows(found.format(1)) == [("a***(8)", "unknown", None, f"{PAYMENTS}/1.csv", 1)]
    for name in "23":
        company.put(f"{PAYMENTS}/{name}.csv", f"{PAYMENT_COLUMNS},invoiceid", [f"p{name},{row},i"])
    assert company.run() == {}
    gone, misnamed = warehouse.rows(failed.format(2))
    assert gone[:2] == ("no_column_gone", "warning")
    assert misnamed[:2] == ("no_misnamed_column", "warning")
    assert f"invoice_id, which the files before had, is missing ({PAYMENTS}/2.csv). What to do" in gone[2]
    assert (
        "invoice_id is missing, and invoiceid resembles it "
        f"(2 files, the first {PAYMENTS}/2.csv). What to do" in misnamed[2]
    )
    assert warehouse.rows(found.format(2)) == [
        ("invoice_id", "gone", None, f"{PAYMENTS}/2.csv", 1),
        ("invoiceid", "misnamed", "invoice_id", f"{PAYMENTS}/3.csv", 2),
    ]
    assert company.run() == {}
    company.put("crm/owners/1.csv", "owner_id,name", ["o1,Ann"])
    assert company.run() == {}
    company.put(f"{PAYMENTS}/4.csv", f"{PAYMENT_COLUMNS},invoice_id", [f"p4,{row},i"])
    assert company.run() == {}
    for batch in (3, 4, 5):
        assert warehouse.rows(failed.format(batch)) == warehouse.rows(found.format(batch)) == []


def test_a_blocked_feed_reports_its_columns_once(warehouse: Warehouse, tmp_path: Path) -> None:
    company = Company(warehouse, tmp_path / "extracts")
    company.put(
        f"{PAYMENTS}/1.csv",
        f"{PAYMENT_COLUMNS},invoiceid",
        [f"p{number},unheard,10,succeeded,2025-06-29,i" for number in range(5)],
    )
    assert PAYMENTS in company.run()
    assert PAYMENTS in company.run()
    assert warehouse.rows("SELECT batch_id, column_name, finding FROM audit.column_findings") == [
        (1, "invoiceid", "misnamed")
    ]
    checks = "SELECT batch_id FROM audit.checks WHERE check_name = 'no_misnamed_column' AND NOT success"
    assert warehouse.rows(checks) == [1]
