"""Sentences are templates over ledger rows: they hold no number that the ledger or the row does not hold."""

from __future__ import annotations

import csv
import re
import shutil
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import DEMO_DAYS
from tests.frozen import SEEDS
from tests.runs.radar_run import Place

NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:[.]\d+)?")
BLANK = re.compile(r"[{]\w+[}]")
REASONS = ("reason_1", "reason_2", "reason_3", "reason_4")
SENTENCES = (
    *REASONS,
    "unknown_effect",
    "inputs_to_fetch",
    "next_action",
    "next_action_reason",
    "review_reason",
)


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(text: object) -> set[str]:
    return {number.replace(",", "") for number in NUMBER.findall(str(text))}


def written(value: object) -> set[str]:
    """A value as sentences write it: two decimals at most, without its sign; the numbers of a text."""
    if value is None or isinstance(value, (bool, date, datetime)):
        return set()
    if isinstance(value, (int, float, Decimal)):
        return {
            f"{abs(round(Decimal(str(value)), 2)):f}".rstrip("0").rstrip(".")
            if value % 1
            else f"{abs(int(value))}"
        }
    return numbers(value)


# What the words of the seeds say themselves: "in 30 days", "within 24 hours", "failed_payments_30d".
RULE_WORDS = {
    row["rule_id"]: numbers(BLANK.sub("", row["evidence"])) | numbers(row["title"])
    for row in seed("rules")
    if not row["segment"]
}
SIGNAL_WORDS: set[str] = set().union(
    *(numbers(row["label"]) | numbers(row["signal"]) for row in seed("signals"))
)
PLAYS = {row["next_action"] for row in seed("playbook")}
TITLES: set[str] = set().union(*(numbers(row["title"]) for row in seed("rules")))


def compared(line: dict[str, Any]) -> set[str]:
    """The numbers that a ledger line compared: of all its conditions, or of the one that it has."""
    if line["conditions"]:
        return numbers(line["conditions"])
    return set().union(
        *(written(line[name]) for name in ("observed_value", "threshold") if line[name] is not None)
    )


def dictionaries(place: Place, query: str) -> list[dict[str, Any]]:
    with place.read() as con:
        cursor = con.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def undecided(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The demo company without its payments and touchpoints: much is not known."""
    place = Place(tmp_path_factory.mktemp("undecided"))
    shutil.copytree(demo_run.extracts, place.extracts)
    for feed in ("billing/payments", "crm/touchpoints"):
        shutil.rmtree(place.extracts / feed)
    place.run(DEMO_DAYS[1])
    return place


@pytest.fixture(params=["whole", pytest.param("undecided", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, demo_run: Place) -> Place:
    return demo_run if request.param == "whole" else request.getfixturevalue("undecided")


def test_a_ledger_line_holds_every_number_of_its_sentence(place: Place) -> None:
    lines = dictionaries(place, "select * from marts.fct_health_evidence")
    assert lines
    for line in lines:
        held = compared(line) | written(line["points"]) | RULE_WORDS[line["rule_id"]]
        if line["result"] == "unknown":
            held |= SIGNAL_WORDS
        assert numbers(line["evidence"]) <= held, line


def test_the_conditions_of_the_ledger_are_the_signals_and_thresholds(place: Place) -> None:
    values = {
        tuple(key): value
        for *key, value in place.rows(
            "select account_id, as_of_date, signal, value from scoring.fct_signal_values"
        )
    }
    goals = {
        tuple(key): target
        for *key, target in place.rows(
            "select account_id, as_of_date, signal, target from intermediate.int_goals__as_of"
        )
    }
    rules: dict[str, list[dict[str, str]]] = defaultdict(list)
    for condition in seed("rule_conditions"):
        if condition["rule_set"] == "playbook_v1":
            rules[condition["rule_id"]].append(condition)

    def shown(value: object) -> str:
        sign = "-" if value is not None and float(str(value)) < 0 else ""
        return "?" if value is None else f"{sign}{next(iter(written(value)))}"

    for line in dictionaries(place, "select * from marts.fct_health_evidence"):
        day = line["account_id"], line["as_of_date"]
        told = [
            f"{c['signal']} {shown(values[*day, c['signal']])} {c['operator']} "
            f"{shown(goals.get((*day, c['signal']), float(c['threshold'])))}"
            for c in rules[line["rule_id"]]
        ]
        assert line["conditions"] == (" and ".join(told) if len(told) > 1 else None)


def test_no_sentence_of_an_account_holds_a_number_of_its_own(place: Place) -> None:
    ledger: dict[str, list[dict[str, Any]]] = defaultdict(list)
    last = "where as_of_date = (select max(as_of_date) from marts.rpt_account_health)"
    for line in dictionaries(place, f"select * from marts.fct_health_evidence {last}"):
        ledger[line["account_id"]].append(line)
    disputed: dict[str, set[str]] = defaultdict(set)
    for row in dictionaries(place, f"select * from marts.fct_source_conflicts {last}"):
        disputed[row["account_id"]] |= numbers(row["other_value"]) | numbers(row["crm_value"])
    seen = set()
    for row in dictionaries(place, "select * from marts.rpt_account_health"):
        lines = ledger[row["account_id"]]
        evidence = {line["evidence"] for line in lines}
        assert {row[reason] for reason in REASONS if row[reason]} <= evidence
        own = set().union(*(written(value) for name, value in row.items() if name not in SENTENCES))
        held = own | SIGNAL_WORDS | TITLES | disputed[row["account_id"]] | numbers(str(row["as_of_date"]))
        held = held.union(*(numbers(sentence) for sentence in evidence))
        for name in SENTENCES:
            if row[name] and row[name] not in PLAYS:
                seen.add(name)
                assert numbers(row[name]) <= held, (name, row[name])
    assert seen >= {"reason_1", "next_action_reason", "review_reason"}


def test_what_is_unknown_says_what_it_could_change(undecided: Place) -> None:
    rows = dictionaries(undecided, "select * from marts.rpt_account_health")
    assert {row["decision"] for row in rows} >= {"undecided"}
    for row in rows:
        assert "failed payments in 30 days" in row["unknown_effect"]
        assert "billing/payments never landed (failed payments in 30 days" in row["inputs_to_fetch"]
        assert f"the score could be between 0 and {row['score_high']:g}" in row["unknown_effect"]
        if row["decision"] == "undecided":
            assert row["next_action"] == f"Find out first: {row['inputs_to_fetch']}"
            assert row["next_action_reason"] == row["unknown_effect"]
            assert row["needs_review"]
            assert "bucket between at risk and" in row["unknown_effect"]
    queue = dictionaries(undecided, "select * from marts.rpt_review_queue")
    assert queue
    assert all("billing/payments never landed" in row["inputs_to_fetch"] for row in queue)
