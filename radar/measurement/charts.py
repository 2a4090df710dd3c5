"""The charts of a backtest as inline SVG, for its page and for the panel: no script, no style attribute.

Belongs here: how figures become shapes. Does not belong here: which figures, and colours: shapes carry
classes, and the page around them has the style. The same numbers are next to each chart as a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT, MARGIN = 560, 220, 44
Points = Sequence[tuple[float, float | None, str]]
"""Of a curve: where on the axis (0 to 1), the share (None: not known), and its text."""


def capacity_chart(curve: Sequence[Mapping[str, Any]], days: str) -> Markup:
    """Precision and recall over the accounts that an owner looks at in a week; the budget is marked."""
    if not curve:
        return Markup("")
    rows = sorted(curve, key=lambda row: row["alerts_per_list"])
    most = max(float(row["alerts_per_list"]) for row in rows)
    positions = [float(row["alerts_per_list"]) / most for row in rows]
    inner = [
        shape
        for name in ("precision", "recall")
        for shape in _curve(
            name,
            name,
            [
                (
                    position,
                    row[name],
                    f"{row['alerts_per_list']:.1f} accounts an owner and week: {name} {100 * row[name]:.1f} %"
                    if row[name] is not None
                    else "",
                )
                for position, row in zip(positions, rows, strict=True)
            ],
        )
    ]
    inner += [
        f'<line class="budget" x1="{_x(position):.1f}" x2="{_x(position):.1f}" y1="{MARGIN / 2}" '
        f'y2="{HEIGHT - MARGIN}"/>' + _label(_x(position), MARGIN / 2 - 6, "weekly budget", "middle")
        for position, row in zip(positions, rows, strict=True)
        if row["is_budget"]
    ]
    inner += [
        _label(_x(position), HEIGHT - MARGIN + 16, f"{row['alerts_per_list']:.0f}", "middle")
        for position, row in list(zip(positions, rows, strict=True))[::2]
    ]
    inner.append(_label(WIDTH / 2, HEIGHT - 6, "accounts an owner looks at in a week", "middle"))
    return _svg(f"Precision and recall by capacity, churn within {days} days", inner)


def interval_chart(cells: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> Markup:
    """A rate for each cell, with its interval; a cell is a name and n, churn_rate and ci."""
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
            _label(x, HEIGHT - MARGIN + 16, name, "middle"),
            _label(x, HEIGHT - MARGIN + 30, f"n {cell['n']:,}", "middle"),
        ]
    return _svg(title, inner)


def lead_time_chart(lead_times: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str]) -> Markup:
    """The share of churns that were flagged so many days before their notice, for each level of flag."""
    shown = {level: lead for level, lead in lead_times.items() if lead["events"]}
    if not shown:
        return Markup("")
    days = [int(day) for lead in shown.values() for day in lead["curve"]]
    most = max(days)
    inner = []
    for kind, (level, lead) in zip(("precision", "recall"), shown.items(), strict=False):
        points = [
            (
                int(day) / most,
                share,
                f"{labels[level]}: {100 * share:.1f} % of {lead['events']:,} churns flagged {day} days ahead "
                f"or earlier, where {100 * lead['share_flagged']:.1f} % of observations are flagged",
            )
            for day, share in lead["curve"].items()
            if share is not None and lead["share_flagged"] is not None
        ]
        inner += _curve(kind, "", points)
        if points:
            inner.append(_label(_x(points[0][0]) + 6, _y(points[0][1]) - 6, labels[level], "start"))
    inner += [
        _label(_x(day / most), HEIGHT - MARGIN + 16, str(day), "middle")
        for day in sorted(set(days))
        if day != min(days)
    ]
    inner.append(_label(WIDTH / 2, HEIGHT - 6, "flagged at least so many days before the notice", "middle"))
    return _svg("Share of churns that were flagged in time", inner)


def _curve(kind: str, name: str, points: Points) -> list[str]:
    """A line through the known points, each with its text, and the name at its end."""
    known = [(_x(position), _y(share), text) for position, share, text in points if share is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in known)
    inner = [f'<polyline class="{kind}" points="{line}"/>'] if known else []
    inner += [
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(text)}</title></circle>'
        for x, y, text in known
    ]
    if known and name and points[-1][1] is not None:
        inner.append(_label(WIDTH - MARGIN + 4, known[-1][1] + 4, name, "start"))
    return inner


def _x(position: float) -> float:
    return MARGIN + (WIDTH - 2 * MARGIN) * position


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
