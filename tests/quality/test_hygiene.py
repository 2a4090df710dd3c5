"""Real suites on a real DuckDB: what happens to rows, values and feeds."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from arrivals import FEEDS, GOOD, NOW, ROOT, Warehouse

from radar.core.errors import CheckError, InputError
from radar.landing.land import land
from radar.landing.schema import create
from radar.quality import actions, gate, suites, validate
from radar.quality.hygiene import blocked_feeds, check
from radar.quality.suites import path_of, read_suite, rules, table_name

REJECTED = "SELECT row_number, rule, column_name FROM quarantine.rejected_rows ORDER BY ALL"
EMPTIED = "SELECT row_number, rule, column_name FROM quarantine.rejected_values ORDER BY ALL"
JUST_IN_TIME, TOO_LATE = (
    "2025-07-01 06:00:00",
    "2025-07-01 06:00:01",
)  # a day after landing, and a second more

# feed, column, values that stay, values that do not, the rule, and whether the row goes with them
BOUNDS: list[tuple[str, str, list[Any], list[Any], str, bool]] = [
    ("crm/accounts", "arr_usd", [0, 0.01, None], [-0.01], "out_of_range", False),
    ("crm/pulses", "sentiment", [1, 5], [0.99, 5.01], "out_of_range", True),
    ("billing/subscriptions", "seats", [0, None], [-1], "out_of_range", False),
    ("billing/subscriptions", "mrr_usd", [0, None], [-0.01], "out_of_range", True),
    ("billing/invoices", "amount_usd", [0, None], [-0.01], "out_of_range", True),
    ("billing/payments", "amount_usd", [0, None], [-0.01], "out_of_range", True),
    ("support/tickets", "sentiment", [-1, 1, None], [-1.01, 1.01], "out_of_range", False),
    ("feedback/surveys", "score", [0, 10], [-0.01, 10.01], "out_of_range", True),
    ("billing/subscriptions", "status", ["trialing", "active", "past_due", "paused", "canceled"],
     ["Active", "new"], "unknown_value", True),
    ("billing/invoices", "status", ["draft", "open", "paid", "void", "uncollectible"], ["unpaid"],
     "unknown_value", True),
    ("billing/payments", "status", ["succeeded", "failed", "refunded"], ["pending"], "unknown_value", True),
    ("crm/touchpoints", "channel", ["call", "email", "meeting", "note"], ["fax"], "unknown_value", True),
    ("crm/touchpoints", "direction", ["outbound", "inbound"], ["both"], "unknown_value", True),
    ("crm/overrides", "bucket", ["healthy", "watch", "at_risk"], ["at risk"], "unknown_value", True),
    ("crm/overrides", "reason", ["known"], ["  "], "missing_required", True),
    ("crm/reviews", "kind", ["sign_off", "spot_check"], ["opinion"], "unknown_value", True),
    ("crm/reviews", "verdict", ["agree", "disagree"], ["yes"], "unknown_value", True),
    ("crm/reviews", "bucket", ["healthy", "watch", "at_risk", None], ["at risk"], "unknown_value", False),
    ("comms/messages", "kind", ["onboarding", "feature", "billing_reminder", "newsletter", "survey"],
     ["spam"], "unknown_value", True),
    ("feedback/surveys", "kind", ["nps"], ["ltr"], "unknown_value", True),
    ("crm/contacts", "role", ["champion", "sponsor", "admin", "user", "other", None], ["boss"],
     "unknown_value", False),
    ("support/tickets", "priority", ["low", "normal", "high", "urgent", None], ["P1"],
     "unknown_value", False),
    ("crm/contacts", "email", ["o'neil+x@mail.acme.co", "ä@müller.de", None],
     ["acme.test", "a b@acme.test", "a@acme", "a@@acme.test", "<a@acme.test>", "a@acme.test,b@acme.test"],
     "bad_email", False),
    ("crm/owners", "email", ["olga@radar.test"], ["olga"], "bad_email", False),
]  # fmt: skip
TIMES = [
    (rule.feed, rule.column, rule.action == "reject_row")
    for suite in rules().values()
    for rule in suite
    if rule.rule == "time_in_future"
]
BOUNDS += [
    (feed, str(column), [JUST_IN_TIME], [TOO_LATE], "time_in_future", is_row)
    for feed, column, is_row in TIMES
]


@pytest.mark.parametrize("feed", sorted({feed for feed, *_ in BOUNDS}))
def test_both_sides_of_every_bound(warehouse: Warehouse, feed: str) -> None:
    """One file per case: the values that stay, then those that do not."""
    table, cases = table_name(feed), [case for case in BOUNDS if case[0] == feed]
    refused, emptied, files = [], [], {}
    for number, (_, column, fine, bad, rule, is_row) in enumerate(cases):
        file = f"{number}-{column}-{rule}"
        files[file] = column
        keys = (
            [{"account_id": f"{file}-{n}"} for n in range(len(fine + bad))] if feed == "crm/accounts" else []
        )
        values = [{column: value} for value in fine + bad]
        rows_of_file = [{**key, **value} for key, value in zip(keys, values, strict=True)] if keys else values
        warehouse.land(feed, *rows_of_file, file=file)
        broken = [(file, len(fine) + place, rule, column) for place in range(1, len(bad) + 1)]
        (refused if is_row else emptied).extend(broken)
    warehouse.land(feed, good=5 * sum(len(bad) for _, _, _, bad, _, _ in cases))
    rows = dict(warehouse.rows(f"SELECT _source_file, count(*) FROM raw.{table} GROUP BY 1"))
    nulls = {file: _nulls(warehouse, table, file, column) for file, column in files.items()}
    warehouse.check()
    line = "SELECT source_file, row_number, rule, column_name FROM quarantine"
    assert warehouse.rows(f"{line}.rejected_rows ORDER BY ALL") == sorted(refused)
    assert warehouse.rows(f"{line}.rejected_values ORDER BY ALL") == sorted(emptied)
    for file, column in files.items():
        gone = {row for name, row, *_ in refused if name == file}
        kept = warehouse.rows(f"SELECT _row_number FROM raw.{table} WHERE _source_file = '{file}'")
        assert set(kept) == set(range(1, rows[file] + 1)) - gone
        expected = nulls[file] | {row for name, row, *_ in emptied if name == file}
        assert _nulls(warehouse, table, file, column) == expected
    assert warehouse.state(feed) == ("ok", None)


def _nulls(warehouse: Warehouse, table: str, file: str, column: str) -> set[int]:
    where = f"_source_file = '{file}' AND {column} IS NULL"
    return set(warehouse.rows(f"SELECT _row_number FROM raw.{table} WHERE {where}"))


@pytest.mark.parametrize(
    ("kind", "score", "is_fine"),
    [
        ("nps", 0, True), ("nps", 10, True), ("nps", 10.5, False), ("csat", 1, True), ("csat", 5, True),
        ("csat", 0, False), ("csat", 6, False), ("ces", 5, True), ("ces", 9, False),
    ],
)  # fmt: skip
def test_the_range_of_a_survey_score_depends_on_its_kind(
    warehouse: Warehouse, kind: str, score: float, is_fine: bool
) -> None:
    warehouse.land("feedback/surveys", {"kind": kind, "score": score}, good=9)
    warehouse.check()
    assert warehouse.rows(REJECTED) == ([] if is_fine else [(1, "out_of_range", "score")])


@pytest.mark.parametrize(
    ("kind", "verdict", "is_fine"),
    [
        ("sign_off", "disagree", True), ("spot_check", "right", False), ("outcome", "too_early", True),
        ("outcome", "agree", False), ("action", "approved", True), ("action", "dropped", True),
        ("action", "done", True), ("action", "agree", False),
    ],
)  # fmt: skip
def test_the_verdicts_of_a_review_depend_on_its_kind(
    warehouse: Warehouse, kind: str, verdict: str, is_fine: bool
) -> None:
    warehouse.land("crm/reviews", {"kind": kind, "verdict": verdict, "action_id": "act-1"}, good=9)
    warehouse.check()
    assert warehouse.rows(REJECTED) == ([] if is_fine else [(1, "unknown_value", "verdict")])


def test_a_review_of_an_action_names_it(warehouse: Warehouse) -> None:
    warehouse.land("crm/reviews", {"kind": "action", "verdict": "done"}, good=9)
    warehouse.check()
    assert warehouse.rows(REJECTED) == [(1, "missing_required", "action_id")]


def test_good_rows_of_every_feed_pass_every_check(warehouse: Warehouse) -> None:
    for feed in FEEDS:
        warehouse.land(feed, {})
    outcomes = warehouse.check()
    assert [each for each in outcomes.values() if not each.success or each.error] == []
    gates = {(feed, gate.CHECK) for feed in FEEDS}
    assert set(outcomes) == gates | {(rule.feed, rule.check) for suite in rules().values() for rule in suite}
    assert warehouse.rows(REJECTED) == warehouse.rows(EMPTIED) == []
    assert {warehouse.state(feed) for feed in FEEDS} == {("ok", None)}
    assert warehouse.steps[0][0] == "crm/accounts"
    assert {(feed, rows) for feed, rows, _ in warehouse.steps} == {(feed, 1) for feed in FEEDS}
    recorded = warehouse.rows(
        "SELECT count(*), bool_and(checked_at = TIMESTAMP '2025-06-30 06:00') FROM audit.checks"
    )
    assert recorded == [(len(outcomes), True)]


def test_what_is_recorded_of_a_value_is_its_first_character_and_length(warehouse: Warehouse) -> None:
    warehouse.land("crm/contacts", {"email": "ann at acme.test"}, good=9)
    warehouse.check()
    line = "SELECT feed, source_file, row_number, masked_value, batch_id, message"
    assert warehouse.rows(f"{line} FROM quarantine.rejected_values") == [
        ("crm/contacts", "crm/contacts/1.csv", 1, "a***(16)", 1, "expected: email has the form of an address")
    ]
    kept = warehouse.rows("SELECT email, full_name, role FROM raw.crm_contacts WHERE _row_number = 1")
    assert kept == [(None, "Ann Miller", "champion")]


def test_a_row_that_breaks_two_rules_has_one_line_and_leaves_once(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", {"status": "lost", "amount_usd": -1}, good=9)
    warehouse.check()
    assert warehouse.rows(REJECTED) == [(1, "unknown_value", "status")]
    (message,) = warehouse.rows("SELECT message FROM quarantine.rejected_rows")
    assert message.endswith(" (and 1 more in this row)")
    assert warehouse.rows("SELECT count(*) FROM raw.billing_payments") == [9]


def test_a_refused_row_neither_waits_nor_loses_a_value(warehouse: Warehouse) -> None:
    warehouse.land(
        "support/tickets", {"account_id": "nobody", "priority": "P1", "opened_at": TOO_LATE}, good=9
    )
    warehouse.check()
    assert warehouse.rows(REJECTED) == [(1, "time_in_future", "opened_at")]
    assert warehouse.rows(EMPTIED) == []
    assert warehouse.rows("SELECT count(*) FROM quarantine.waiting_support_tickets") == [0]
    assert warehouse.rows("SELECT count(*) FROM raw.support_tickets") == [9]


@pytest.mark.parametrize(
    "feed", [feed for feed in FEEDS if "account_id" in GOOD[feed] and feed != "crm/accounts"]
)
def test_rows_of_an_account_that_has_not_arrived_wait_whole(warehouse: Warehouse, feed: str) -> None:
    warehouse.land(feed, {"account_id": "a2"}, {"account_id": "a2"}, good=8)
    warehouse.con.execute(f"UPDATE raw.{table_name(feed)} SET _extra = '{{\"x\": 1}}'")
    rows = warehouse.rows(
        f"SELECT * FROM raw.{table_name(feed)} WHERE account_id = 'a2' ORDER BY _row_number"
    )
    outcome = warehouse.check()[feed, "account_id_resolves"]
    assert warehouse.rows(f"SELECT * FROM quarantine.waiting_{table_name(feed)} ORDER BY _row_number") == rows
    assert warehouse.rows(f"SELECT min(_row_number), count(*) FROM raw.{table_name(feed)}") == [(3, 8)]
    assert warehouse.rows(REJECTED) == [
        (1, "unresolved_account", "account_id"),
        (2, "unresolved_account", "account_id"),
    ]
    assert (outcome.success, outcome.severity, outcome.unexpected_count) == (False, "warning", 2)
    assert warehouse.state(feed) == ("ok", None)


def test_a_waiting_row_waits_without_its_bad_value(warehouse: Warehouse) -> None:
    warehouse.land("support/tickets", {"account_id": "a2", "priority": "P1"}, good=9)
    warehouse.check()
    assert warehouse.rows("SELECT priority FROM quarantine.waiting_support_tickets") == [None]
    assert warehouse.rows(EMPTIED) == [(1, "unknown_value", "priority")]


def test_rows_of_an_account_refused_in_the_same_run_wait(warehouse: Warehouse) -> None:
    warehouse.land("crm/accounts", {"account_id": "a2", "updated_at": TOO_LATE}, good=9)
    warehouse.land("product/events", {"account_id": "a2"}, {"event_id": "e2", "account_id": "good1_0"})
    warehouse.check()
    assert warehouse.rows("SELECT account_id FROM quarantine.waiting_product_events") == ["a2"]
    assert warehouse.rows("SELECT account_id FROM raw.product_events") == ["good1_0"]


def test_a_hundred_thousand_rows_wait_without_passing_through_python(warehouse: Warehouse) -> None:
    warehouse.con.execute(
        "INSERT INTO raw.product_events (event_id, account_id, event_name, occurred_at, _loaded_at, "
        "_batch_id, _source_file, _row_number) SELECT i, 'nobody', 'login', TIMESTAMP '2025-06-29', "
        "TIMESTAMP '2025-06-30 06:00', 1, 'e.csv', i FROM range(100000) AS t(i)"
    )
    outcome = warehouse.check()["product/events", "account_id_resolves"]
    assert outcome.unexpected_count == 100_000
    assert warehouse.rows("SELECT count(*) FROM quarantine.waiting_product_events") == [100_000]
    assert warehouse.rows("SELECT count(DISTINCT row_number) FROM quarantine.rejected_rows") == [100_000]
    assert warehouse.rows("SELECT count(*) FROM raw.product_events") == [0]


@pytest.mark.parametrize(
    ("feed", "check_name", "column", "severity"),
    [
        ("crm/accounts", "plan_id_known", "plan_id", "warning"),
        ("billing/subscriptions", "plan_id_known", "plan_id", "warning"),
        ("product/events", "event_name_known", "event_name", "warning"),
        ("support/tickets", "status_known", "status", "warning"),
        ("crm/accounts", "owner_id_resolves", "owner_id", "info"),
        ("crm/touchpoints", "owner_id_resolves", "owner_id", "info"),
        ("crm/pulses", "owner_id_resolves", "owner_id", "info"),
    ],
)
def test_an_unknown_reference_is_reported_by_name_and_changes_nothing(
    warehouse: Warehouse, feed: str, check_name: str, column: str, severity: str
) -> None:
    values = [{column: "zz"}, {column: "zz"}, {column: "yy"}, {}]
    if feed in ("crm/accounts", "crm/touchpoints", "crm/pulses"):
        values.append({column: None})
    warehouse.land(feed, *values)
    outcome = warehouse.check()[feed, check_name]
    assert (outcome.success, outcome.unexpected_count, outcome.severity) == (False, 3, severity)
    assert outcome.message.endswith(": reported only; found zz, yy")
    assert warehouse.rows(f"SELECT count(*) FROM raw.{table_name(feed)} WHERE _batch_id = 1") == [len(values)]


@pytest.mark.parametrize(
    ("feed", "column", "found", "nearest"),
    [
        ("billing/subscriptions", "status", "cancled", "canceled"),
        ("billing/subscriptions", "status", "Cancelledd", "canceled"),
        ("billing/payments", "status", "suceeded", "succeeded"),
        ("support/tickets", "priority", "urgnet", "urgent"),
        ("crm/contacts", "role", "administrater", "admin"),
        ("feedback/surveys", "kind", "unlike", None),
    ],
)
def test_a_word_that_is_refused_is_reported_with_the_nearest_known(
    warehouse: Warehouse, feed: str, column: str, found: str, nearest: str | None
) -> None:
    warehouse.land(feed, {column: found}, {column: "zzzzzz"}, good=20)
    outcome = warehouse.check()[feed, f"{column}_known"]
    table = "rejected_values" if outcome.action == "null_value" else "rejected_rows"
    messages = warehouse.rows(f"SELECT message FROM quarantine.{table} ORDER BY row_number")
    assert [message.split("; nearest known: ")[1:] for message in messages] == [
        [nearest] if nearest else [],
        [],
    ]
    named = f"{found} (nearest known: {nearest})" if nearest else found
    assert f"found {named}, zzzzzz" in outcome.message


SPELLINGS = ["LOGIN", "log-in", "Log In", "logIn", "log.in", "l\u00f3gin", "lo\u0301gin", " Login_"]


def test_an_event_name_in_another_spelling_is_known_where_one_can_be_meant(
    warehouse: Warehouse,
) -> None:
    (warehouse.seeds / "product_events.csv").write_text(
        "event_name,is_login\nlogin,true\nExport Done,false\nexport_done,false\nstep_1_2,false\n"
    )
    strange = ["Export-done", "step_12", "logins", "-"]
    names = [*SPELLINGS, "Export Done", "export_done", "Step 1.2", *strange]
    warehouse.land("product/events", *[{"event_name": name, "event_id": name} for name in names])
    outcome = warehouse.check()["product/events", "event_name_known"]
    assert outcome.unexpected_count == len(strange)
    assert "logins (nearest known: login)" in outcome.message
    assert warehouse.rows("SELECT list(event_name ORDER BY _row_number) FROM raw.product_events") == [names]


def test_values_of_columns_with_personal_data_are_no_examples(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crm_contacts.yml").write_text(
        "name: crm_contacts\nmeta: {feed: crm/contacts}\nexpectations:\n"
        + "".join(
            "  - type: unexpected_rows_expectation\n    severity: warning\n"
            f"    description: {column} is empty\n"
            f"    kwargs: {{unexpected_rows_query: 'select * from {{batch}} where {column} is not null'}}\n"
            f"    meta: {{check: no_{column}, action: tell, column: {column}}}\n"
            for column in ("contact_id", "full_name")
        )
    )
    monkeypatch.setattr(suites, "FOLDER", tmp_path)
    caches = (suites.suites, suites.rules)
    for cached in caches:
        cached.cache_clear()
    try:
        warehouse.land("crm/contacts", {})
        outcomes = warehouse.check()
    finally:
        for cached in caches:
            cached.cache_clear()
    assert "c1" in outcomes["crm/contacts", "no_contact_id"].message
    assert outcomes["crm/contacts", "no_full_name"].unexpected_count == 1
    assert "Ann" not in outcomes["crm/contacts", "no_full_name"].message


def test_a_key_that_is_there_twice_is_reported_only(warehouse: Warehouse) -> None:
    warehouse.land("billing/invoices", {}, {}, {"invoice_id": "i2"})
    warehouse.land("billing/subscriptions", {}, {}, {"updated_at": "2025-06-28"})
    outcomes = warehouse.check()
    assert outcomes["billing/invoices", "invoice_id_unique"].unexpected_count == 2
    assert outcomes["billing/subscriptions", "version_unique"].unexpected_count == 2
    assert outcomes["billing/invoices", "invoice_id_unique"].severity == "info"
    assert warehouse.rows("SELECT count(*) FROM raw.billing_invoices") == [3]


def test_a_resolution_before_the_opening_is_reported(warehouse: Warehouse) -> None:
    warehouse.land("support/tickets", {"resolved_at": "2025-06-27"}, {"resolved_at": None}, {})
    outcome = warehouse.check()["support/tickets", "resolved_at_after_opened_at"]
    assert (outcome.success, outcome.unexpected_count, outcome.severity) == (False, 1, "warning")


# Holding a feed back


def test_a_fifth_of_bad_rows_is_refused_and_more_hold_the_feed_back(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", *[{"status": "lost"}] * 4, good=16)
    warehouse.land("billing/invoices", *[{"status": "lost"}] * 5, good=15)
    outcomes = warehouse.check()
    assert outcomes["billing/payments", "status_known"].success
    assert len(warehouse.rows("FROM raw.billing_payments")) == 16
    assert warehouse.state("billing/payments") == ("ok", None)
    blocked = outcomes["billing/invoices", "status_known"]
    assert (blocked.success, blocked.severity, blocked.error) == (False, "critical", None)
    assert warehouse.rows("FROM raw.billing_invoices") == []
    assert warehouse.state("billing/invoices")[0] == "held"
    assert blocked_feeds(warehouse.con, "run1") == {
        "billing/invoices": warehouse.state("billing/invoices")[1]
    }


def test_a_blocked_feed_names_check_file_row_column_and_remedy_once_per_file(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", good=2, batch=0)
    warehouse.land("billing/payments", {}, {"status": "lost", "amount_usd": -1}, file="b.csv")
    warehouse.land("billing/payments", {"status": "lost"}, file="a.csv")
    warehouse.check()
    lines = warehouse.rows(
        "SELECT source_file, row_number, rule, column_name, batch_id FROM quarantine.rejected_rows "
        "ORDER BY ALL"
    )
    assert lines == [("a.csv", None, "feed_held", None, 1), ("b.csv", None, "feed_held", None, 1)]
    state, reason = warehouse.state("billing/payments")
    assert state == "held"
    assert reason is not None
    assert reason.startswith("2 of 3 rows fail the check status_known")
    assert reason.endswith("the first in a.csv row 1 column status")
    message = warehouse.rows("SELECT message FROM quarantine.rejected_rows")[0]
    assert f"{reason}. What to do: {actions.REMEDY}" in message


def test_holding_a_batch_back_leaves_earlier_batches(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", good=3)
    warehouse.check(1)
    warehouse.land("billing/payments", *[{"status": "lost"}] * 3, batch=2)
    warehouse.check(2)
    assert warehouse.rows("SELECT DISTINCT _batch_id, count(*) FROM raw.billing_payments GROUP BY 1") == [
        (1, 3)
    ]
    assert warehouse.state("billing/payments", 1)[0] == "ok"
    assert warehouse.state("billing/payments", 2)[0] == "held"


def test_one_bad_row_alone_is_refused_however_small_the_batch(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", good=1, batch=0)
    warehouse.land("billing/payments", {"status": "lost"})
    outcome = warehouse.check()["billing/payments", "status_known"]
    assert (outcome.success, outcome.severity) == (False, "warning")
    assert warehouse.rows(REJECTED) == [(1, "unknown_value", "status")]
    assert warehouse.state("billing/payments") == ("ok", None)


def test_a_row_that_is_all_a_feed_ever_had_holds_it_back(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", {"status": "lost"})
    warehouse.check()
    state, reason = warehouse.state("billing/payments")
    assert state == "held"
    assert reason is not None
    assert "1 refused for unknown_value in column status" in reason


def test_a_check_that_cannot_run_holds_its_feed_and_no_other(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", good=3)
    warehouse.land("billing/invoices", good=3)
    warehouse.con.execute("ALTER TABLE raw.billing_payments DROP COLUMN amount_usd")
    outcomes = warehouse.check()
    outcome = outcomes["billing/payments", "amount_usd_not_negative"]
    assert not outcome.success
    assert outcome.error
    assert outcome.severity == "critical"
    assert "[SQL:" not in outcome.message
    assert outcome.unexpected_count is None
    state, reason = warehouse.state("billing/payments")
    assert state == "held"
    assert reason is not None
    assert reason.startswith("the check amount_usd_not_negative could not run")
    assert warehouse.rows("FROM raw.billing_payments") == []
    assert warehouse.state("billing/invoices") == ("ok", None)


def test_a_check_that_only_reports_and_cannot_run_blocks_its_feed_too(warehouse: Warehouse) -> None:
    warehouse.land("crm/accounts", good=3)
    warehouse.land("crm/touchpoints", good=3)
    warehouse.con.execute("DROP TABLE raw.crm_owners")
    create_owners = "CREATE TABLE raw.crm_owners (id VARCHAR, _batch_id BIGINT, _loaded_at TIMESTAMP)"
    warehouse.con.execute(create_owners)
    with pytest.raises(CheckError, match="owner_id_resolves could not run"):
        warehouse.check()
    assert warehouse.state("crm/touchpoints")[0] == "held"
    told = warehouse.rows("SELECT DISTINCT severity FROM audit.checks WHERE error IS NOT NULL")
    assert told == ["critical"]


def test_a_suite_with_an_unknown_parameter_is_an_error_that_names_it(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "billing_subscriptions.yml"
    suite.write_text(path_of("billing/subscriptions").read_text().replace("fresh_after", "fresh_aftr"))
    monkeypatch.setattr(validate, "path_of", lambda _: suite)
    monkeypatch.setattr(validate, "suites", lambda: dict([read_suite(suite)]))
    monkeypatch.setattr(validate, "rules", lambda: {"billing/subscriptions": ()})
    warehouse.land("billing/subscriptions", {})
    with pytest.raises(CheckError, match=r"No value found for [$]PARAMETER fresh_aftr") as error:
        warehouse.check()
    assert error.value.file == suite
    assert len(warehouse.rows("FROM raw.billing_subscriptions")) == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "(duckdb.OutOfMemoryException) Out of Memory Error: could not allocate",
            duckdb.OutOfMemoryException,
        ),
        ("(duckdb.IOException) IO Error: No space left on device", duckdb.IOException),
    ],
)
def test_a_machine_that_fails_is_no_failing_check(text: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"Error"):
        validate._error({"one": {"raised_exception": True, "exception_message": text}})
    assert validate._error({"raised_exception": False, "exception_message": None}) is None


def test_blocked_accounts_end_the_run_after_every_feed_was_checked(warehouse: Warehouse) -> None:
    warehouse.land("crm/accounts", *[{"updated_at": TOO_LATE}] * 3)
    warehouse.land("billing/payments", {"status": "lost"}, good=9)
    for _ in range(2):  # repeated, the run ends the same way and records nothing twice
        with pytest.raises(
            CheckError, match="nothing to score: 3 of 3 rows fail the check updated_at_not_in_future"
        ):
            warehouse.check()
        assert warehouse.state("crm/accounts")[0] == "held"
        assert warehouse.rows("SELECT account_id FROM raw.crm_accounts") == ["a1"]
        assert len(warehouse.rows("FROM raw.billing_payments")) == 9


def test_rows_that_had_waited_go_back_to_waiting_when_their_feed_is_blocked(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", {"account_id": "a2"}, file="old.csv")
    warehouse.check(1)
    for statement in (  # what landing does when the account arrives
        "INSERT INTO raw.billing_payments "
        "SELECT * REPLACE (2 AS _batch_id) FROM quarantine.waiting_billing_payments",
        "DELETE FROM quarantine.waiting_billing_payments",
        "DELETE FROM quarantine.rejected_rows",
        "UPDATE raw.crm_accounts SET account_id = 'a2'",
    ):
        warehouse.con.execute(statement)
    warehouse.land("billing/payments", *[{"status": "lost"}] * 3, batch=2, file="new.csv")
    warehouse.check(2)
    assert warehouse.rows("FROM raw.billing_payments") == []
    assert warehouse.rows("SELECT _source_file, status FROM quarantine.waiting_billing_payments") == [
        ("old.csv", "succeeded")
    ]
    lines = warehouse.rows("SELECT source_file, row_number, rule FROM quarantine.rejected_rows ORDER BY ALL")
    assert lines == [("new.csv", None, "feed_held"), ("old.csv", 1, "unresolved_account")]


# Which rows are looked at


def test_a_run_repeated_tells_the_same_and_does_nothing_twice(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", {"status": "lost"}, good=9)
    warehouse.land("billing/invoices", *[{"status": "lost"}] * 3)
    first = warehouse.check()
    tables = ("quarantine.rejected_rows", "audit.checks", "audit.feed_states", "raw.billing_payments")
    before = [warehouse.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables]
    assert warehouse.check() == first
    assert [warehouse.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables] == before
    assert blocked_feeds(warehouse.con, "run1").keys() == {"billing/invoices"}


def test_rows_are_looked_at_once(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", good=3)
    warehouse.check(1)
    warehouse.con.execute("UPDATE raw.billing_payments SET status = 'lost'")
    warehouse.land("billing/payments", {}, batch=2)
    assert warehouse.check(2)["billing/payments", "volume"].observed == "1"
    assert warehouse.rows(REJECTED) == []


def test_rows_that_a_broken_run_left_unchecked_are_checked_by_the_next(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", {"status": "lost"}, good=9, batch=1)
    warehouse.land("billing/payments", {"payment_id": "y2"}, batch=2)
    assert warehouse.check(2)["billing/payments", "volume"].observed == "11"
    assert warehouse.rows("SELECT batch_id, rule FROM quarantine.rejected_rows") == [(1, "unknown_value")]


def test_a_feed_is_changed_and_recorded_in_one_piece(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("gone")

    warehouse.land("billing/payments", {"status": "lost"}, good=9)
    with monkeypatch.context() as patched:
        patched.setattr(actions, "record", broken)
        with pytest.raises(RuntimeError, match="gone"):
            warehouse.check()
    assert len(warehouse.rows("FROM raw.billing_payments")) == 10
    assert warehouse.rows(REJECTED) == warehouse.rows("FROM audit.checks") == []
    assert warehouse.check()["billing/payments", "status_known"].unexpected_count == 1


def test_a_feed_blocked_for_rows_of_a_broken_run_is_blocked_for_that_run_too(warehouse: Warehouse) -> None:
    warehouse.land("billing/payments", *[{"status": "lost"}] * 3, batch=1)
    warehouse.land("billing/invoices", {}, batch=1)
    warehouse.land("billing/payments", {}, batch=2)
    warehouse.check(2)
    assert warehouse.state("billing/payments", 1) == warehouse.state("billing/payments", 2)
    assert warehouse.state("billing/payments", 2)[0] == "held"
    assert warehouse.state("billing/invoices", 1) == ("ok", None)


def test_feeds_without_new_rows_still_get_their_state(warehouse: Warehouse) -> None:
    warehouse.arrive("crm/goals", rows=0)
    warehouse.arrive("crm/pulses", status="refused")
    warehouse.arrive("crm/overrides", status="refused", file="a.csv")
    warehouse.arrive("crm/overrides", status="repeated", file="b.csv")
    outcomes = warehouse.check()
    assert {(feed, each.success) for (feed, _), each in outcomes.items()} == {
        ("crm/goals", True), ("crm/pulses", False), ("crm/overrides", False),
    }  # fmt: skip
    assert warehouse.state("crm/goals") == ("ok", None)
    assert warehouse.state("crm/pulses")[0] == "held"
    assert warehouse.state("crm/overrides")[0] == "held"
    assert warehouse.rows("SELECT feed FROM audit.feed_states WHERE feed LIKE 'billing%'") == []


def test_a_blocked_file_lands_again_when_it_is_corrected_or_under_another_name(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    extracts = tmp_path / "extracts"
    accounts, payments = extracts / "crm/accounts/a.csv", extracts / "billing/payments/p.csv"
    for file in (accounts, payments):
        file.parent.mkdir(parents=True)
    accounts.write_text("account_id,name,created_at\na1,Acme,2024-01-01\n")
    header, fine = (
        "payment_id,account_id,status,attempted_at",
        "p1,a1,failed,2025-06-01\np2,a1,failed,2025-06-01\n",
    )
    bad = f"{header}\n{fine.replace('failed', 'lost')}"
    landed = []
    for batch, (name, text) in enumerate(
        [("p.csv", bad), ("p.csv", bad), ("q.csv", bad), ("p.csv", f"{header}\n{fine}")], start=1
    ):
        payments.with_name(name).write_text(text)
        land(warehouse.con, extracts, run_id=f"run{batch}", batch_id=batch, now=NOW)
        warehouse.check(batch)
        blocked = sorted(blocked_feeds(warehouse.con, f"run{batch}"))
        landed.append((blocked, len(warehouse.rows("FROM raw.billing_payments"))))
    blocked = ["billing/payments"]
    assert landed == [(blocked, 0), (blocked, 0), (blocked, 0), ([], 2)]


# Volume and freshness


@pytest.mark.parametrize(
    ("earlier", "rows", "success"),
    [
        ([10, 10], 1, True),
        ([10, 10, 10], 4, False),
        ([10, 10, 10], 5, True),
        ([2, 2, 2], 10, True),
        ([2, 2, 2], 11, False),
        ([1000, 2, 2, 2], 2, True),
        ([0, 0, 10, 10], 1, True),
    ],
)
def test_volume_is_judged_by_the_median_of_three_or_more_batches(
    warehouse: Warehouse, earlier: list[int], rows: int, success: bool
) -> None:
    for batch, landed in enumerate(earlier, start=1):
        warehouse.arrive("billing/payments", batch=batch, rows=landed, file=f"{batch}.csv")
    warehouse.con.execute(  # what earlier batches brought has been checked
        "INSERT INTO audit.checks (batch_id, feed) "
        "SELECT batch_id, feed FROM audit.loads WHERE feed LIKE 'billing%'"
    )
    warehouse.land("billing/payments", good=rows, batch=9)
    outcome = warehouse.check(9)["billing/payments", "volume"]
    assert (outcome.success, outcome.observed, outcome.severity) == (success, str(rows), "warning")
    assert warehouse.state("billing/payments", 9) == ("ok", None)


@pytest.mark.parametrize(
    ("newest", "success"), [("2025-06-23 00:00:00", True), ("2025-06-22 23:59:59", False)]
)
def test_freshness_is_the_newest_time_against_max_age_days(
    warehouse: Warehouse, newest: str, success: bool
) -> None:
    warehouse.land("product/events", {"occurred_at": newest}, {"occurred_at": "2025-01-01"})
    outcome = warehouse.check()["product/events", "fresh"]
    assert (outcome.success, outcome.observed, outcome.severity) == (success, newest, "warning")
    if not success:
        assert "expected at least 2025-06-23 00:00:00" in outcome.message


def test_a_feed_without_max_age_days_is_always_fresh(warehouse: Warehouse) -> None:
    (warehouse.seeds / "feeds.csv").write_text("feed,is_used,max_age_days\nproduct/events,true,\n")
    warehouse.land("product/events", {"occurred_at": "2019-01-01"})
    assert warehouse.check()["product/events", "fresh"].success


# Reference data and surroundings


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("plans.csv", None, "cannot be read"),
        ("plans.csv", "plan,name\nfree,Free\n", "column plan_id: the column is missing"),
        ("product_events.csv", None, "cannot be read"),
        ("feeds.csv", "feed,max_age_days\nproduct/events,week\n", "row 1, column max_age_days: week is not"),
    ],
)
def test_unreadable_reference_data_is_an_error_with_its_place(
    warehouse: Warehouse, file: str, content: str | None, message: str
) -> None:
    warehouse.land("product/events", {})
    path = warehouse.seeds / file
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message) as error:
        warehouse.check()
    assert error.value.file == path
    assert warehouse.rows("FROM audit.checks") == []
    assert warehouse.rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal") == ["memory"]


def test_a_warehouse_of_any_file_name_is_checked_and_left_as_it_was(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    with duckdb.connect(str(tmp_path / 'my "house" 1.duckdb')) as con:
        create(con)
        other = Warehouse(con, warehouse.seeds)
        other.land("crm/accounts", {}, {"arr_usd": -1}, {"plan_id": "zz"}, good=9)
        schemas = other.rows("SELECT database_name, schema_name FROM duckdb_schemas() ORDER BY ALL")
        assert other.check()["crm/accounts", "arr_usd_not_negative"].unexpected_count == 1
        assert other.rows("SELECT database_name, schema_name FROM duckdb_schemas() ORDER BY ALL") == schemas
    with duckdb.connect(str(tmp_path / 'my "house" 1.duckdb')):  # nothing holds the file open
        pass


def test_nothing_is_written_outside_the_docs_folder(tmp_path: Path, warehouse: Warehouse) -> None:
    """Great Expectations keeps no settings, no temporary files and sends nothing home."""
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import os, sys, pathlib, duckdb; sys.path.insert(0, sys.argv[1]); import arrivals\n"
        "con = duckdb.connect(); arrivals.create(con)\n"
        "w = arrivals.Warehouse(con, pathlib.Path(sys.argv[2]), docs=pathlib.Path(sys.argv[3]))\n"
        "w.land('crm/accounts', {}); assert len(w.check()) == 11\n"
        "assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'\n"
        "assert not list(pathlib.Path.home().rglob('*'))"
    )
    paths = [str(Path(__file__).parent), str(warehouse.seeds), str(tmp_path / "docs")]
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, *paths], check=True, cwd=home, env=environment)
    assert list(home.rglob("*")) == []
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {"index.html", "crm_accounts.html"}


def test_check_takes_utc_times_with_and_without_offset(warehouse: Warehouse) -> None:
    warehouse.land("crm/goals", {})
    arguments: dict[str, Any] = {"as_of_end": date(2025, 6, 30), "seeds": warehouse.seeds, "docs": None}
    check(warehouse.con, run_id="a", batch_id=1, now=NOW, **arguments)
    warehouse.land("crm/goals", {}, batch=2)
    check(warehouse.con, run_id="b", batch_id=2, now=NOW.replace(tzinfo=None), **arguments)
    assert warehouse.rows("SELECT count(DISTINCT checked_at) FROM audit.checks") == [1]


def test_ids_that_name_several_accounts_or_users_are_reported_and_many_block_the_feed(
    warehouse: Warehouse,
) -> None:
    warehouse.land("crm/accounts", {"account_id": "a2"}, batch=0, file="more.csv")
    one, other = {"event_id": "e1", "user_id": "u1"}, {"event_id": "e1", "user_id": "u2"}
    warehouse.land("product/events", one, other, good=8)
    found = warehouse.check()["product/events", "key_conflicts"]
    assert (found.success, found.severity, found.unexpected_count) == (False, "warning", 2)
    assert "2 of 10 rows" in found.message
    assert found.message.endswith("found e1")
    assert warehouse.state("product/events") == ("ok", None)
    warehouse.land("product/events", *[{**one, "account_id": "a2"}] * 3, good=9, batch=2)
    warehouse.check(2)
    state, reason = warehouse.state("product/events", 2)
    assert state == "held"
    assert "3 of 12 rows fail the check key_conflicts_in_bounds" in str(reason)
    assert "the first in product/events/2.csv row 1 column event_id" in str(reason)


@pytest.mark.parametrize(
    ("feed", "same", "changes", "conflicts"),
    [
        ("billing/subscriptions", {"account_id": "a2"}, {}, 2),
        ("billing/subscriptions", {"account_id": "a2", "updated_at": "2025-06-30"}, {}, 0),
        ("billing/subscriptions", {"status": "paused"}, {}, 0),
        ("billing/payments", {"account_id": "a2"}, {}, 2),
        ("billing/payments", {"status": "failed"}, {}, 0),
        ("product/events", {"user_id": "u2"}, {"user_id": None}, 0),
        ("product/events", {"event_name": "other"}, {}, 0),
        ("crm/accounts", {"created_at": "2023-01-01"}, {}, 2),
        ("crm/accounts", {"name": "Acme Ltd"}, {}, 0),
    ],
)
def test_what_cannot_be_a_correction(
    warehouse: Warehouse, feed: str, same: dict[str, Any], changes: dict[str, Any], conflicts: int
) -> None:
    warehouse.land("crm/accounts", {"account_id": "a2"}, batch=0, file="more.csv")
    warehouse.land(feed, changes, {**changes, **same}, good=18, file="new.csv")
    assert warehouse.check()[feed, "key_conflicts"].unexpected_count == conflicts


def name_key(warehouse: Warehouse, key: str) -> None:
    (warehouse.seeds / "feeds.csv").write_text(
        f"feed,is_used,max_age_days,key\nproduct/events,true,7,{key}\n"
    )


@pytest.mark.parametrize(
    ("key", "changes", "conflicts"),
    [
        ("event_id user_id", {"user_id": "u2"}, 0),
        ("event_id user_id", {"user_id": None}, 0),
        ("event_id user_id", {"event_name": "other"}, 0),
        ("event_id user_id", {"account_id": "a2"}, 2),
        ("event_id user_id", {"occurred_at": "2025-06-28"}, 2),
        ("account_id event_id", {"account_id": "a2"}, 0),
        ("account_id event_id", {"user_id": "u2"}, 2),
        ("account_id user_id event_id", {"account_id": "a2"}, 0),
        ("account_id user_id event_id", {"occurred_at": "2025-06-28"}, 2),
        ("occurred_at account_id user_id event_id", {"occurred_at": "2025-06-28"}, 0),
        ("occurred_at account_id user_id event_id", {"event_name": "other"}, 0),
    ],
)
def test_a_named_key_says_which_events_are_one(
    warehouse: Warehouse, key: str, changes: dict[str, Any], conflicts: int
) -> None:
    name_key(warehouse, key)
    warehouse.land("crm/accounts", {"account_id": "a2"}, batch=0, file="more.csv")
    warehouse.land("product/events", {"user_id": "u1"}, {"user_id": "u1", **changes}, good=18, file="new.csv")
    assert warehouse.check()["product/events", "key_conflicts"].unexpected_count == conflicts


def test_under_a_named_key_only_the_same_event_makes_up_for_a_refused_one(warehouse: Warehouse) -> None:
    name_key(warehouse, "account_id user_id event_id")
    warehouse.land("crm/accounts", {"account_id": "a2"}, batch=0, file="more.csv")
    of_nobody, of_u1, of_u2 = ({"account_id": "a2", "user_id": user} for user in (None, "u1", "u2"))
    late = {"occurred_at": "2030-01-01"}
    warehouse.land("product/events", {**of_u1, **late}, {**of_nobody, **late}, good=18)
    warehouse.check()
    open_keys = "SELECT entity_key FROM quarantine.refused_keys WHERE superseded_at IS NULL ORDER BY 1"
    assert warehouse.rows(open_keys) == ["e1 a2 ", "e1 a2 u1"]
    warehouse.land("product/events", of_u2, good=9, batch=2)
    warehouse.check(2)
    assert warehouse.rows(open_keys) == ["e1 a2 ", "e1 a2 u1"]
    warehouse.land("product/events", of_u1, of_nobody, good=9, batch=3)
    warehouse.check(3)
    assert warehouse.rows(open_keys) == []
