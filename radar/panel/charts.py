"""Charts as inline SVG, drawn on the server: no script, no style attribute, one title each.

Belongs here: how numbers become shapes. Does not belong here: which numbers, and colours: shapes carry
classes and `static/charts.css` gives them a look, so that a strict content policy and a dark page both hold.
Every chart says in its title what it shows; whoever places one puts the same numbers next to it as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from markupsafe import Markup, escape

BUCKETS = ("healthy", "watch", "at_risk")
"""Best first, as they are stacked from the bottom up."""

LABELS = {"healthy": "healthy", "watch": "watch", "at_risk": "at risk", "new": "new", "gone": "gone"}
"""What people read for a bucket, and for an account that was in none before or is in none any more."""

MARKERS = {
    "rules": "rules changed",
    "override": "override",
    "contact": "contact",
    "outage": "data missing",
}
"""Kinds of markers and their text in the legend; each has a shape of its own in `_SHAPES`."""

_SHAPES: Mapping[str, str] = {
    "rules": "M0-5 5 0 0 5-5 0Z",
    "override": "M0-5 5 4H-5Z",
    "contact": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "outage": "M-5-3H5V3H-5Z",
}
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""Characters that nobody sees and that change what others see: controls, and marks that turn text round."""
_MOST = 1e15  # of anything that is stacked: a sum of such stays exact enough to draw
_CHARACTER = 6.2  # the width of a letter of a label, about
_DAYS_OF_A_TICK = (1, 2, 7, 14, 31, 92, 183, 366)


@dataclass(frozen=True)
class ScoreDay:
    """A scored date of an account: the score and the interval of what it could be, 0 to 100."""

    day: date
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Marker:
    """Something that happened on a day, or from that day to `until`; `kind` is one of MARKERS."""

    day: date
    kind: str
    label: str
    until: date | None = None


@dataclass(frozen=True)
class StackDay:
    """The accounts or the money in each bucket on a day; a bucket that is left out is empty."""

    day: date
    values: Mapping[str, float]


Day = TypeVar("Day", ScoreDay, StackDay)


@dataclass(frozen=True)
class Move:
    """So many accounts went from one bucket to another; `new` and `gone` mean none."""

    source: str
    target: str
    accounts: int


def sparkline(
    points: Sequence[float | None],
    width: int = 120,
    height: int = 28,
    label: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
) -> Markup:
    """A line of values at equal distances, oldest first; where one is None the line is broken.

    The scale goes from `low` to `high`, or from the least to the greatest value.
    """
    known = [point if point is not None and math.isfinite(point) else None for point in points]
    values = [point for point in known if point is not None]
    inner = [f"<title>{_text(label) or 'no values'}</title>"]
    if values:
        y_of = _scale(
            min(values) if low is None else low, max(values) if high is None else high, height - 3.0, 3.0
        )
        x_of = _scale(0, max(len(known) - 1, 1), 2.0, width - 3.0)
        at = [None if point is None else (x_of(number), y_of(point)) for number, point in enumerate(known)]
        inner += _lines(at, "spark-line")
        end = next(position for position in reversed(at) if position is not None)
        inner.append(f'<circle class="spark-end" cx="{_n(end[0])}" cy="{_n(end[1])}" r="2"/>')
    else:
        inner.append(_rule("spark-none", 2, height / 2, width - 2, height / 2))
    return _svg("sparkline", width, height, inner, fixed=True)


