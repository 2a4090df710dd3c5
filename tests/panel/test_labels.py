"""What people read in place of ids, numbers and times."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path

import pytest

from radar.core.dates import day, moment
from radar.core.plural import counted, plural
from radar.core.project import PROJECT
from radar.deliveries.rendering import Templates
from radar.panel.labels import Labels
from radar.panel.web import when
from tests.frozen import SEEDS


def test_an_id_is_read_by_its_label_and_else_as_its_words() -> None:
    labels = Labels([("segment", "mid_market", "Mid-market"), ("flag", "upsell", None), ("rule", "b", "Two")])
    assert labels("segment", "mid_market") == "Mid-market"
    assert labels("segment", "public_sector") == "Public sector"
    assert labels("flag", "upsell") == "Upsell"
    assert labels("flag", None) == ""
    assert labels.each("flag", "churn_risk, upsell") == "Churn risk, Upsell"
    assert labels.of_kind("rule") == [("b", "Two")]


def test_an_owner_is_found_and_called_by_name() -> None:
    labels = Labels([("owner", "own-1", "Seán Forsyth"), ("owner", "own-2", None), ("flag", "sean", "Seán")])
    assert [labels.person(who) for who in ("own-1", "own-2", "ruth", None)] == [
        "Seán Forsyth", "own-2", "ruth", "",
    ]  # fmt: skip
    assert labels.called("owner", "forsyth SEAN") == ["own-1"]
    assert labels.called("owner", "sean smith") == labels.called("owner", " ") == []


def test_a_label_next_to_a_number_is_that_of_one_thing_or_of_several() -> None:
    labels = Labels(
        [("signal", "open_tickets", "open tickets"), ("signal_one", "open_tickets", "open ticket")]
    )
    assert [labels.counted("signal", "open_tickets", number) for number in (0, 1, 2)] == [
        "open tickets", "open ticket", "open tickets",
    ]  # fmt: skip
    assert labels.counted("signal", "own_signal", 1) == "Own signal"
    assert labels.counted("signal", None, 1) == ""


def test_a_signal_that_counts_has_a_label_for_one_and_for_several() -> None:
    """Of those that ship: in `signals.csv` for several, in `labels.csv` for one."""
    signals = csv.DictReader((SEEDS / "signals.csv").open(encoding="utf-8"))
    labels = csv.DictReader((SEEDS / "labels.csv").open(encoding="utf-8"))
    of_one = {row["value"]: row["label"] for row in labels if row["kind"] == "signal_one"}
    uncounted = re.compile("percent|score|0 or 1|USD|hours")
    counted_ones = {row["signal"]: row["label"] for row in signals if not uncounted.match(row["unit"])}
    assert set(of_one) == set(counted_ones)
    for signal, label in of_one.items():
        assert label != counted_ones[signal]


A_NUMBER = re.compile(
    r"\{\{[^}]*\|\s*(?:number(?:\(\d\))?|length)\s*\}\}(?:</\w+>)?"
    r" (?:new )?(?!was\b|is\b|has\b)[a-z]+s\b[^<{]{0,20}"
)
ALWAYS_SEVERAL = {
    "{{ chosen.smoothing_days|number }} scored dates",  # more than 1, else nothing is said
    "{{ chain.entries|number }} entries of this copy follow",  # of one entry something else is said
}


def test_no_template_writes_a_plural_without_asking_the_number() -> None:
    """`counted` and `plural` ask; so does whatever compares with 1."""
    folders = (PROJECT / "radar" / "panel" / "templates", PROJECT / "exports" / "templates")
    templates = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert len(templates) > 40
    found = {hit for file in templates for hit in A_NUMBER.findall(file.read_text(encoding="utf-8"))}
    assert found <= ALWAYS_SEVERAL


def test_no_rule_that_ships_writes_a_plural_without_asking_the_number() -> None:
    rules = list(csv.DictReader((SEEDS / "rules.csv").open(encoding="utf-8")))
    sentences = [row["evidence"] for row in rules]
    assert any("day(s)" in sentence for sentence in sentences)
    assert [one for one in sentences if re.search(r"\{value_\d\} (?:[a-z]+ )?[a-z]+s\b", one)] == []


@pytest.mark.parametrize(
    "value", ["2026-07-01 04:05:06", "2026-07-01T04:05:06.7Z", datetime(2026, 7, 1, 4, 5, 6)]
)
def test_a_time_has_one_form_and_is_marked_for_the_reader_s_zone(value: str | datetime) -> None:
    assert (day(value), moment(value)) == ("1 Jul 2026", "1 Jul 2026, 04:05 UTC")
    assert when(value) == '<time datetime="2026-07-01T04:05:06Z">1 Jul 2026, 04:05 UTC</time>'
    assert (day(None), moment(None), when(None)) == ("", "", "")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 days"), (1, "1 day"), (1.0, "1 day"), (2, "2 days"), (1.5, "1.5 days"), (1_204, "1,204 days")],
)
def test_a_noun_follows_its_number(number: float, text: str) -> None:
    assert counted(number, "day") == text


def test_a_noun_of_its_own_plural_follows_its_number() -> None:
    assert [counted(number, "reply", "replies") for number in (1, 2)] == ["1 reply", "2 replies"]
    assert [plural(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


def test_slack_shows_a_time_in_the_zone_of_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "slack_x.j2").write_text("Due {{ at | moment }}")
    message = Templates(tmp_path).slack("slack_x.j2", {"at": datetime(2026, 3, 15, 4)})
    assert message["text"] == "Due <!date^1773547200^{date_short}, {time}|15 Mar 2026, 04:00 UTC>"
