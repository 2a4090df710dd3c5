"""The list of Portfolio is what the published mart has: for every filter, order, page and role."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest
from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.pages.portfolio import _CSV, BUCKETS, PAGE_ROWS, WITHIN
from radar.panel.settings import PanelSettings
from radar.panel.web import _cell
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place

AWKWARD = """
    update marts.rpt_account_health set
        account_name = case account_rank % 9
            when 0 then null when 1 then 'Ärzte' when 2 then 'arzte' when 3 then 'Zoë & <b>'
            when 4 then 'ÉCOLE'
            else account_name end,
        arr_usd = case account_rank % 5 when 0 then null when 1 then 12000 else arr_usd end,
        delta_7d = case when account_rank % 4 = 0 then null else delta_7d end,
        days_to_renewal = case when account_rank % 7 = 0 then null else days_to_renewal end,
        plan_id = case when account_rank % 8 = 0 then null else plan_id end,
        flags = case account_rank % 6 when 0 then 'upsell, churn_risk' when 1 then '' else flags end
    from (
        select account_id, row_number() over (order by account_id) as account_rank
        from marts.rpt_account_health
    ) as ranked
    where rpt_account_health.account_id = ranked.account_id
"""
"""Names, numbers and dates that are missing, equal or hard to put in order."""

WHERE = """
    ($owners is null or owner_id in (select unnest(from_json($owners, '["VARCHAR"]'))))
    and ($segment is null or segment_group = $segment)
    and ($owner is null or owner_group = $owner)
    and ($plan is null or plan_group = $plan)
    and ($renewal is null or renewal_group = $renewal)
    and ($bucket is null or bucket = $bucket)
    and ($decision is null or decision = $decision)
    and ($flag is null or list_contains(string_split(flags, ', '), $flag))
    and ($team is null or owner_group in (select unnest(from_json($team, '["VARCHAR"]'))))
    and ($parent is null or account_id in (
        select account_id from marts.rpt_account_hierarchy where $parent in (account_id, parent_account_id)
    ))
    and ($within is null or days_to_renewal <= $within::integer)
    and ($rule is null or account_id in (select account_id from marts.rpt_fired_rules where rule_id = $rule))