def score_chart(
    days: Sequence[ScoreDay],
    markers: Iterable[Marker] = (),
    label: str = "",
    *,
    bounds: tuple[float, float],
    width: int = 720,
    height: int = 260,
) -> Markup:
    """A score over time with its interval as a band, and what happened meanwhile.

    Days without a score break the line. `bounds` are where watch and healthy begin.
    """
    scored = sorted(
        (day for day in days if all(map(math.isfinite, (day.score, day.low, day.high)))),
        key=lambda day: day.day,
    )
    inner = [f"<title>{_text(label) or 'Score over time'}</title>"]
    if not scored:
        return _nothing(inner, "chart score-chart", width, 60, "No score has been recorded yet.")
    left, right, top, bottom = 34.0, width - 62.0, 26.0, height - 46.0
    first, last = scored[0].day, scored[-1].day
    y_of = _scale(0, 100, bottom, top)
    x_of = _days(first, last, left, right)
    shown = [mark for mark in markers if first <= (mark.until or mark.day) and mark.day <= last]
    watch, healthy = bounds
    for value in (0, watch, healthy, 100):
        inner += [
            _rule("grid", left, y_of(value), right, y_of(value)),
            _label("axis", left - 6, y_of(value) + 4, f"{value:g}", "end"),
        ]
    for word, middle in (
        ("healthy", (healthy + 100) / 2),
        ("watch", (watch + healthy) / 2),
        ("at risk", watch / 2),
    ):
        inner.append(_label("axis", right + 8, y_of(middle) + 4, word))
    for mark in shown:
        if mark.until:
            begin, end = x_of(max(mark.day, first)), x_of(min(mark.until, last))
            inner.append(
                f'<rect class="span span-{_class(mark.kind)}" x="{_n(begin)}" y="{_n(top)}" '
                f'width="{_n(max(end - begin, 2))}" height="{_n(bottom - top)}">'
                f"<title>{_text(_marker_title(mark))}</title></rect>"
            )
    for run in map(_corners, _runs(scored)):
        edge = [(x_of(day.day), y_of(day.high)) for day in run]
        edge += [(x_of(day.day), y_of(day.low)) for day in reversed(run)]
        if any(day.low != day.high for day in run):
            if len(run) == 1:
                edge = [(x + shift, y) for x, y in edge for shift in (-2, 2)]
                edge = [edge[0], edge[1], edge[3], edge[2]]
            inner.append(f'<polygon class="interval" points="{_points(edge)}"/>')
        inner += _lines([(x_of(day.day), y_of(day.score)) for day in run], "line")
    for mark in shown:
        x = x_of(max(mark.day, first))
        inner.append(_rule(f"mark-line mark-line-{_class(mark.kind)}", x, top, x, bottom))
        inner.append(_shape(mark.kind, x, top - 8, _marker_title(mark)))
    inner += _date_axis(first, last, x_of, bottom)
    inner += _legend([kind for kind in MARKERS if any(mark.kind == kind for mark in shown)], left, height - 8)
    return _svg("chart score-chart", width, height, inner)


def stacked(
    days: Sequence[StackDay],
    label: str = "",
    *,
    unit: str = "",
    width: int = 720,
    height: int = 240,
) -> Markup:
    """The content of the buckets over time, stacked, worst on top; days without scores leave a gap.

    A single day is drawn as a bar. `unit` precedes the numbers, `$` for money.
    """
    drawn = sorted(days, key=lambda day: day.day)
    inner = [f"<title>{_text(label) or 'Buckets over time'}</title>"]
    sums = [sum(_value(day, bucket) for bucket in BUCKETS) for day in drawn]
    if not drawn or max(sums) <= 0:
        return _nothing(inner, "chart stacked", width, 60, "Nothing has been recorded yet.")
    left, right, top, bottom = 52.0, width - 116.0, 10.0, height - 26.0
    most = _round_up(max(sums))
    y_of, x_of = _scale(0, most, bottom, top), _days(drawn[0].day, drawn[-1].day, left, right)
    for part in (0.0, 0.5, 1.0):
        y = y_of(most * part)
        inner += [
            _rule("grid", left, y, right, y),
            _label("axis", left - 6, y + 4, short(most * part, unit), "end"),
        ]
    for run in _runs(drawn):
        floors = [0.0] * len(run)
        for bucket in BUCKETS:
            tops = [floor + _value(day, bucket) for floor, day in zip(floors, run, strict=True)]
            xs = [x_of(day.day) for day in run]
            if len(run) == 1:
                xs, tops, floors = [xs[0] - 3, xs[0] + 3], tops * 2, floors * 2
            edge = [(x, y_of(value)) for x, value in zip(xs, tops, strict=True)]
            edge += [(x, y_of(value)) for x, value in zip(reversed(xs), reversed(floors), strict=True)]
            inner.append(f'<polygon class="area area-{bucket}" points="{_points(edge)}"/>')
            floors = tops[: len(run)]
    inner += _ends(drawn[-1], y_of, right, top, unit)
    inner += _date_axis(drawn[0].day, drawn[-1].day, x_of, bottom)
    return _svg("chart stacked", width, height, inner)


