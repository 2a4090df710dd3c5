"""Portfolio, Quality, Rules and Audit: the numbers are the copy's, and nobody sees accounts of others."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.published_db import EarlierCopyError, PublishedDatabase
from radar.panel.read_model import ReadModel
from radar.panel.settings import PanelSettings
from radar.rules.page import page as rules_page
from tests.frozen import SEEDS
from tests.panel.people import Owners
from tests.panel.republished_copy import LIVE, publish_again
from tests.runs.radar_run import Place

Ask = Callable[[str], str]
PATHS = ("/portfolio", "/quality", "/quality/signals", "/rules", "/rules?set=snapshot_v1", "/audit")
FILES = (
    *(f"/portfolio?format=csv&part={part}" for part in ("accounts", "buckets", "moves", "factors", "parts")),
    *(
        f"/quality?format=csv&part={part}"
        for part in ("agreement", "weeks", "decisions", "feeds", "refused", "columns", "checks", "runs")
    ),
    "/rules?format=csv",
    "/rules?set=snapshot_v1&format=csv&part=differences",
    "/audit?format=csv",
)
WITHOUT_A_COLUMN = (
    "create table main.earlier as select * exclude (newest_fact_date) from marts.rpt_missing_data",
    "drop view marts.rpt_missing_data",
    "create table marts.rpt_missing_data as from main.earlier",
)
"""What an earlier release published: no `newest_fact_date`, which the look-up file is drawn from."""


@pytest.fixture(scope="module")
def published(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_again(demo_run, tmp_path_factory.mktemp("told"))


@pytest.fixture(scope="module")
def clients(
    published: Path, owners: Owners, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, TestClient]]:
    """A client for each role, and one of a rep without accounts."""
    yield from signed_in(published, owners, tmp_path_factory.mktemp("store") / "panel.sqlite")


def signed_in(published: Path, owners: Owners, store_file: Path) -> Iterator[dict[str, TestClient]]:
    app = create_app(PanelSettings(published=published, store=store_file, stale_days=100_000))
    people = {
        "rep": ("rep", [owners.rep]),
        "lead": ("lead", owners.team),
        "admin": ("admin", []),
        "idle": ("rep", ["nobody"]),
    }
    made = {}
    for name, (role, ids) in people.items():
        users.add(app.state.store, name, role, ids, None)  # type: ignore[arg-type]
        found = users.find(app.state.store, name)
        assert found
        made[name] = TestClient(app, base_url="https://testserver", follow_redirects=False)
        made[name].cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(scope="module")
def told(
    published: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """What the copy says, asked of another file: in one process a file opens in one way alone."""
    file = tmp_path_factory.mktemp("asked") / "asked.duckdb"
    shutil.copy(published / "radar.duckdb", file)
    with duckdb.connect(str(file), read_only=True) as con:
        yield lambda query: con.execute(query).fetchall()


def text(client: TestClient, path: str) -> str:
    """What a page says, without its tags."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def rows(client: TestClient, path: str) -> list[dict[str, str]]:
    """A part of a page as a file."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# --- whose accounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PATHS, *FILES])
def test_a_rep_and_a_lead_meet_no_account_of_others(
    clients: dict[str, TestClient], told: Any, owners: Owners, path: str
) -> None:
    for who, ids in (("rep", (owners.rep,)), ("lead", owners.team)):
        others = told(
            f"""select account_id, account_name from marts.rpt_account_health
            where coalesce(owner_id, 'none') not in ({", ".join(f"'{owner}'" for owner in ids)})"""
        )
        assert others
        glue = "&" if "?" in path else "?"
        for asked in (path, f"{path}{glue}owner={owners.stranger}&account={others[0][0]}"):
            answer = clients[who].get(asked)
            assert answer.status_code == 200
            said = answer.text.replace(others[0][0], "") if "account=" in asked else answer.text
            found = [account for account, _ in others if f"/{account}" in said or f'"{account}"' in said]
            assert found == [], (who, asked)


def test_each_role_lists_exactly_its_accounts(
    clients: dict[str, TestClient], told: Any, owners: Owners
) -> None:
    everybody = dict(told("select account_id, coalesce(owner_id, '') from marts.rpt_account_health"))
    listed = {
        who: {row["account_id"] for row in rows(client, "/portfolio?format=csv")}
        for who, client in clients.items()
    }
    assert listed["admin"] == set(everybody)
    assert listed["rep"] == {account for account, owner in everybody.items() if owner == owners.rep}
    assert listed["lead"] == {account for account, owner in everybody.items() if owner in owners.team}
    assert listed["idle"] == set()


def test_sums_over_accounts_are_those_of_the_role(clients: dict[str, TestClient], owners: Owners) -> None:
    for part, column in (("buckets", "accounts"), ("moves", "accounts"), ("factors", "accounts")):
        sums = {
            who: sum(
                int(row[column].replace(",", ""))
                for row in rows(client, f"/portfolio?format=csv&part={part}")
            )
            for who, client in clients.items()
        }
        assert sums["idle"] == 0
        assert 0 < sums["rep"] < sums["lead"] < sums["admin"] or part == "factors", (part, sums)


def test_whoever_has_no_accounts_sees_what_to_do(clients: dict[str, TestClient]) -> None:
    assert "ask an admin which owners your user stands for" in text(clients["idle"], "/portfolio")
    for path in PATHS:
        text(clients["idle"], path)


# --- Portfolio ------------------------------------------------------------------------------------------


def test_filters_and_order_are_in_the_address(clients: dict[str, TestClient], told: Any) -> None:
    (segment,) = told(
        "select segment from marts.rpt_account_health group by 1 order by count(*) desc limit 1"
    )[0]
    where = f"segment = '{segment}' and bucket = 'healthy'"
    wanted = [
        account
        for (account,) in told(
            f"""select account_id from marts.rpt_account_health where {where}
            order by arr_usd desc nulls last, 1"""
        )
    ]
    view = f"/portfolio?segment={segment}&bucket=healthy&sort=arr&desc=1"
    assert [row["account_id"] for row in rows(clients["admin"], f"{view}&format=csv")] == wanted
    said = clients["admin"].get(view).text
    assert re.findall(r"/accounts/([^\"]+)\"", said) == wanted[:50]
    assert 'aria-sort="descending"' in said


def test_a_rule_s_accounts_are_those_for_which_it_holds(clients: dict[str, TestClient], told: Any) -> None:
    rule, held = told(
        """select rule_id, count(*) from marts.fct_health_evidence
        where as_of_date = (select max(as_of_date) from marts.fct_health_evidence) and result = 'true'
        group by 1 order by 2 desc limit 1"""
    )[0]
    assert len(rows(clients["admin"], f"/portfolio?rule={rule}&format=csv")) == held
    assert f"Fires for {held} of" in text(clients["admin"], "/rules")


def test_every_account_is_on_one_page_of_the_list(clients: dict[str, TestClient], told: Any) -> None:
    ((count,),) = told("select count(*) from marts.rpt_account_health")
    seen: list[str] = []
    address: str | None = "/portfolio?sort=name"
    while address:
        said = clients["admin"].get(address).text
        seen += re.findall(r"/accounts/([^\"]+)\"", said)
        found = re.search(r'rel="next" href="([^"#]+)', said)
        address = html.unescape(found[1]) if found else None
    assert (len(seen), len(set(seen))) == (count, count)


def test_plans_and_renewals_have_a_history_of_their_own(clients: dict[str, TestClient], told: Any) -> None:
    plan, accounts = told(
        """select plan_id, count(*) from marts.rpt_account_health where plan_id is not null
        group by 1 order by 2 desc limit 1"""
    )[0]
    days = rows(clients["admin"], f"/portfolio?plan={plan}&format=csv&part=buckets")
    newest = max(row["as_of_date"] for row in days)
    assert sum(int(row["accounts"]) for row in days if row["as_of_date"] == newest) == accounts
    assert "this picture leaves that filter out" in text(clients["admin"], "/portfolio?bucket=watch")


def test_moves_and_buckets_agree(clients: dict[str, TestClient], told: Any) -> None:
    moves = rows(clients["admin"], "/portfolio?format=csv&part=moves")
    for bucket, accounts in told("select bucket, count(*) from marts.rpt_account_health group by 1"):
        assert sum(int(row["accounts"]) for row in moves if row["bucket"] == bucket) == accounts


def test_lift_is_of_the_accounts_asked_for(clients: dict[str, TestClient], told: Any) -> None:
    factors = rows(clients["admin"], "/portfolio?format=csv&part=factors")
    for row in factors:
        share = int(row["at_risk_with_factor"]) / int(row["with_factor"])
        assert float(row["lift"]) == pytest.approx(
            share / (int(row["at_risk"]) / int(row["accounts"])), abs=0.06
        )
        assert int(row["with_factor"]) >= 5
        assert int(row["at_risk_with_factor"]) >= 3
    assert [float(row["lift"]) for row in factors] == sorted(
        (float(row["lift"]) for row in factors), reverse=True
    )


def test_files_are_for_people_and_sheets(clients: dict[str, TestClient]) -> None:
    answer = clients["admin"].get("/portfolio?format=csv")
    assert f'"\'{LIVE}"'.replace('"https://example.com"', '""https://example.com""') in answer.text
    assert "attachment" in answer.headers["content-disposition"]
    for path in FILES:
        rows(clients["admin"], path)


# --- Quality --------------------------------------------------------------------------------------------


def test_quality_tells_refused_rows_checks_and_runs(clients: dict[str, TestClient], told: Any) -> None:
    said = text(clients["admin"], "/quality")
    for source_file, rule in told("select source_file, rule from marts.rpt_refused_rows"):
        assert source_file in said
        assert rule.replace("_", " ") in said
    assert "done" in said
    assert "Every account of the newest day is decided." in said or "sources contradict each other" in said
    assert "Within 30 days nothing is known yet" in said
    ((undecided_or_in_conflict, accounts),) = told(
        "select count(*) filter (where decision <> 'decided'), count(*) from marts.rpt_account_health"
    )
    assert f"Not decided {undecided_or_in_conflict} of {accounts} accounts" in said


def test_quality_tells_rules_that_are_off_and_that_tell_nobody_apart(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "update marts.rpt_rule_set_checks set is_over_limit = true, finding = '9 of 9 accounts are healthy'"
        " where check_name = 'too_many_healthy'",
        "insert into marts.rpt_rules_off values ('playbook_v1', 'failed_payment', 'Failed payments',"
        " '2026-06-30', 'failed_payments_30d', 'failed payments in 30 days', 'billing/payments',"
        " 'billing/payments is not used', 10)",
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        said = text(clients["rep"], "/quality")
        assert "9 of 9 accounts are healthy. Look at the points and thresholds" in said
        assert "1 of 10 rules of playbook_v1 is off" in said
        assert "Failed payments failed payments in 30 days billing/payments" in said
    tables = ("rpt_rule_set_checks", "rpt_rules_off")
    earlier = publish_again(demo_run, tmp_path / "earlier", *(f"drop table marts.{name}" for name in tables))
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Rules that are off" not in text(clients["rep"], "/quality")


def test_a_page_says_what_to_do_where_an_earlier_release_published_the_copy(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    earlier = publish_again(demo_run, tmp_path, "drop view marts.rpt_portfolio_accounts")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        for address in ("/portfolio", "/portfolio?format=csv"):
            assert "The next radar run publishes it" in text(clients["rep"], address)
        assert "What scoring takes from each feed" in clients["rep"].get("/quality").text
        assert "<article" in clients["admin"].get("/").text


def test_the_panel_starts_on_a_copy_without_a_column_of_this_release(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    published = publish_again(demo_run, tmp_path, *WITHOUT_A_COLUMN)
    for clients in signed_in(published, owners, tmp_path / "store.sqlite"):
        with clients["admin"] as admin:  # as the server starts and stops it
            for path in ("/", "/portfolio", "/"):
                assert "The next radar run publishes it" in text(admin, path)
            assert "newest_fact_date" not in text(admin, "/")
            publish_again(demo_run, tmp_path)
            assert admin.get("/").text.count("<article") > 0


def test_what_a_copy_of_an_earlier_release_lacks_is_found_out_once(demo_run: Place, tmp_path: Path) -> None:
    published = publish_again(demo_run, tmp_path, *WITHOUT_A_COLUMN)
    published_db = PublishedDatabase(published)
    read_model = ReadModel(published_db, tmp_path / "cache")
    with pytest.raises(EarlierCopyError, match="newest_fact_date"):
        read_model.labels()
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(EarlierCopyError, match="newest_fact_date"):
            read_model.labels()
    assert time.monotonic() - began < 0.5, "no file is drawn again for each request"
    published_db.close()


def test_quality_names_columns_that_are_not_as_the_feeds_know_them(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    row = "('billing/invoices', '{}', '{}', {}, 'billing/invoices/9.csv', 1, {}, '2026-06-01', '2026-06-30')"
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "delete from marts.rpt_column_findings",
        "insert into marts.rpt_column_findings (feed, column_name, finding, nearest_name, source_file, files,"
        " is_in_newest_files, first_found_at, last_found_at) values "
        + ", ".join(
            row.format(*values)
            for values in (
                ("warehouse", "unknown", "null", True),
                ("paid_on", "misnamed", "'paid_at'", True),
                ("due_at", "gone", "null", True),
                ("earlier", "unknown", "null", False),
            )
        ),
        "update marts.rpt_column_findings set attention_rank ="
        " case finding when 'misnamed' then 1 when 'gone' then 2 else 3 end",
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        said = text(clients["rep"], "/quality")
        listed = said.partition("Columns of the newest files")[2].partition("All of them as a file")[0]
        assert (
            "paid_on billing/invoices seems misnamed paid_at which is missing billing/invoices/9.csv"
            in listed
        )
        assert "due_at billing/invoices no longer there – " in listed
        assert "warehouse billing/invoices not known, set aside – " in listed
        assert "earlier" not in listed
        listed_all = rows(clients["rep"], "/quality?format=csv&part=columns")
        assert [line["column_name"] for line in listed_all] == ["paid_on", "due_at", "warehouse", "earlier"]
    earlier = publish_again(demo_run, tmp_path / "earlier", "drop table marts.rpt_column_findings")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Columns of the newest files" not in text(clients["rep"], "/quality")
        assert rows(clients["rep"], "/quality?format=csv&part=columns") == []


def test_quality_names_what_changed_in_the_files_of_a_feed(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    days = "'2026-06-01', '2026-06-30'"
    row = f"('crm/accounts', '{{}}', '{{}}', {{}}, null, 'crm/accounts/9.csv', 1, {{}}, 9, {{}}, {days})"
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "delete from marts.rpt_schema_changes",
        "insert into marts.rpt_schema_changes (feed, column_name, change, attention_rank, nearest_name,"
        " source_file, files, refused_values, batch_id, is_current, first_found_at, last_found_at) values "
        + ", ".join(
            row.format(*values)
            for values in (
                ("tier", "new_column", 6, "null", True),
                ("created_at", "changed_type", 2, 1234, True),
                ("earlier", "new_column", 6, "null", False),
            )
        ),
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        said = text(clients["rep"], "/quality")
        listed = said.partition("Schema changes")[2].partition("All of them as a file")[0]
        assert "created_at crm/accounts values of another type 1,234 crm/accounts/9.csv" in listed
        assert "tier crm/accounts new, kept and read by nothing – crm/accounts/9.csv" in listed
        assert "earlier" not in listed
        listed_all = rows(clients["rep"], "/quality?format=csv&part=schema_changes")
        assert [line["column_name"] for line in listed_all] == ["created_at", "tier", "earlier"]
    earlier = publish_again(demo_run, tmp_path / "earlier", "drop table marts.rpt_schema_changes")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Schema changes" not in text(clients["rep"], "/quality")
        assert rows(clients["rep"], "/quality?format=csv&part=schema_changes") == []


def test_quality_says_how_much_is_left_out_and_which_row_matches_nothing(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "delete from marts.rpt_excluded",
        "insert into marts.rpt_excluded (seed_row, kind, reason, accounts, users, events, contacts, records,"
        " is_unmatched) values (1, 'email_domain', 'staff', 0, 2, 1234, 3, 40, false),"
        " (2, 'bot', 'robots', 0, 0, 0, 0, 0, true)",
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        listed = text(clients["rep"], "/quality").partition("Left out")[2].partition("All of them")[0]
        assert "1 email domain staff 0 2 1,234 3 40" in listed
        assert "2 bot robots matches nothing 0 0 0 0 0" in listed
        files = rows(clients["rep"], "/quality?format=csv&part=excluded")
        assert [line["is_unmatched"] for line in files] == ["false", "true"]
    earlier = publish_again(demo_run, tmp_path / "earlier", "drop table marts.rpt_excluded")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Left out" not in text(clients["rep"], "/quality")
        assert rows(clients["rep"], "/quality?format=csv&part=excluded") == []


def test_quality_names_amounts_without_a_rate_and_which_rate_to_add(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "insert into marts.rpt_unknown_amounts (feed, currency, amounts, amount, first_date, last_date,"
        " what_to_do) values ('billing/invoices', 'CHF', 1234, 56789.5, '2026-03-02', '2026-03-09',"
        " 'add a rate for CHF')",
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        page = text(clients["rep"], "/quality")
        listed = page.partition("Amounts without a rate")[2].partition("All of them")[0]
        assert "billing/invoices CHF 1,234 56,789.5 2026-03-02 add a rate for CHF" in listed
        (line,) = rows(clients["rep"], "/quality?format=csv&part=unknown_amounts")
        assert (line["currency"], line["last_date"]) == ("CHF", "2026-03-09")
    earlier = publish_again(demo_run, tmp_path / "earlier", "drop table marts.rpt_unknown_amounts")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Amounts without a rate" not in text(clients["rep"], "/quality")
        assert rows(clients["rep"], "/quality?format=csv&part=unknown_amounts") == []


def test_quality_names_ids_that_look_alike_and_what_to_do(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    found = publish_again(
        demo_run,
        tmp_path / "found",
        "insert into marts.rpt_lookalike_ids (feed, column_name, other_feed, other_column_name, ids, id_rows,"
        " examples, what_to_do) values ('billing/invoices', 'account_id', 'crm/accounts', 'account_id', 2,"
        " 1340, '123 and 00123', 'send them as text')",
    )
    for clients in signed_in(found, owners, tmp_path / "found.sqlite"):
        page = text(clients["rep"], "/quality")
        listed = page.partition("Ids that look alike")[2].partition("All of them")[0]
        assert (
            "billing/invoices account_id crm/accounts account_id 2 1,340 123 and 00123 send them as text"
            in listed
        )
        (line,) = rows(clients["rep"], "/quality?format=csv&part=lookalike_ids")
        assert (line["feed"], line["examples"]) == ("billing/invoices", "123 and 00123")
    earlier = publish_again(demo_run, tmp_path / "earlier", "drop table marts.rpt_lookalike_ids")
    for clients in signed_in(earlier, owners, tmp_path / "earlier.sqlite"):
        assert "Ids that look alike" not in text(clients["rep"], "/quality")
        assert rows(clients["rep"], "/quality?format=csv&part=lookalike_ids") == []


def test_the_copy_holds_no_sentence_that_may_name_a_value(told: Any) -> None:
    columns = told("select table_schema, table_name, column_name from information_schema.columns")
    records = {name for schema, table, name in columns if schema == "audit"}
    assert {"sequence", "severity", "bytes", "finished_at", "checked_at"} <= records
    assert records.isdisjoint({"message", "observed", "error", "extra_columns", "masked_value"})
    assert not any(schema in ("raw", "quarantine", "staging") for schema, *_ in columns)
    assert "masked_value" not in {name for _, _, name in columns}


# --- Rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/rules", "/rules?set=snapshot_v1"])
def test_rules_are_said_as_in_the_documentation(clients: dict[str, TestClient], address: str) -> None:
    name = "snapshot_v1" if "set=" in address else "playbook_v1"
    section = rules_page(SEEDS).partition(f"## {name}\n")[2].partition("\n## ")[0]
    plain = re.sub(r"\\(.)|[`*]", lambda found: found[1] or "", section)
    said = text(clients["admin"], address)
    squeezed = re.sub(r"\s+", "", said)
    lines = [line.strip(" -") for line in plain.splitlines() if line.lstrip().startswith("- ")]
    assert len(lines) > 20
    for line in lines:
        assert re.sub(r"\s+", "", line) in squeezed, line


def test_accounts_that_a_shadow_sees_differently_are_listed(
    clients: dict[str, TestClient], told: Any
) -> None:
    wanted = {
        account
        for (account,) in told(
            """select account_id from marts.fct_rule_set_comparison
            where bucket_difference <> 0 or is_other_decision"""
        )
    }
    found = rows(clients["admin"], "/rules?set=snapshot_v1&format=csv&part=differences")
    assert {row["account_id"] for row in found} == wanted
    assert f"{len(wanted)} of" in text(clients["admin"], "/rules?set=snapshot_v1")


# --- Audit ----------------------------------------------------------------------------------------------


def test_audit_says_who_what_when_and_why(clients: dict[str, TestClient], told: Any) -> None:
    actor, name, reason, account, subject = told(
        """select actor, owner_name, evidence ->> 'reason', account_id, subject_id
        from audit.entries
        inner join (select distinct owner_id, owner_name from marts.rpt_account_health) on actor = owner_id
        where kind = 'override' and account_id in (select account_id from marts.rpt_account_health) limit 1"""
    )[0]
    for address in (f"/audit?account={account}&kind=override", f"/audit?person={actor}&kind=override"):
        said = text(clients["admin"], address)
        assert name in said
        assert re.sub(r"\s+", " ", reason) in said
        assert "Set to" in said
    files = rows(clients["admin"], f"/audit?account={account}&format=csv")
    assert {row["account_id"] for row in files} == {account}
    assert subject in {row["subject_id"] for row in files}


def test_every_entry_is_on_one_page(clients: dict[str, TestClient], told: Any) -> None:
    ((count,),) = told("select count(*) from audit.entries")
    seen: list[str] = []
    address: str | None = "/audit"
    while address:
        said = clients["admin"].get(address).text
        seen += re.findall(r'<td class="num">(\d+)<span class="hash', said)
        found = re.search(r'rel="next" href="([^"#]+)', said)
        address = html.unescape(found[1]) if found else None
    assert [int(number) for number in seen] == list(range(count, 0, -1))


def test_the_chain_is_unbroken_or_said_to_be_broken(
    clients: dict[str, TestClient], demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    assert "Unbroken." in text(clients["admin"], "/audit")
    broken = {
        "one is missing": ("delete from audit.entries where sequence = 3", "broken in this copy at entry 4"),
        "another chain": (
            "insert into audit.chain_checks select 'later', timestamp '2030-01-01', 5, repeat('f', 64)",
            "not those that the last run verified",
        ),
    }
    for number, (change, said) in enumerate(broken.values()):
        folder = publish_again(demo_run, tmp_path / str(number), change)
        for made in signed_in(folder, owners, tmp_path / f"{number}.sqlite"):
            assert said in text(made["admin"], "/audit")


# --- whatever is asked ----------------------------------------------------------------------------------

NAMES = (
    "segment", "owner", "plan", "renewal", "bucket", "decision", "rule", "unit", "by", "sort", "desc",
    "page", "set", "differ", "account", "person", "kind", "before", "format", "part",
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/portfolio", "/quality", "/rules", "/audit"]),
    asked=st.dictionaries(
        st.sampled_from(NAMES),
        st.text(max_size=20)
        | st.sampled_from(["1", "0", "-1", "9" * 30, "csv", "at_risk", "'", "%", "none", "{x}"]),
        max_size=5,
    ),
)
def test_nothing_that_is_asked_breaks_a_page(
    clients: dict[str, TestClient], path: str, asked: dict[str, str]
) -> None:
    for client in (clients["admin"], clients["rep"]):
        assert client.get(path, params=asked).status_code in (200, 400)