"""
"""What the filters mean, asked of the mart itself."""
FILTERS = re.findall(r"\$(\w+) is null", WHERE)[1:]
ORDERS = {
    "score": "score",
    "arr": "arr_usd",
    "name": "strip_accents(lower(account_name))",
    "owner": "strip_accents(lower(owner_name))",
    "change": "delta_7d",
    "renewal": "days_to_renewal",
}
VIEWS = 150
Mart = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def published(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_again(demo_run, tmp_path_factory.mktemp("awkward"), AWKWARD)


@pytest.fixture(scope="module")
def mart(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mart]:
    """A file of its own, as one process opens a file in one way alone."""
    file = tmp_path_factory.mktemp("mart") / "asked.duckdb"
    file.write_bytes((published / "radar.duckdb").read_bytes())
    with duckdb.connect(str(file), read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def clients(
    published: Path, owners: Owners, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, TestClient]]:
    yield from signed_in(published, owners, tmp_path_factory.mktemp("store") / "panel.sqlite")


def signed_in(published: Path, owners: Owners, store: Path) -> Iterator[dict[str, TestClient]]:
    """A client for each role."""
    app = create_app(PanelSettings(published=published, store=store, stale_days=100_000))
    made = {}
    for name, ids in (("rep", [owners.rep]), ("lead", owners.team), ("admin", [])):
        users.add(app.state.store, name, name, ids, None)  # type: ignore[arg-type]
        found = users.find(app.state.store, name)
        assert found
        made[name] = TestClient(app, base_url="https://testserver")
        made[name].cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
    yield made
    app.state.published_db.close()


def scope(who: str, owners: Owners) -> list[str] | None:
    return {"rep": [owners.rep], "lead": list(owners.team), "admin": None}[who]


def wanted(mart: Mart, asked: dict[str, str], who: str, owners: Owners) -> list[dict[str, str]]:
    """The rows of the file of accounts, as the mart has them."""
    mine, team = scope(who, owners), asked.get("team")
    filters: dict[str, str | None] = {name: asked.get(name) for name in FILTERS}
    if team:
        filters["team"] = json.dumps(owners.team if team == "lead" and who == "admin" else [])
    if asked.get("parent"):
        offered = mart.execute(
            "select 1 from marts.rpt_portfolio_filters where filter = 'parent' and value = ?"
            " and (? or list_contains(?, owner_id))",
            [asked["parent"], mine is None, mine or []],
        )
        filters["parent"] = asked["parent"] if offered.fetchall() else ""
    order = f"{ORDERS[asked.get('sort', 'score')]} {'desc' if asked.get('desc') else 'asc'} nulls last"
    result = mart.execute(
        f"select {', '.join(_CSV['accounts'])} from marts.rpt_portfolio_accounts where {WHERE}"
        f" order by {order}, account_id",
        {**filters, "owners": None if mine is None else json.dumps(mine)},
    )
    names = [column[0] for column in result.description or []]
    return [{name: _cell(value) for name, value in zip(names, row, strict=True)} for row in result.fetchall()]


def listed(client: TestClient, asked: dict[str, str]) -> list[dict[str, str]]:
    answer = client.get("/portfolio", params={**asked, "format": "csv"})
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def values(mart: Mart, name: str) -> list[str]:
    """What the filter may be set to, one of another kind included."""
    columns = {
        "segment": "segment_group",
        "owner": "owner_group",
        "plan": "plan_group",
        "renewal": "renewal_group",
    }
    fixed = {
        "bucket": list(BUCKETS),
        "decision": ["decided", "undecided", "conflict"],
        "within": list(WITHIN),
        "flag": ["churn_risk", "upsell", "payment_risk", "upsell, churn_risk", "up"],
        "team": ["lead", "nobody"],
    }
    asked = {
        "rule": "select distinct rule_id from marts.rpt_fired_rules order by 1",
        "parent": "select account_id from marts.rpt_account_hierarchy order by 1",
    }
    if name in fixed:
        return fixed[name]
    query = asked.get(name) or f"select distinct {columns[name]} from marts.rpt_portfolio_accounts order by 1"
    return [*(value for (value,) in mart.execute(query).fetchall()), "no'such"]


def test_every_filter_of_every_role_lists_what_the_mart_has(
    clients: dict[str, TestClient], mart: Mart, owners: Owners
) -> None:
    lengths = []
    for name in FILTERS:
        for value in values(mart, name):
            for who, client in clients.items():
                asked = {name: value}
                expected = wanted(mart, asked, who, owners)
                assert listed(client, asked) == expected, (who, asked)
                lengths.append(len(expected))
    assert {bool(length) for length in lengths} == {True, False}


def test_filters_orders_and_roles_together_list_what_the_mart_has(
    clients: dict[str, TestClient], mart: Mart, owners: Owners
) -> None:
    choose = random.Random(29)
    of = {name: values(mart, name) for name in FILTERS}
    found = 0
    for number in range(VIEWS):
        names = choose.sample(FILTERS, choose.randint(0, 3))
        asked = {name: choose.choice(of[name]) for name in names}
        asked |= {"sort": choose.choice(list(ORDERS)), **({"desc": "1"} if choose.random() < 0.5 else {})}
        who = list(clients)[number % 3]
        expected = wanted(mart, asked, who, owners)
        assert listed(clients[who], asked) == expected, (who, asked)
        found += len(expected) > 1
    assert found > VIEWS / 4


@pytest.mark.parametrize("who", ["rep", "lead", "admin"])
@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("desc", [{}, {"desc": "1"}])
def test_every_page_lists_its_part_of_them_with_their_sums(
    clients: dict[str, TestClient], mart: Mart, owners: Owners, who: str, sort: str, desc: dict[str, str]
) -> None:
    for filters in ({}, {"bucket": "watch"}):
        asked = {"sort": sort, **desc, **filters}
        expected = [row["account_id"] for row in wanted(mart, asked, who, owners)]
        last_page = max(-(-len(expected) // PAGE_ROWS), 1)
        for page in (1, last_page, last_page + 1):
            first = (min(page, last_page) - 1) * PAGE_ROWS
            text = clients[who].get("/portfolio", params={**asked, "page": str(page)}).text
            boxes = [unescape(one) for one in re.findall(r'name="chosen-\d+" value="([^"]*)"', text)]
            assert boxes == expected[first : first + PAGE_ROWS], (asked, page)
            assert f"<dt>Accounts</dt><dd>{len(expected):,}<" in text
            assert f"Page {min(page, last_page)} of {last_page}" in text or last_page == 1


@pytest.mark.parametrize("by", ["segment", "owner", "plan", "renewal"])
def test_the_parts_are_sums_of_what_the_mart_has(
    clients: dict[str, TestClient], mart: Mart, owners: Owners, by: str
) -> None:
    for who, client in clients.items():
        mine = scope(who, owners)
        expected: dict[str, tuple[Any, ...]] = {
            row[0]: row[1:]
            for row in mart.execute(
                f"select {by}_group, count(*), sum(healthy), sum(watch), sum(at_risk),"
                " coalesce(sum(arr_usd), 0), sum(at_risk_arr_usd), avg(score)"
                " from marts.rpt_portfolio_accounts where $owners is null"
                """ or owner_id in (select unnest(from_json($owners, '["VARCHAR"]'))) group by 1""",
                {"owners": None if mine is None else json.dumps(mine)},
            ).fetchall()
        }
        answer = client.get("/portfolio?" + urlencode({"by": by, "format": "csv", "part": "parts"}))
        found = {
            row["value"]: tuple(float(value) for name, value in row.items() if name != "value")
            for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        }
        assert found.keys() == expected.keys()
        for value, numbers in expected.items():
            assert found[value] == pytest.approx(numbers, abs=1e-5), (who, value)


def test_the_list_of_a_newer_copy_is_shown_once_it_is_drawn(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    published = publish_again(demo_run, tmp_path)
    for clients in signed_in(published, owners, tmp_path / "store.sqlite"):
        assert "Renamed meanwhile" not in clients["admin"].get("/portfolio").text
        publish_again(
            demo_run,
            tmp_path,
            "update marts.rpt_account_health set account_name = 'Renamed meanwhile',"
            " owner_name = 'Owner too'",
        )
        until = time.monotonic() + 240
        while "Renamed meanwhile" not in clients["admin"].get("/portfolio").text:
            assert time.monotonic() < until, "the list of the copy before stays"
            time.sleep(0.2)
        owners_to_choose = clients["admin"].get("/portfolio").text.partition('id="many-owner"')[2]
        assert "Owner too" in owners_to_choose.partition("</select>")[0]
