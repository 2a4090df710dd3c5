"""What people read in place of ids, numbers and times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from radar.core.dates import day, moment
from radar.deliveries.rendering import Templates, counted
from radar.panel.labels import Labels
from radar.panel.web import when


def test_an_id_is_read_by_its_label_and_else_as_its_words() -> None:
    labels = Labels([("segment", "mid_market", "Mid-market"), ("flag", "upsell", None), ("rule", "b", "Two")])
    assert labels("segment", "mid_market") == "Mid-market"
    assert labels("segment", "public_sector") == "Public sector"
    assert labels("flag", "upsell") == "Upsell"
    assert labels("flag", None) == ""
    assert labels.each("flag", "churn_risk, upsell") == "Churn risk, Upsell"
    assert labels.of_kind("rule") == [("b", "Two")]


@pytest.mark.parametrize(
    "value", ["2026-07-01 04:05:06", "2026-07-01T04:05:06.7Z", datetime(2026, 7, 1, 4, 5, 6)]
)
def test_a_time_has_one_form_and_is_marked_for_the_reader_s_zone(value: str | datetime) -> None:
    assert (day(value), moment(value)) == ("1 Jul 2026", "1 Jul 2026, 04:05 UTC")
    assert when(value) == '<time datetime="2026-07-01T04:05:06Z">1 Jul 2026, 04:05 UTC</time>'
    assert (day(None), moment(None), when(None)) == ("", "", "")


@pytest.mark.parametrize(("number", "text"), [(0, "0 days"), (1, "1 day"), (1.0, "1 day"), (2, "2 days")])
def test_a_noun_follows_its_number(number: float, text: str) -> None:
    assert counted(number, "day") == text


def test_slack_shows_a_time_in_the_zone_of_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "slack_x.j2").write_text("Due {{ at | moment }}")
    message = Templates(tmp_path).slack("slack_x.j2", {"at": datetime(2026, 3, 15, 4)})
    assert message["text"] == "Due <!date^1773547200^{date_short}, {time}|15 Mar 2026, 04:00 UTC>"
