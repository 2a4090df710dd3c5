"""What a backtest found, as one page that needs nothing else: tables, and charts as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from radar.measurement.backtest import BUCKETS, Backtest
from radar.measurement.report import LABELS, main_horizon, sections, sentences

TEMPLATE = Path(__file__).with_name("page.html")
WIDTH, HEIGHT, MARGIN = 560, 220, 44


def page(done: Backtest) -> str:
    """The page as HTML."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    figures = done.figures
    days = main_horizon(figures)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=f"Was the score right? {figures['rule_set']}, scores up to {figures['last']}",
        sentences=sentences(done),
        sections=sections(done),
        charts=[
            chart
            for chart in (
                capacity_chart(
                    [
                        row
                        for row in figures["capacity"]
                        if row["scope"] == "owner" and str(row["horizon_days"]) == days
                    ],
                    days,
                ),
                interval_chart(
                    [(LABELS[bucket], figures["horizons"][days]["buckets"][bucket]) for bucket in BUCKETS],
                    f"Churn within {days} days by bucket, with 95 % intervals",
                ),
            )
            if chart
        ],
    )


def capacity_chart(curve: Sequence[Mapping[str, Any]], days: str) -> Markup:
    """Precision and recall over the accounts that an owner looks at in a week; the budget is marked."""
    if not curve:
        return Markup("")
    rows = sorted(curve, key=lambda row: row["alerts_per_list"])
    most = max(float(row["alerts_per_list"]) for row in rows)

    def x(row: Mapping[str, Any]) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * float(row["alerts_per_list"]) / most

    inner = []
    for name in ("precision", "recall"):
        points = " ".join(f"{x(row):.1f},{_y(row[name]):.1f}" for row in rows if row[name] is not None)
        inner.append(f'<polyline class="{name}" points="{points}"/>')
        inner += [
            f'<circle class="{name}" cx="{x(row):.1f}" cy="{_y(row[name]):.1f}" r="3"><title>'
            f"{row['alerts_per_list']:.1f} accounts an owner and week: {name} {100 * row[name]:.1f} %"
            "</title></circle>"
            for row in rows
            if row[name] is not None
        ]
        if rows[-1][name] is not None:
            inner.append(_label(WIDTH - MARGIN + 4, _y(rows[-1][name]) + 4, name, "start"))
    inner += [
        f'<line class="budget" x1="{x(row):.1f}" x2="{x(row):.1f}" y1="{MARGIN / 2}" y2="{HEIGHT - MARGIN}"/>'
        + _label(x(row), MARGIN / 2 - 6, "weekly budget", "middle")
        for row in rows
        if row["is_budget"]
    ]
    inner += [
        _label(x(row), HEIGHT - MARGIN + 16, f"{row['alerts_per_list']:.0f}", "middle") for row in rows[::2]
    ]
    inner.append(_label(WIDTH / 2, HEIGHT - 6, "accounts an owner looks at in a week", "middle"))
    return _svg(f"Precision and recall by capacity, churn within {days} days", inner)


def interval_chart(cells: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> Markup:
    """A rate for each cell, with its interval."""
    known = [(name, cell) for name, cell in cells if cell["churn_rate"] is not None and cell["ci"]]
    if not known:
        return Markup("")
    step = (WIDTH - 2 * MARGIN) / len(known)
    inner = []
    for number, (name, cell) in enumerate(known):
        x = MARGIN + step * (number + 0.5)
        low, high = cell["ci"]
        text = (
            f"{name}: {100 * cell['churn_rate']:.1f} % of {cell['n']:,} ({100 * low:.1f} to {100 * high:.1f})"
        )
        inner += [
            f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}"/>',
            f'<circle class="rate" cx="{x:.1f}" cy="{_y(cell["churn_rate"]):.1f}" r="4">'
            f"<title>{escape(text)}</title></circle>",
            _label(x, HEIGHT - MARGIN + 16, f"{name} (n {cell['n']:,})", "middle"),
        ]
    return _svg(title, inner)


def _y(part: float) -> float:
    return HEIGHT - MARGIN - (HEIGHT - 1.5 * MARGIN) * part


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, inner: Sequence[str]) -> Markup:
    axis = [
        f'<line class="grid" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{_y(part):.1f}" y2="{_y(part):.1f}"/>'
        + _label(MARGIN - 6, _y(part) + 4, f"{100 * part:.0f} %", "end")
        for part in (0, 0.25, 0.5, 0.75, 1)
    ]
    return Markup(  # noqa: S704  every text in it was escaped
        f'<figure><figcaption>{escape(title)}</figcaption><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join([*axis, *inner])}</svg></figure>"
    )