def flow(moves: Sequence[Move], label: str = "", *, width: int = 420, height: int = 220) -> Markup:
    """Who went from which bucket to which: a band each, as wide as it has accounts."""
    ways = [move for move in moves if move.accounts > 0 and move.source != move.target]
    inner = [f"<title>{_text(label) or 'Moves between buckets'}</title>"]
    if not ways:
        return _nothing(inner, "chart flow", width, 48, "Nobody has changed buckets.")
    order = ("new", *BUCKETS, "gone")
    left, right, top, bottom = 92.0, width - 92.0, 8.0, height - 8.0
    sides = {
        "source": _stack_nodes([(move.source, move.accounts) for move in ways], order, top, bottom),
        "target": _stack_nodes([(move.target, move.accounts) for move in ways], order, top, bottom),
    }
    at = {(side, name): y for side, nodes in sides.items() for name, (y, _) in nodes.items()}
    total = sum(move.accounts for move in ways)
    for move in sorted(ways, key=lambda way: (order.index(way.source), order.index(way.target))):
        thick = {
            side: sides[side][name][1]
            * move.accounts
            / sum(way.accounts for way in ways if getattr(way, side) == name)
            for side, name in (("source", move.source), ("target", move.target))
        }
        begin, end = at["source", move.source], at["target", move.target]
        at["source", move.source] += thick["source"]
        at["target", move.target] += thick["target"]
        middle = (left + right) / 2
        path = (
            f"M{_n(left)} {_n(begin)}C{_n(middle)} {_n(begin)} {_n(middle)} {_n(end)} {_n(right)} {_n(end)}"
            f"V{_n(end + thick['target'])}C{_n(middle)} {_n(end + thick['target'])} {_n(middle)} "
            f"{_n(begin + thick['source'])} {_n(left)} {_n(begin + thick['source'])}Z"
        )
        title = f"{LABELS[move.source]} to {LABELS[move.target]}: {move.accounts:,} of {total:,}"
        inner.append(
            f'<path class="band area-{_class(move.target)}" d="{path}"><title>{_text(title)}</title></path>'
        )
    for side, x, anchor, shift in (("source", left, "end", -8), ("target", right, "start", 8)):
        for name, (y, size) in sides[side].items():
            count = sum(move.accounts for move in ways if getattr(move, side) == name)
            inner += [
                f'<rect class="node area-{_class(name)}" x="{_n(x - 2)}" y="{_n(y)}" width="4" '
                f'height="{_n(size)}"/>',
                _label("name", x + shift, y + size / 2 + 4, f"{LABELS[name]} {count:,}", anchor),
            ]
    return _svg("chart flow", width, height, inner)


def bar(part: float | None, label: str, *, width: int = 96, height: int = 8) -> Markup:
    """A share from 0 to 1 as a bar; the number itself is next to it."""
    share = min(max(part, 0.0), 1.0) if part is not None and math.isfinite(part) else 0.0
    inner = [
        f"<title>{_text(label)}</title>",
        f'<rect class="bar-all" x="0" y="0" width="{width}" height="{height}" rx="2"/>',
        f'<rect class="bar-part" x="0" y="0" width="{_n(width * share)}" height="{height}" rx="2"/>',
    ]
    return _svg("bar", width, height, inner, fixed=True)


def short(value: float, unit: str = "") -> str:
    """A number of at most four characters and a letter: 950, 1.2k, 34M."""
    if not math.isfinite(value):
        return "?"
    size, sign = abs(value), "-" if value < 0 else ""
    for limit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            size /= limit
            return f"{sign}{unit}{size:.0f}{letter}" if size >= 10 else f"{sign}{unit}{size:.1f}{letter}"
    return f"{sign}{unit}{size:.0f}" if size >= 10 or size == int(size) else f"{sign}{unit}{size:.1f}"


# --- parts ----------------------------------------------------------------------------------------------


def _svg(kind: str, width: float, height: float, inner: Sequence[str], *, fixed: bool = False) -> Markup:
    size = f' width="{_n(width)}" height="{_n(height)}"' if fixed else ""
    return Markup(  # noqa: S704  every text in it went through `_text`
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" role="img" '
        f'viewBox="0 0 {_n(width)} {_n(height)}"{size}>{"".join(inner)}</svg>'
    )


def _nothing(inner: list[str], kind: str, width: float, height: float, title: str) -> Markup:
    return _svg(kind, width, height, [*inner, _label("name", width / 2, height / 2 + 4, title, "middle")])


def _text(text: str) -> str:
    """Text as XML takes it: escaped, without characters that no XML may hold."""
    return str(escape(UNSEEN.sub("", text)))


def _class(name: str) -> str:
    return re.sub(r"[^a-z_]", "", name)


