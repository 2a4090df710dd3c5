"""The suites: what contracts give every feed, what files add, and that anything misspelt is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arrivals import FEEDS, ROOT

from radar.core.errors import CheckError
from radar.landing.feeds import ALLOWED, CONTRACTS, TIMES, load_feeds
from radar.quality.base_suite import base_suite
from radar.quality.suites import FOLDER, Expectation, Rule, merged, read_suite, rules, suites
from radar.quality.validate import build_suite

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
    assert columns_of(rule) <= set(FEEDS[rule.feed].column_names)


@pytest.mark.parametrize("rule", ALL_RULES, ids=named)
def test_what_a_rule_costs_is_what_the_contract_says(rule: Rule) -> None:
    if rule.action in ("reject_row", "null_value"):
        (column,) = (column for column in FEEDS[rule.feed].columns if column.name == rule.column)
        assert column.refuses_row == (rule.action == "reject_row")


@pytest.mark.parametrize("rule", ALL_RULES, ids=named)
def test_only_rules_that_refuse_rows_and_keys_that_are_not_unique_can_hold_a_feed_back(rule: Rule) -> None:
    is_critical = rule.severity == "critical"
    if rule.check == "key_conflicts_in_bounds":  # its bound is in the query
        assert is_critical
        return
    assert is_critical == (rule.action == "reject_row")
    assert rule.kwargs.get("mostly") == (0.8 if is_critical else None)


@pytest.mark.parametrize("feed", FEEDS)
def test_keys_times_enumerations_bounds_accounts_and_volume_are_covered(feed: str) -> None:
    contract, suite = FEEDS[feed], rules()[feed]
    by_type: dict[str, set[str]] = {}
    for rule in suite:
        by_type.setdefault(rule.expectation_type, set()).update(columns_of(rule))
    keys = {*contract.key, "account_id"} & set(contract.column_names)
    assert keys <= by_type["expect_column_values_to_not_be_null"]
    times = {one.name for one in contract.columns if one.type in TIMES and one.future != ALLOWED}
    bounded = {one.name for one in contract.columns if one.minimum is not None or one.maximum is not None}
    assert times | bounded <= by_type.get("expect_column_values_to_be_between", set())
    enums = {one.name for one in contract.columns if one.type == "enum"}
    assert enums <= by_type.get("expect_column_values_to_be_in_set", set())
    assert any(rule.check == "volume" for rule in suite)
    assert any(rule.action == "wait" for rule in suite) == (
        feed != "crm/accounts" and "account_id" in contract.column_names
    )


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_a_suite_says_nothing_that_follows_from_the_contract(path: Path) -> None:
    feed, own = read_suite(path)
    derived = [entry for part in base_suite(FEEDS[feed]) for entry in part]
    assert [one.check for one in own if one.entry in derived] == []
    assert own, "a file without an expectation of its own can go"


def test_an_expectation_of_ones_own_takes_the_place_of_the_derived_one() -> None:
    entry = {"type": "unexpected_rows_expectation", "meta": {"check": "account_id_resolves"}}
    own = Expectation(FOLDER / "crm_identities.yml", 1, entry)
    found = [one for one in merged("crm/identities", (own,)) if one.check == "account_id_resolves"]
    assert found == [own]


def test_an_identity_may_lead_to_an_account_through_another_identity() -> None:
    """A customer of billing is known by a domain, and an identity of the CRM says whose domain it is."""
    (rule,) = (rule for rule in rules()["crm/identities"] if rule.check == "account_id_resolves")
    assert "hygiene.accounts_crm" in rule.kwargs["unexpected_rows_query"]


CONTRACT = """\
description: Calls of the phone system.
key: [call_id]
precedence: last_landed
max_age_days: 7
event_times: [called_at]
constant_per_key: [account_id]
columns:
  call_id: {description: Its id., type: id, required: true, pii: none, example: c1}
  account_id: {description: The account., type: id, required: true, pii: none, example: a1}
  outcome: {description: How it went., type: enum, values: [good, bad], example: good}
  minutes: {description: Its length in minutes., type: int, min: 1, max: 600, on_bad_value: row, example: 5}
  rating: {description: What they thought of it., type: decimal, max: 5, example: 4.5}
  mail: {description: Of the caller., type: text, format: email, pii: personal, example: a@b.test}
  called_at: {description: "When, in UTC.", type: timestamp, required: true, example: 2026-01-01T00:00:00Z}
  next_on: {description: The day of the next one., type: date, future: reported, example: 2026-02-01}
  ends_on: {description: The last day., type: date, future: allowed, example: 2026-02-01}
"""


def test_a_contract_gives_a_feed_its_suite(tmp_path: Path) -> None:
    folder = tmp_path / "contract"
    shutil.copytree(CONTRACTS, folder)
    (folder / "phone__calls.yml").write_text(CONTRACT)
    first, last = base_suite(load_feeds(folder)["phone/calls"])
    found = {entry["meta"]["check"]: entry for entry in (*first, *last)}
    assert {check: entry["meta"]["action"] for check, entry in found.items()} == {
        "call_id_present": "reject_row",
        "call_id_unique": "tell",
        "account_id_present": "reject_row",
        "account_id_resolves": "wait",
        "outcome_known": "null_value",
        "minutes_in_range": "reject_row",
        "rating_in_range": "null_value",
        "mail_form": "null_value",
        "called_at_not_in_future": "reject_row",
        "next_on_not_in_future": "tell",
        "fresh": "tell",
        "volume": "tell",
        "key_conflicts": "tell",
        "key_conflicts_in_bounds": "tell",
    }
    assert found["minutes_in_range"]["kwargs"] == {
        "column": "minutes", "min_value": 1, "max_value": 600, "mostly": 0.8
    }  # fmt: skip
    assert found["rating_in_range"]["description"] == "rating is at most 5"


@pytest.mark.parametrize("feed", FEEDS)
def test_great_expectations_takes_the_suite_whole(feed: str) -> None:
    assert len(build_suite("suite", suites()[feed]).expectations) == len(rules()[feed])


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
    ("old", "new", "message"),
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
        ("    severity: critical\n", "    severity: critical\n    severity: info\n", "is there twice"),
        ("{feed: crm/owners}", "{feed: crm/owner}", "do not agree"),
        ("expectations:", "expectation:", "exactly the keys"),
        ("kwargs: {", "kwargs: {{", "not valid YAML"),
    ],
)
def test_anything_misspelt_in_a_suite_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "crm_owners.yml"
    path.write_text(ENTRY)
    assert len(build_suite("crm_owners", read_suite(path)[1]).expectations) == 1
    assert old in ENTRY
    path.write_text(ENTRY.replace(old, new))
    with pytest.raises(CheckError, match=re.escape(message)) as refused:
        build_suite("crm_owners", read_suite(path)[1])
    assert refused.value.file == path


def test_two_checks_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm_owners.yml"
    path.write_text(ENTRY + ENTRY[ENTRY.index("  - type") :])
    with pytest.raises(CheckError, match="two expectations are called present"):
        read_suite(path)


def test_articles_fit_the_names_of_columns() -> None:
    wrong = re.compile(r"\ba [aeio]\w*_\w+|\ban [^aeiou\W]\w*_\w+")
    assert [found for rule in ALL_RULES if (found := wrong.search(rule.description))] == []


def test_rule_names_are_fit_for_asset_checks() -> None:
    names: list[Any] = [rule.check for rule in ALL_RULES]
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
    assert len({(rule.feed, rule.check) for rule in ALL_RULES}) == len(ALL_RULES)
