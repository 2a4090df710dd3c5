"""Charts are sound XML for any values, break where days are missing, and say in words what they show."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from radar.panel import charts
from radar.panel.charts import Marker, Move, ScoreDay, StackDay

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 1, 1)
WILD = st.floats(allow_nan=True, allow_infinity=True)
NAMES = st.text(max_size=30)
score_chart = partial(charts.score_chart, bounds=(50, 80))


def drawn(chart: Markup) -> ElementTree.Element:
    """The chart as XML, once what holds for every chart has been seen to hold."""
    root = ElementTree.fromstring(str(chart))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text
    for element in root.iter():
        assert "style" not in element.attrib
        for name, value in element.attrib.items():
            assert not re.search(r"nan|inf|e[+-]?\d", value.lower()) or name == "class", (name, value)
    return root


def count(root: ElementTree.Element, kind: str, tag: str) -> int:
    return sum(element.get("class") == kind for element in root.iter(f"{SVG}{tag}"))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def days(*numbers: int, score: float = 60) -> list[ScoreDay]:
    return [ScoreDay(FIRST + timedelta(days=number), score, score - 5, score + 5) for number in numbers]


def test_a_sparkline_breaks_where_a_day_is_missing() -> None:
    root = drawn(charts.sparkline([1, 2, None, 3, None, 4, 5], label="Score of Acme"))
    assert root[0].text == "Score of Acme"
    assert count(root, "spark-line", "polyline") == 2
    assert count(root, "spark-line-dot", "circle") == 1
    assert count(root, "spark-end", "circle") == 1


def test_a_sparkline_of_one_or_equal_values_is_in_the_middle_and_of_none_is_a_note() -> None:
    for points in ([7.0], [7.0, 7.0, 7.0]):
        (end,) = (e for e in drawn(charts.sparkline(points)).iter() if e.get("class") == "spark-end")
        assert end.get("cy") == "14"
    for points in ([], [None, None]):
        root = drawn(charts.sparkline(points))
        assert root[0].text == "no values"
        assert count(root, "spark-none", "line") == 1


def test_a_sparkline_of_a_fixed_scale_shows_how_high_the_values_lie() -> None:
    high = drawn(charts.sparkline([98, 99], low=0, high=100))
    (end,) = (e for e in high.iter() if e.get("class") == "spark-end")
    assert float(end.get("cy", "")) < 5


def test_a_score_chart_breaks_at_missing_days_and_bands_what_is_unknown() -> None:
    root = drawn(score_chart(days(0, 1, 2, 6, 7), label="Acme"))
    assert count(root, "line", "polyline") == 2
    assert count(root, "interval", "polygon") == 2
    known = [ScoreDay(day.day, day.score, day.score, day.score) for day in days(0, 1, 2)]
    assert count(drawn(score_chart(known)), "interval", "polygon") == 0


def test_days_that_are_scored_once_a_week_leave_no_gap() -> None:
    root = drawn(score_chart(days(0, 7, 14, 21)))
    assert count(root, "line", "polyline") == 1


def test_markers_have_a_shape_a_sentence_and_a_place_in_the_legend() -> None:
    marks = [
        Marker(FIRST + timedelta(days=1), "override", "by olga"),
        Marker(FIRST, "outage", "product/events", until=FIRST + timedelta(days=2)),
        Marker(FIRST + timedelta(days=90), "contact", "after the chart"),
    ]
    root = drawn(score_chart(days(0, 1, 2, 3), marks))
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert "2026-01-02: override, by olga" in titles
    assert "2026-01-01 to 2026-01-03: data missing, product/events" in titles
    assert not any("after the chart" in (text or "") for text in titles)
    assert {"override", "data missing"} <= set(texts(root))
    assert "contact" not in texts(root)


def test_stacked_buckets_are_named_with_their_last_number() -> None:
    told = [
        StackDay(FIRST + timedelta(days=d), {"healthy": 10 + d, "watch": 3, "at_risk": 1}) for d in range(9)
    ]
    root = drawn(charts.stacked(told, "Accounts"))
    assert {"healthy 18", "watch 3", "at risk 1"} <= set(texts(root))
    assert sum((e.get("class") or "").startswith("area ") for e in root.iter()) == 3
    money = drawn(charts.stacked([StackDay(FIRST, {"healthy": 1_250_000})], unit="$"))
    assert "healthy $1.2M" in texts(money)


def test_labels_of_small_buckets_do_not_lie_over_one_another() -> None:
    root = drawn(charts.stacked([StackDay(FIRST, {"healthy": 1, "watch": 1, "at_risk": 100_000})]))
    places = sorted(
        float(e.get("y", "")) for e in root.iter() if (e.get("class") or "").startswith("name name-")
    )
    assert all(b - a >= 13.9 for a, b in pairwise(places))
    assert places[0] >= 10


def test_a_flow_names_both_ends_of_every_move_and_leaves_out_who_stayed() -> None:
    moves = [
        Move("watch", "at_risk", 3),
        Move("new", "healthy", 2),
        Move("watch", "watch", 90),
        Move("at_risk", "gone", 1),
    ]
    root = drawn(charts.flow(moves))
    assert sum((e.get("class") or "").startswith("band ") for e in root.iter()) == 3
    assert {"watch 3", "at risk 3", "new 2", "healthy 2", "gone 1", "at risk 1"} <= set(texts(root))
    assert any(e.text == "watch to at risk: 3 of 6" for e in root.iter(f"{SVG}title"))
    assert "Nobody has changed buckets." in texts(drawn(charts.flow([Move("watch", "watch", 90)])))


def test_names_of_people_stay_text() -> None:
    chart = charts.sparkline([1], label='<script>"&\x00\x0b\ufffe شركة')
    assert drawn(chart)[0].text == '<script>"& شركة'


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (7.25, "7.2"),
        (999, "999"),
        (999_800, "1.0M"),
        (12_345, "12k"),
        (-1500, "-1.5k"),
        (3e15, "3000T"),
    ],
)
def test_short_numbers(value: float, label: str) -> None:
    assert charts.short(value) == label


def test_a_score_chart_draws_the_bounds_it_is_given() -> None:
    root = drawn(charts.score_chart(days(0, 1), bounds=(42.5, 90)))
    assert {"0", "42.5", "90", "100"} <= set(texts(root))
    assert not {"50", "80"} & set(texts(root))


def test_a_score_chart_of_a_level_year_draws_its_corners_alone() -> None:
    told = [*days(*range(300)), *days(*range(300, 365), score=70)]
    (line,) = (e for e in drawn(score_chart(told)).iter() if e.get("class") == "line")
    assert len(line.get("points", "").split()) == 4


@given(st.lists(st.none() | WILD, max_size=40), NAMES)
def test_any_sparkline_is_sound(points: list[float | None], label: str) -> None:
    drawn(charts.sparkline(points, label=label or "x"))


@given(st.lists(st.tuples(st.integers(0, 400), WILD, WILD, WILD), max_size=12), NAMES)
def test_any_score_chart_is_sound(told: list[tuple[int, float, float, float]], label: str) -> None:
    marks = [Marker(FIRST + timedelta(days=day), "rules", label) for day, *_ in told[:3]]
    drawn(score_chart([ScoreDay(FIRST + timedelta(days=d), *v) for d, *v in told], marks, label or "x"))


@given(st.lists(st.tuples(st.integers(0, 400), WILD, WILD), max_size=12))
def test_any_stack_is_sound(told: list[tuple[int, float, float]]) -> None:
    drawn(
        charts.stacked(
            [StackDay(FIRST + timedelta(days=d), {"healthy": a, "at_risk": b}) for d, a, b in told], "x"
        )
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(charts.LABELS)), st.sampled_from(list(charts.LABELS)), st.integers(0, 10**12)
        ),
        max_size=20,
    )
)
def test_any_flow_is_sound(moves: list[tuple[str, str, int]]) -> None:
    drawn(charts.flow([Move(*move) for move in moves], "x"))