def _n(value: float) -> str:
    """A coordinate: one decimal, no exponent."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _points(positions: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in positions)


def _label(kind: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{_text(text)}</text>'


def _rule(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def _shape(kind: str, x: float, y: float, title: str) -> str:
    return (
        f'<path class="mark mark-{_class(kind)}" transform="translate({_n(x)} {_n(y)})" '
        f'd="{_SHAPES[kind]}"><title>{_text(title)}</title></path>'
    )


def _marker_title(mark: Marker) -> str:
    until = f" to {mark.until.isoformat()}" if mark.until else ""
    return f"{mark.day.isoformat()}{until}: {MARKERS[mark.kind]}{f', {mark.label}' if mark.label else ''}"


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """From values to positions, clamped to both ends; the middle where all values are equal."""
    size = high - low
    if not math.isfinite(size):  # two halves, so that the greatest floats do not overflow
        low, high = low / 2, high / 2
        return lambda value: start + (end - start) * min(max((value / 2 - low) / (high - low), 0.0), 1.0)
    if size <= 0:
        return lambda _: (start + end) / 2
    return lambda value: start + (end - start) * min(max((value - low) / size, 0.0), 1.0)


def _days(first: date, last: date, start: float, end: float) -> Callable[[date], float]:
    position = _scale(0, (last - first).days, start, end)
    return lambda day: position((day - first).days)


def _runs(days: Sequence[Day]) -> Iterator[list[Day]]:
    """Scored dates without a gap: each follows on the one before, at the usual distance at most.

    Whoever runs once a week leaves six days out each time and no gap: the usual distance is the median one.
    """
    steps = sorted((b.day - a.day).days for a, b in pairwise(days))
    usual = steps[len(steps) // 2] if steps else 1
    run: list[Day] = []
    for day in days:
        if run and (day.day - run[-1].day).days > usual:
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _corners(run: Sequence[ScoreDay]) -> list[ScoreDay]:
    """The days at which the line or the band bends: those between equal ones draw nothing of their own."""
    values = [None, *((day.score, day.low, day.high) for day in run), None]
    return [
        day
        for number, day in enumerate(run)
        if not values[number] == values[number + 1] == values[number + 2]
    ]


def _lines(positions: Sequence[tuple[float, float] | None], kind: str) -> list[str]:
    """Polylines, broken where a place is None; a point between two breaks is a dot."""
    drawn: list[str] = []
    run: list[tuple[float, float]] = []
    for position in (*positions, None):
        if position is not None:
            run.append(position)
        elif run:
            if len(run) == 1:
                drawn.append(f'<circle class="{kind}-dot" cx="{_n(run[0][0])}" cy="{_n(run[0][1])}" r="2"/>')
            else:
                drawn.append(f'<polyline class="{kind}" points="{_points(run)}"/>')
            run = []
    return drawn


def _date_axis(first: date, last: date, position: Callable[[date], float], y: float) -> list[str]:
    """About six dates under a chart: the first day, and so on at equal distances."""
    length = (last - first).days
    step = next((days for days in _DAYS_OF_A_TICK if length / days <= 6), max(length // 6, 1))
    ticks = [first + timedelta(days=number) for number in range(0, length + 1, step)]
    form = "%d %b" if length < 300 else "%b %Y"
    drawn = []
    for day in ticks:
        text = day.strftime(form).lstrip("0")
        drawn += [
            _rule("tick", position(day), y, position(day), y + 4),
            _label("axis", position(day), y + 17, text, "middle"),
        ]
    return drawn


def _legend(kinds: Sequence[str], x: float, y: float) -> list[str]:
    drawn = []
    for kind in kinds:
        drawn += [_shape(kind, x + 5, y - 4, MARKERS[kind]), _label("axis", x + 15, y, MARKERS[kind])]
        x += 30 + _CHARACTER * len(MARKERS[kind])
    return drawn


def _value(day: StackDay, bucket: str) -> float:
    value = float(day.values.get(bucket) or 0)
    return min(value, _MOST) if value > 0 else 0.0  # nan is not


def _ends(day: StackDay, y_of: Callable[[float], float], right: float, top: float, unit: str) -> list[str]:
    """The name and the last value of every bucket, next to its area, none over another."""
    at: list[float] = []
    floor = 0.0
    for bucket in BUCKETS:  # from the bottom up
        value = _value(day, bucket)
        middle = y_of(floor + value / 2) + 4
        at.append(min(middle, at[-1] - 14) if at else middle)
        floor += value
    shift = max(top + 10 - at[-1], 0.0)
    return [
        _label(
            f"name name-{bucket}",
            right + 8,
            y + shift,
            f"{LABELS[bucket]} {short(_value(day, bucket), unit)}",
        )
        for bucket, y in zip(BUCKETS, at, strict=True)
    ]


def _stack_nodes(
    parts: Sequence[tuple[str, int]], order: Sequence[str], top: float, bottom: float
) -> dict[str, tuple[float, float]]:
    """Top and size of each node of one side, in their order; none so small that its label has no room."""
    sums = {name: sum(count for other, count in parts if other == name) for name in order}
    names = [name for name in order if sums[name]]
    gap, least = 10.0, 14.0
    room = bottom - top - gap * (len(names) - 1) - least * len(names)
    total = sum(sums.values())
    nodes, y = {}, top
    for name in names:
        size = least + room * sums[name] / total
        nodes[name] = (y, size)
        y += size + gap
    return nodes


def _round_up(value: float) -> float:
    """The next number of one or two digits and zeros, as the top of a scale."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        (step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value), value
    )
