"""The suites as data: complete, in step with the feed contract, and refused where anything is misspelt."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arrivals import FEEDS, ROOT

from radar.core.errors import CheckError
from radar.quality.suites import FOLDER, Rule, path_of, read_rules, rules
from radar.quality.validate import build_suite

# Times that may lie in the future, or for which that is only told.
FUTURE_ALLOWED = {
    "due_at", "due_date", "current_period_end", "expires_at", "card_expires_on", "valid_from", "valid_to",
    "as_of_date",
}  # fmt: skip
ALL_RULES = [rule for suite in rules().values() for rule in suite]


def named(rule: Rule) -> str:
    return f"{rule.feed}-{rule.check}"


def columns_of(rule: Rule) -> set[str]:
    kwargs = rule.kwargs
    found = {kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B"), rule.column}
    found |= set(kwargs.get("column_list", []))
    found.add(kwargs.get("row_condition", {}).get("column", {}).get("name"))
    return found - {None}


def test_every_feed_has_a_suite_and_every_suite_a_feed() -> None:
    assert set(rules()) == set(FEEDS)


@pytest.mark.parametrize("rule", ALL_RULES, ids=named)
def test_a_rule_names_only_columns_of_its_feed(rule: Rule) -> None:
    assert columns_of(rule) <= set(FEEDS[rule.feed]["columns"])


@pytest.mark.parametrize("rule", ALL_RULES, ids=named)
def test_what_a_rule_costs_is_what_the_feed_contract_says(rule: Rule) -> None:
    if rule.action in ("reject_row", "null_value"):
        need = FEEDS[rule.feed]["columns"][rule.column][1:]
        costs_the_row = "required" in need or "row" in need
        assert costs_the_row == (rule.action == "reject_row")


@pytest.mark.parametrize("rule", ALL_RULES, ids=named)
def test_only_rules_that_refuse_rows_and_keys_that_are_not_unique_can_hold_a_feed_back(rule: Rule) -> None:
    is_critical = rule.severity == "critical"
    if rule.check == "key_conflicts_in_bounds":  # its bound is in the query
        assert is_critical
        return
    assert is_critical == (rule.action == "reject_row")
    assert rule.kwargs.get("mostly") == (0.8 if is_critical else None)


@pytest.mark.parametrize("feed", FEEDS)
def test_keys_times_enumerations_accounts_and_volume_are_covered(feed: str) -> None:
    columns, suite = FEEDS[feed]["columns"], rules()[feed]
    by_type: dict[str, set[str]] = {}
    for rule in suite:
        by_type.setdefault(rule.expectation_type, set()).update(columns_of(rule))
    keys = {*FEEDS[feed]["key"], "account_id"} & set(columns)
    assert keys <= by_type["expect_column_values_to_not_be_null"]
    times = {name for name, kind in columns.items() if kind[0] in ("timestamp", "date")} - FUTURE_ALLOWED
    assert times <= by_type.get("expect_column_values_to_be_between", set())
    enums = {name for name, kind in columns.items() if kind[0] == "enum"}
    assert enums <= by_type.get("expect_column_values_to_be_in_set", set())
    assert any(rule.check == "volume" for rule in suite)
    assert any(rule.action == "wait" for rule in suite) == (
        feed != "crm/accounts" and "account_id" in columns
    )


@pytest.mark.parametrize("feed", FEEDS)
def test_great_expectations_takes_the_suite_whole(feed: str) -> None:
    assert len(build_suite(path_of(feed)).expectations) == len(rules()[feed])


def test_listing_the_rules_does_not_import_great_expectations() -> None:
    code = (
        "import sys, radar.quality.hygiene, radar.quality.suites as s; s.rules();"
        "sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


ENTRY = """\
name: crm_owners
meta: {feed: crm/owners}
expectations:
  - type: expect_column_values_to_not_be_null
    description: owner_id is present
    kwargs: {column: owner_id, mostly: 0.8}
    severity: critical
    meta: {check: present, action: reject_row, rule: missing_required}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expect_column_values_to_not_be_null", "expect_column_values_to_not_be_nul", "expectation 1"),
        ("mostly: 0.8", "mostyl: 0.8", "expectation 1"),
        ("mostly: 0.8", "mostly: 1.8", "expectation 1"),
        ("{column: owner_id,", "{colum: owner_id,", "expectation 1"),
        ("severity: critical", "severity: fatal", "severity is fatal"),
        ("severity: critical", "sevrity: critical", "exactly the keys"),
        ("action: reject_row", "action: reject", "action is reject"),
        ("action: reject_row", "acton: reject_row", "check and action"),
        (", rule: missing_required", "", "needs a column and meta.rule"),
        ("    severity: critical\n", "    severity: critical\n    severity: info\n", "stands twice"),
        ("{feed: crm/owners}", "{feed: crm/owner}", "do not agree"),
        ("expectations:", "expectation:", "exactly the keys"),
        ("kwargs: {", "kwargs: {{", "not valid YAML"),
    ],
)
def test_anything_misspelt_in_a_suite_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "crm_owners.yml"
    path.write_text(ENTRY)
    assert len(build_suite(path).expectations) == 1
    assert old in ENTRY
    path.write_text(ENTRY.replace(old, new))
    with pytest.raises(CheckError, match=re.escape(said)) as refused:
        build_suite(path)
    assert refused.value.file == path


def test_two_checks_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm_owners.yml"
    path.write_text(ENTRY + ENTRY[ENTRY.index("  - type") :])
    with pytest.raises(CheckError, match="two expectations are called present"):
        read_rules(path)


def test_articles_fit_the_names_of_columns() -> None:
    wrong = re.compile(r"\ba [aeio]\w*_\w+|\ban [^aeiou\W]\w*_\w+")
    assert [found for rule in ALL_RULES if (found := wrong.search(rule.description))] == []


def test_rule_names_are_fit_for_asset_checks() -> None:
    names: list[Any] = [rule.check for rule in ALL_RULES]
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
    assert len({(rule.feed, rule.check) for rule in ALL_RULES}) == len(ALL_RULES)
    assert len(list(FOLDER.glob("*.yml"))) == 17
