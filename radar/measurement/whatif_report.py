"""What `radar whatif` found, as Markdown for a pull request or as a page. Every rate has its n."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from radar.core.terminal import inert_value
from radar.measurement.backtest import BUCKETS
from radar.measurement.page import TEMPLATE
from radar.measurement.report import LABELS, Section, number, percent
from radar.measurement.whatif import WhatIf

GATES = {
    "healthy": "share of paying accounts healthy, in percent: at most {limit}",
    "lift": "churn at risk, times that of all: at least {limit}",
    "warned": "share of those who churned that was below healthy before, in percent: at least {limit}",
    "capacity": "most alerts of an owner in a week: at most {limit}",
}
RESULTS = {True: "passes", False: "FAILS", None: "cannot be judged yet"}


def markdown(done: WhatIf) -> str:
    """For a pull request."""
    lines = [f"# {_title(done)}", "", *(_safe(sentence) for sentence in sentences(done)), ""]
    for section in sections(done):
        lines += [f"## {section.title}", ""]
        lines += [line for sentence in section.sentences for line in (_safe(sentence), "")]
        lines += [_line(section.header), _line(["---"] * len(section.header))]
        lines += [_line(row) for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def page(done: WhatIf) -> str:
    """As one page of HTML that needs nothing else."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=_title(done), sentences=sentences(done), sections=sections(done)
    )


def sentences(done: WhatIf) -> list[str]:
    """Whether the gates hold, and how many accounts would move today."""
    accounts = done.tables["whatif_accounts"]
    moved = [row for row in accounts if row["has_moved"]]
    worse = [row for row in moved if row["is_worse"]]
    failed = len(done.failed)
    return [
        f"{failed} of {len(GATES)} gates {'fails' if failed == 1 else 'fail'}."
        if failed
        else "No gate fails.",
        f"On {done.as_of} {len(moved):,} of {len(accounts):,} accounts would be in another bucket "
        f"({_usd(moved)} of {_usd(accounts)} a year): {len(worse):,} in a worse one ({_usd(worse)}).",
    ]


def sections(done: WhatIf) -> list[Section]:
    """All tables that have rows, the gates first."""
    found = [_gates(done), _moves(done), _alerts(done), _rates(done), _segments(done), _samples(done)]
    return [section for section in found if section.rows]


def _title(done: WhatIf) -> str:
    return f"What if {done.candidate.rule_set} scored in place of {done.before}?"


def _gates(done: WhatIf) -> Section:
    return Section(
        "Gates",
        ("Limits are rows of settings.csv.",),
        ("gate", "found", "result"),
        tuple(
            (
                GATES[row["gate"]].format(limit=number(float(row["limit_value"]))),
                number(row["value"]),
                RESULTS[row["has_passed"]],
            )
            for row in sorted(done.tables["whatif_gates"], key=lambda row: list(GATES).index(row["gate"]))
        ),
    )


def _moves(done: WhatIf) -> Section:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in done.tables["whatif_accounts"]:
        groups[row["bucket_before"], row["bucket_after"]].append(row)
    return Section(
        f"Buckets on {done.as_of}",
        ("The bucket of the rules, before any override.", *_smoothing(done)),
        ("as recorded", "then", "accounts", "revenue a year"),
        tuple(
            (LABELS[before], LABELS[after], f"{len(groups[before, after]):,}", _usd(groups[before, after]))
            for before in BUCKETS
            for after in BUCKETS
            if groups.get((before, after))
        ),
    )


def _alerts(done: WhatIf) -> Section:
    sides = {row["side"]: row for row in done.tables["whatif_alerts"]}
    return Section(
        "Alerts over the past year",
        ("An alert is an account that is at risk and was not on its scored date before.",),
        ("scores", "weeks", "alerts", "a week", "most of an owner in a week", "an owner's capacity"),
        tuple(
            (
                label,
                f"{sides[side]['weeks']:,}",
                f"{int(sides[side]['alerts']):,}",
                number(sides[side]["alerts_per_week"]),
                f"{sides[side]['most_of_an_owner']:,}",
                f"{sides[side]['owner_capacity']:,}",
            )
            for side, label in (("before", "as recorded"), ("after", "then"))
            if side in sides
        ),
    )


def _rates(done: WhatIf) -> Section:
    rows = [row for row in done.tables["whatif_differences"] if row["rate_after"] is not None]
    return Section(
        f"Accounts at risk, and churn within {done.horizon} days",
        (
            "Precision: how many of the flagged observations churned. Recall: how many of those that churned "
            "were flagged. Differences are in percentage points; their interval is paired by account.",
        ),
        ("measure", "accounts", "as recorded", "then", "difference", "95 %"),
        tuple(
            (
                row["measure"],
                f"{row['accounts']:,}",
                percent(row["rate_before"]),
                percent(row["rate_after"]),
                _points(row["difference"]),
                ""
                if row["difference_low"] is None
                else f"{_points(row['difference_low'])} to {_points(row['difference_high'])}",
            )
            for row in rows
        ),
    )


def _segments(done: WhatIf) -> Section:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in done.tables["whatif_accounts"]:
        groups[row["segment"]].append(row)

    def worse(name: str) -> list[Mapping[str, Any]]:
        return [row for row in groups[name] if row["is_worse"]]

    return Section(
        "Segments, hit worst first",
        (),
        ("segment", "accounts", "in a worse bucket", "share", "their revenue a year"),
        tuple(
            (
                name,
                f"{len(groups[name]):,}",
                f"{len(worse(name)):,}",
                percent(len(worse(name)) / len(groups[name])),
                _usd(worse(name)),
            )
            for name in sorted(groups, key=lambda name: (-len(worse(name)) / len(groups[name]), name))
        ),
    )


def _samples(done: WhatIf) -> Section:
    return Section(
        "Some that would move, by revenue",
        _smoothing(done),
        ("account", "as recorded", "then", "why"),
        tuple(
            (
                row["account_id"],
                f"{LABELS[row['bucket_before']]} ({number(row['score_before'])})",
                f"{LABELS[row['bucket_after']]} ({number(row['score_after'])})",
                row["evidence"] or "no rule fires",
            )
            for row in done.tables["whatif_samples"]
        ),
    )


def _smoothing(done: WhatIf) -> tuple[str, ...]:
    if done.smoothing_days == 1:
        return ()
    return (f"Then, the bucket reads the median score of the last {done.smoothing_days} scored dates.",)


def _points(part: float | None) -> str:
    """A difference of two rates in percentage points, with its sign."""
    return "" if part is None else f"{100 * part:+.1f}"


def _usd(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"${sum(float(row['arr_usd'] or 0) for row in rows):,.0f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_safe(cell) for cell in cells)} |"


def _safe(text: str) -> str:
    """Text of customers as Markdown leaves it: neither a link, nor a column, nor HTML."""
    plain = str(inert_value(text)).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{sign}" if sign in "|[]`*_" else sign for sign in plain)
