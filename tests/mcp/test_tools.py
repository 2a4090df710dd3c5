"""What each tool answers, in whose scope, and what it says where something is not known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from radar.core.runs import utc_now
from radar.mcp.settings import McpSettings
from radar.panel import decisions
from radar.panel.decisions import Wanted
from radar.panel.store import Store
from tests.mcp.agents import Call, Desk, body, post, refusal, talk_http, text
from tests.mcp.conftest import Accounts
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place

TOOLS = {"who_needs_me", "account", "why", "what_changed", "evidence", "rules", "portfolio", "query"}


def every_tool(account_id: str) -> list[Call]:
    return [
        ("who_needs_me", {}),
        ("account", {"account": account_id}),
        ("why", {"account": account_id}),
        ("what_changed", {"account": account_id}),
        ("what_changed", {}),
        ("evidence", {"account": account_id}),
        ("rules", {}),
        ("portfolio", {"by": "owner"}),
        ("query", {"statement": "select account_id, score from marts.rpt_account_health order by 1"}),
    ]


def rows(place: Place, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        return con.execute(query, parameters).fetchall()


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_every_tool_answers_with_day_decision_coverage_and_sources(
    transport: str, desk: Desk, rep: str, accounts: Accounts, demo_run: Place
) -> None:
    asked = every_tool(accounts.rep)
    if transport == "stdio":
        answers = desk.over_stdio(rep, *asked)
    else:
        with desk.over_http() as port:
            answers = talk_http(port, rep, *asked)
    assert {tool for tool, _ in asked} == TOOLS
    for (tool, _), answer in zip(asked, map(body, answers), strict=True):
        assert answer["as_of"] == "2026-06-30", tool
        assert answer["decision"], tool
        assert 0 <= answer["coverage_pct"] <= 100, tool
        assert answer["sources"]["relations"], tool
        assert answer["sources"]["feeds_last_arrived_at"], tool
        assert isinstance(answer["warnings"], list), tool
        assert answer["answer"], tool
    owned = rows(
        demo_run,
        "select account_id, score from marts.rpt_account_health where owner_id = ? order by 1",
        desk.person("rep").owner_ids[0],
    )
    assert body(answers[-1])["answer"]["rows"] == [list(row) for row in owned]
    assert desk.calls() == [("rep", tool, "answered", arguments.get("account")) for tool, arguments in asked]


def test_answers_are_the_numbers_of_the_copy(
    desk: Desk, admin: str, accounts: Accounts, demo_run: Place
) -> None:
    account, why, changed, portfolio, rules = map(
        body,
        desk.ask(
            admin,
            ("account", {"account": accounts.rep}),
            ("why", {"account": accounts.rep}),
            ("what_changed", {"account": accounts.rep}),
            ("portfolio", {}),
            ("rules", {}),
        ),
    )
    ((score, bucket, decision, coverage),) = rows(
        demo_run,
        "select score, bucket, decision, coverage_pct from marts.rpt_account_health where account_id = ?",
        accounts.rep,
    )
    assert (account["answer"]["score"], account["answer"]["bucket"]) == (score, bucket)
    assert (account["decision"], account["coverage_pct"]) == (decision, coverage)
    total = why["answer"]["starts_at"] + sum(line["points"] for line in why["answer"]["because"])
    assert min(max(total, 0), 100) == why["answer"]["score"] == score
    change = changed["answer"]
    assert change["score_after"] - change["score_before"] == sum(change["points_by_cause"].values())
    assert change["steps"]
    ((accounts_in_all, at_risk),) = rows(
        demo_run, "select count(*), count(*) filter (where bucket = 'at_risk') from marts.rpt_account_health"
    )
    totals = portfolio["answer"]["totals"]
    assert (totals["accounts"], totals["at_risk"]) == (accounts_in_all, at_risk)
    assert sum(portfolio["decision"].values()) == accounts_in_all
    assert all(rule["accounts"] == accounts_in_all for rule in rules["answer"]["rules"])


def test_an_account_is_found_by_its_name_and_several_are_named(
    desk: Desk, admin: str, accounts: Accounts, demo_run: Place
) -> None:
    ((name,),) = rows(
        demo_run, "select account_name from marts.rpt_account_health where account_id = ?", accounts.rep
    )
    by_name, several, nobody = desk.ask(
        admin,
        ("account", {"account": name.upper()}),
        ("why", {"account": "a"}),
        ("why", {"account": "zzzzzz"}),
    )
    assert body(by_name)["answer"]["account_id"] == accounts.rep
    assert "Several accounts match" in refusal(several)
    assert refusal(nobody) == "There is no account 'zzzzzz' that you may see."


def test_no_tool_tells_of_another_owners_account(
    desk: Desk, rep: str, lead: str, accounts: Accounts, owners: Owners, demo_run: Place
) -> None:
    ((name, owner_name),) = rows(
        demo_run,
        "select account_name, owner_name from marts.rpt_account_health where account_id = ?",
        accounts.stranger,
    )
    asked = [
        *every_tool(accounts.stranger),
        ("account", {"account": name}),
        ("who_needs_me", {"owner_id": owners.stranger, "limit": 50}),
        ("portfolio", {"owner_id": owners.stranger, "limit": 50}),
        ("portfolio", {"by": "owner", "limit": 50}),
    ]
    for token in (rep, lead):
        answers = desk.ask(token, *asked)
        for (tool, arguments), answer in zip(asked, answers, strict=True):
            shown = text(answer)
            if arguments.get("account") in (accounts.stranger, name):
                assert refusal(answer) == f"There is no account '{arguments['account']}' that you may see.", (
                    tool
                )
            else:
                assert accounts.stranger not in shown, tool
                assert name not in shown, tool
                assert owner_name not in shown, tool
        assert body(answers[-2])["answer"]["totals"]["accounts"] == 0
        assert "No account that you may see matches these filters." in body(answers[-2])["warnings"]
        assert body(answers[-3])["answer"] == {"accounts": [], "accounts_in_the_queue": 0}


def test_a_user_without_owners_sees_nothing_and_reads_why(desk: Desk) -> None:
    token = desk.add("new", "lead")
    portfolio, query = map(
        body,
        desk.ask(
            token, ("portfolio", {}), ("query", {"statement": "select * from marts.fct_health_history"})
        ),
    )
    assert portfolio["answer"]["totals"]["accounts"] == 0
    assert query["answer"]["rows"] == []
    assert "You see no account: ask whoever administers the panel." in query["warnings"]
    assert query["coverage_pct"] is None


def test_what_is_not_known_is_a_warning(
    demo_run: Place, desk: Desk, tmp_path: Path, accounts: Accounts, owners: Owners
) -> None:
    account_id = accounts.rep
    published = publish_again(
        demo_run,
        tmp_path / "unknown",
        "update marts.rpt_account_health set decision = 'undecided', coverage_pct = 60, score_low = 10,"
        " arr_usd = null, unknown_signals = 'failed_payments_30d',"
        f" unknown_effect = 'Failed payments are unknown' where account_id = '{account_id}'",
        "update marts.rpt_feed_states set state = 'stale' where feed = 'billing/payments'",
    )
    other = Desk(published, desk.store, tmp_path / "cache")
    token = other.add("ada", "rep", owners.rep)
    account, queue = map(body, other.ask(token, ("account", {"account": account_id}), ("portfolio", {})))
    assert (account["decision"], account["coverage_pct"]) == ("undecided", 60)
    assert account["answer"]["arr_usd"] is None
    shown = "\n".join(account["warnings"])
    assert "billing/payments is stale: no file in time; last arrived: 20" in shown
    assert "Not decided: Failed payments are unknown" in shown
    assert "Not known of this account: ARR." in shown
    assert queue["decision"]["undecided"] == 1
    assert any("The decision is 'undecided' for 1 of " in warning for warning in queue["warnings"])


def test_the_queue_leaves_out_what_is_snoozed(desk: Desk, admin: str, demo_run: Place) -> None:
    queue = [
        account_id
        for (account_id,) in rows(
            demo_run, "select account_id from marts.rpt_review_queue order by rank_overall"
        )
    ]
    (before,) = desk.ask(admin, ("who_needs_me", {"limit": 3}))
    assert [one["account_id"] for one in body(before)["answer"]["accounts"]] == queue[:3]
    assert body(before)["answer"]["accounts_in_the_queue"] == len(queue)
    store, person = Store(desk.store), desk.person("admin")
    until = (utc_now().date() + timedelta(days=3)).isoformat()
    for kind, account_id, given in (
        ("snooze", queue[0], {"until_date": until}),
        ("sign_off", queue[1], {"verdict": "agree"}),
    ):
        token = decisions.new_token()
        decisions.decide(store, person, Wanted(account_id, "2026-06-30", kind, token, 0, **given))
    (after,) = desk.ask(admin, ("who_needs_me", {"limit": 3}))
    found = body(after)["answer"]["accounts"]
    assert [one["account_id"] for one in found] == queue[1:4]
    assert found[0]["decided_since_the_run"] == ["Signed off by admin"]
    assert f"Snoozed by somebody, and left out: {queue[0]}." in body(after)["warnings"]


def test_an_old_copy_is_a_warning(desk: Desk, rep: str) -> None:
    (answer,) = desk.over_stdio(rep, ("rules", {"rule_id": None}), RADAR_PANEL_STALE_DAYS="1")
    assert any(
        warning.startswith("The newest scored date is 2026-06-30, ") for warning in body(answer)["warnings"]
    )


def test_no_answer_names_a_contact_or_an_address(
    desk: Desk, admin: str, accounts: Accounts, demo_run: Place
) -> None:
    contacts = [
        value
        for row in demo_run.rows("select full_name, email from staging.stg_crm__contacts")
        for value in row
        if value
    ]
    assert len(contacts) > 100
    shown = "".join(map(text, desk.ask(admin, *every_tool(accounts.rep))))
    assert [contact for contact in contacts if contact in shown] == []


def test_a_call_that_cannot_be_kept_is_not_answered(desk: Desk, rep: str, accounts: Accounts) -> None:
    with Store(desk.store).writing() as con:
        con.execute(
            "create trigger full_disk before insert on agent_calls"
            " begin select raise(abort, 'no space left'); end"
        )
    (answer,) = desk.ask(rep, ("account", {"account": accounts.rep}))
    assert accounts.rep not in refusal(answer)


def test_tools_say_that_they_only_read(desk: Desk, rep: str) -> None:
    with desk.over_http() as port:
        status, listed = post(port, rep)
    assert status == 200
    assert listed.count('"readOnlyHint":true') == len(TOOLS)
    for tool in TOOLS:
        assert f'"name":"{tool}"' in listed


def test_a_fault_is_a_number_for_the_agent_and_no_text_of_the_error(
    desk: Desk, rep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radar.mcp.tools import Tools  # noqa: PLC0415

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of a customer")

    monkeypatch.setattr(Tools, "rules", fail)
    (answer,) = desk.ask(rep, ("rules", {}))
    assert "give the data team this number" in refusal(answer)
    assert "secret" not in text(answer)
    assert desk.calls() == [("rep", "rules", "failed", None)]


def test_nothing_published_is_a_refusal(desk: Desk, rep: str, tmp_path: Path) -> None:
    empty = Desk(tmp_path / "nothing", desk.store, tmp_path / "cache")
    answers = empty.ask(rep, ("portfolio", {}), ("query", {"statement": "select 1"}))
    assert [refusal(answer) for answer in answers] == [
        "Nothing has been published yet: radar run comes first."
    ] * 2


def test_limits_of_rows_and_seconds(desk: Desk, admin: str) -> None:
    few = McpSettings(query_rows=2, query_seconds=20)
    many = "select account_id from marts.rpt_account_health order by 1"
    cut, whole = desk.ask(
        admin, ("query", {"statement": many}), ("query", {"statement": f"{many} limit 2"}), limits=few
    )
    assert len(body(cut)["answer"]["rows"]) == 2
    assert "Only the first 2 rows are here; there are more." in body(cut)["warnings"]
    assert not any("there are more" in warning for warning in body(whole)["warnings"])
    some = "range(100000)"
    endless = f"select count(*) from {some} a, {some} b, {some} c where a.range + b.range + c.range < 0"
    (slow,) = desk.ask(admin, ("query", {"statement": endless}), limits=McpSettings(query_seconds=3))
    assert "took longer than 3 seconds" in refusal(slow)
