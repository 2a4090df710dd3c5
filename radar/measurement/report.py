"""What a backtest found, as sentences and tables. Every rate has its n, and its interval where it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from radar.core.terminal import inert_value
from radar.measurement.backtest import BUCKETS, LEVELS, Backtest
from radar.measurement.charts import capacity_chart, interval_chart, lead_time_chart

LABELS = {"healthy": "healthy", "watch": "watch", "at_risk": "at risk", "not_healthy": "watch or at risk"}
FEW = "Too few accounts churned to claim anything"
NO_CHART = Markup("")


@dataclass(frozen=True)
class Section:
    """A table with what to read in it; `mart` has its figures, and `chart` draws them."""

    title: str
    sentences: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mart: str = ""
    chart: Markup = NO_CHART


def text(done: Backtest) -> str:
    """Sentences first, then tables, for a terminal."""
    lines = [*sentences(done), ""]
    for section in sections(done):
        lines += [section.title, *(f"  {sentence}" for sentence in section.sentences)]
        lines += [f"  {line}" for line in _aligned([section.header, *section.rows])] if section.rows else []
        lines.append("")
    return "\n".join(map(inert_value, lines)).rstrip()


def sentences(done: Backtest) -> list[str]:
    """For a lead: how the newest quarter came out, whether the score predicts, and what is not known."""
    return [*_quarter(done.figures), *_verdict(done.figures), *done.notes]


def sections(done: Backtest) -> list[Section]:
    """All tables that have rows, the capacity curve first."""
    figures = done.figures
    found = [
        _history(figures),
        _capacity(figures),
        *(_buckets(days, figures["horizons"][days]) for days in figures["horizons"]),
        _lead_time(figures),
        _episodes(figures),
        _calibration(figures),
        _stability(figures),
        _vintages(figures),
        _trend(figures),
        _renewals(figures),
        *(_slices(by, slices, main_horizon(figures)) for by, slices in figures.get("by", {}).items()),
    ]
    return [section for section in found if section.rows]


def main_horizon(figures: Mapping[str, Any]) -> str:
    """The horizon of the verdict where that was asked for, else the longest one with observations."""
    asked: list[str] = list(figures["horizons"])
    if str(figures["verdict_horizon"]) in asked:
        return str(figures["verdict_horizon"])
    known: list[str] = [days for days in asked if figures["horizons"][days]["n"]] or asked
    return max(known, key=int)


def order_of_buckets(horizon: Mapping[str, Any]) -> str:
    """Whether worse buckets churn more often, as a sentence."""
    cells = [(bucket, horizon["buckets"][bucket]) for bucket in BUCKETS if horizon["buckets"][bucket]["n"]]
    if len(cells) < 2:
        return "Only one bucket has observations, so there is no order to check."
    if horizon["events"] < 2:
        return "With fewer than two churned accounts there is no order to check."
    wrong = [
        f"{LABELS[better]} churns more often than {LABELS[worse]}"
        + (
            ", though their intervals overlap, so that may be chance"
            if _overlap(cell["ci"], other["ci"])
            else ""
        )
        for (better, cell), (worse, other) in pairwise(cells)
        if cell["churn_rate"] > other["churn_rate"]
    ]
    return (
        f"Not in order: {'; '.join(wrong)}." if wrong else "Worse buckets churn more often, as they should."
    )


def _overlap(one: Sequence[float] | None, other: Sequence[float] | None) -> bool:
    return one is None or other is None or (one[0] <= other[1] and other[0] <= one[1])


def _quarter(figures: Mapping[str, Any]) -> list[str]:
    found = {(row["flag_level"], row["is_flagged"]): row for row in figures["quarter"]}
    level = next((level for level in LEVELS if (level, True) in found), None)
    if level is None:
        return []
    flagged, others = found[level, True], found.get((level, False))
    sentence = (
        f"Of {_accounts(flagged['accounts'])} flagged ({LABELS[level]}) between {flagged['first_date']} and "
        f"{flagged['last_date']}, {flagged['churned']:,} left within 90 days ({rate(flagged)})"
    )
    if others:
        sentence += f"; of {others['accounts']:,} not flagged {others['churned']:,} left ({rate(others)})"
    if flagged["too_young"]:
        sentence += f". {flagged['too_young']:,} flagged since then are too young to judge"
    return [sentence + "."]


def _verdict(figures: Mapping[str, Any]) -> list[str]:
    if not figures["observations"]:
        return []
    days = main_horizon(figures)
    horizon = figures["horizons"][days]
    if figures["verdict"] == "too_few":
        return [
            f"{FEW}: {horizon['events']:,} of {_accounts(horizon['accounts'])} left within {days} days. "
            "Counts and intervals follow; a ranking of scores would be chance."
        ]
    lifts = "; ".join(
        f"accounts {LABELS[level]} left {number(horizon[level]['lift'])} times as often as all"
        f"{_between(horizon[level]['lift_ci'])}"
        for level in LEVELS
        if horizon[level]["lift"] is not None
    )
    pairs = (
        f"of a customer who left and one who stayed, the one who left had the lower score in "
        f"{percent(horizon['auc'])} of pairs{_between(horizon['auc_ci'], as_percent=True)}, where chance "
        "is 50 %"
    )
    begin = (
        "The score predicts churn here"
        if figures["verdict"] == "predicts"
        else "No evidence that this score predicts churn here"
    )
    return [
        f"{begin} (within {days} days, {horizon['events']:,} of {_accounts(horizon['accounts'])} left): "
        f"{pairs}{'; ' + lifts if lifts else ''}."
    ]


def _history(figures: Mapping[str, Any]) -> Section:
    left_out = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in figures["left_out"].items())
    rows = (
        ("rule set", str(figures["rule_set"] or "none")),
        ("scored dates", f"{figures['scored_days']:,} ({figures['first']} to {figures['last']})"),
        ("of the weekly grid", f"{figures['grid_days']:,}"),
        ("accounts scored", f"{figures['accounts_scored']:,}"),
        ("observations", f"{figures['observations']:,}{f' (left out: {left_out})' if left_out else ''}"),
        ("came back within the grace days", f"{figures['switches']:,}"),
        ("undecided scores", _pct(figures["undecided_pct"])),
        *((f"observations {LABELS[name]}", _pct(pct)) for name, pct in figures["buckets_pct"].items()),
    )
    return Section("What was measured", (), ("", ""), rows if figures["scored_days"] else (), "rpt_backtest")


def _capacity(figures: Mapping[str, Any]) -> Section:
    days = main_horizon(figures)
    horizon = figures["horizons"][days]
    curve = [
        row for row in figures["capacity"] if row["scope"] == "owner" and str(row["horizon_days"]) == days
    ]
    rows = [
        (
            row["alerts_per_list"],
            f"{row['capacity']} lowest{' (the weekly budget)' if row['is_budget'] else ''}",
            row["precision"],
            row["recall"],
        )
        for row in curve
    ]
    lists = curve[0]["lists"] if curve else 0
    rows += [
        (
            horizon[level]["share"] * horizon["n"] / lists,
            f"today's threshold: {LABELS[level]}",
            horizon[level]["precision"],
            horizon[level]["recall"],
        )
        for level in LEVELS
        if lists and horizon[level]["share"]
    ]
    return Section(
        f"Capacity: what an owner finds who looks at so many accounts a week ({days} days)",
        (f"{horizon['n']:,} observations, {horizon['positives']:,} of them before a churn.",),
        ("accounts an owner and week", "which", "right (precision)", "of churners found (recall)"),
        tuple(
            (number(alerts), which, percent(precision), percent(recall))
            for alerts, which, precision, recall in sorted(rows, key=lambda row: row[0])
        ),
        "rpt_backtest_capacity",
        capacity_chart(curve, days),
    )


def _buckets(days: str, horizon: Mapping[str, Any]) -> Section:
    if not horizon["n"]:
        return Section("", (), (), ())
    rows = [
        (
            LABELS[name],
            f"{cell['n']:,}",
            f"{cell['accounts']:,}",
            percent(cell["churn_rate"]),
            interval(cell["ci"]),
            percent(cell["arr_churn_rate"]),
            number(cell["lift"]),
            interval(cell["lift_ci"], as_percent=False),
        )
        for name, cell in ((bucket, horizon["buckets"][bucket]) for bucket in reversed(BUCKETS))
    ]
    rows.append(
        (
            "all",
            f"{horizon['n']:,}",
            f"{horizon['accounts']:,}",
            percent(horizon["base_rate"]),
            interval(horizon["base_ci"]),
            percent(horizon["arr_churn_rate"]),
            "1",
            "",
        )
    )
    found = [
        f"{LABELS[level]}: right in {percent(horizon[level]['precision'])}, found "
        f"{percent(horizon[level]['recall'])} of churners, flagged {percent(horizon[level]['fpr'])} of "
        "the others"
        for level in LEVELS
        if horizon[level]["share"]
    ]
    auc = (
        f"auc {horizon['auc']:.2f}{_between(horizon['auc_ci'])}"
        if horizon["auc"] is not None
        else f"no auc: {horizon['events']:,} churned accounts are too few"
    )
    return Section(
        f"Buckets and churn within {days} days",
        (
            f"{order_of_buckets(horizon)} {auc[0].upper() + auc[1:]}; {horizon['censored']:,} "
            "observations are too young to judge.",
            *([". ".join(found) + "."] if found else []),
        ),
        ("bucket", "observations", "accounts", "churned", "95 %", "by revenue", "lift", "95 %"),
        tuple(rows),
        "rpt_backtest_rates",
        interval_chart(
            [(LABELS[bucket], horizon["buckets"][bucket]) for bucket in BUCKETS],
            f"Churn within {days} days by bucket, with 95 % intervals",
        ),
    )


def _lead_time(figures: Mapping[str, Any]) -> Section:
    rows = tuple(
        (
            LABELS[level],
            f"{lead['events']:,}",
            f"{lead['warned']:,} ({percent(lead['warned_share'])})",
            *(percent(lead["curve"][days]) for days in ("7", "14", "30", "60", "90")),
            number(lead["median"]),
            number(lead["p10"]),
            number(lead["typical_run"]),
            percent(lead["share_flagged"]),
        )
        for level, lead in figures["lead_time"].items()
        if lead["events"]
    )
    return Section(
        "Lead time: how long before their notice churned accounts were flagged",
        ("A long lead means nothing where many are flagged anyway: compare the last two columns.",),
        (
            *(
                "flagged as",
                "churns",
                "warned",
                "7 days",
                "14",
                "30",
                "60",
                "90",
                "median days",
                "a tenth had less",
            ),
            *("typical run of flags", "observations flagged"),
        ),
        rows,
        "rpt_backtest_lead_times",
        lead_time_chart(figures["lead_time"], LABELS),
    )


def _episodes(figures: Mapping[str, Any]) -> Section:
    rows = tuple(
        (
            LABELS[level],
            f"{found['n']:,}",
            f"{found['accounts']:,}",
            percent(found["precision_churn_90d"]) if found["n"] else "",
            interval(found["ci"]),
            f"{percent(found['needed_low'])} to {percent(found['needed_high'])}" if found["n"] else "",
            f"{found['unknown']:,}",
            _percent_of(found["churn_treated"], found["treated"]),
            _percent_of(found["churn_untreated"], found["untreated"]),
            f"{found['too_young']:,}",
        )
        for level, found in figures["episodes"].items()
        if found["n"] or found["too_young"]
    )
    return Section(
        "Flag episodes: were alarms right",
        (
            "An account that was treated and stayed may have been saved: needed action counts it as "
            "false, then leaves it out. Whom people call is no accident, so treated against untreated "
            "proves nothing.",
        ),
        (
            *(
                "flagged as",
                "episodes",
                "accounts",
                "churned in 90 days",
                "95 %",
                "needed action",
                "perhaps saved",
            ),
            *("treated churned", "untreated churned", "too young"),
        ),
        rows,
        "rpt_backtest_episodes",
    )


def _calibration(figures: Mapping[str, Any]) -> Section:
    days = main_horizon(figures)
    tenths = [row for row in figures["calibration"] if str(row["horizon_days"]) == days]
    return Section(
        f"Tenths of the scores, lowest first: churn observed within {days} days",
        ("What was observed, no probability. Equal scores are together in the last tenth that they reach.",),
        ("tenth", "scores", "observations", "accounts", "churned", "95 %"),
        tuple(
            (
                str(row["tenth"]),
                f"{number(row['score_from'])} to {number(row['score_to'])}",
                f"{row['observations']:,}",
                f"{row['accounts']:,}",
                percent(row["churn_rate"]),
                interval(ci(row)),
            )
            for row in tenths
        ),
        "rpt_backtest_calibration",
        interval_chart(
            [
                (
                    f"tenth {row['tenth']}",
                    {"n": row["observations"], "churn_rate": row["churn_rate"], "ci": ci(row)},
                )
                for row in tenths
            ],
            f"Churn within {days} days by tenth of the scores, lowest first, with 95 % intervals",
        ),
    )


def _stability(figures: Mapping[str, Any]) -> Section:
    return Section(
        "Stability by quarter",
        (
            "A psi under 0.1 is steady, over 0.25 another population. Shifted bins churn at another rate "
            "than before.",
        ),
        (
            "quarter of",
            "observations",
            "accounts",
            "bucket changes an account",
            "undecided",
            "psi",
            "shifted bins",
        ),
        tuple(
            (
                row["quarter_start_date"],
                f"{row['observations']:,}",
                f"{row['accounts']:,}",
                number(row["bucket_changes_per_account"]),
                _pct(row["undecided_pct"]),
                number(row["psi"]),
                number(row["shifted_bins"]),
            )
            for row in figures["stability"]
        ),
        "rpt_backtest_stability",
    )


def _vintages(figures: Mapping[str, Any]) -> Section:
    days = main_horizon(figures)
    return Section(
        f"Churn within {days} days by the quarter of the observation",
        (),
        ("quarter of", "bucket", "observations", "accounts", "churned", "95 %"),
        tuple(
            (
                row["quarter_start_date"],
                LABELS.get(row["group_name"], row["group_name"]),
                f"{row['observations']:,}",
                f"{row['accounts']:,}",
                percent(row["churn_rate"]),
                interval(ci(row)),
            )
            for row in figures["vintages"]
            if str(row["horizon_days"]) == days
        ),
        "rpt_backtest_vintages",
    )


def _trend(figures: Mapping[str, Any]) -> Section:
    return Section(
        "Trend over 7 days: what followed",
        (),
        ("trend", "observations", "churned in 90 days", "95 %", "moves that held for 28 days"),
        tuple(
            (
                trend,
                f"{row['n']:,}",
                percent(row["churn_90d"]),
                interval(row["ci"]),
                percent(row["holds_28d"]),
            )
            for trend, row in figures["trend"].items()
            if row["n"]
        ),
        "rpt_backtest_trends",
    )


def _renewals(figures: Mapping[str, Any]) -> Section:
    return Section(
        "Renewals by the bucket 30 to 37 days before",
        (),
        ("bucket", "renewals", "lost", "contracted", "flat", "expanded", "amount unknown"),
        tuple(
            (
                LABELS[bucket],
                *(f"{row[name]:,}" for name in ("n", "lost", "contracted", "flat", "expanded", "unknown")),
            )
            for bucket, row in figures["renewals"].items()
            if row["n"]
        ),
        "rpt_backtest_renewals",
    )


def _slices(by: str, slices: Mapping[str, Any], days: str) -> Section:
    return Section(
        f"By {by}, churn within {days} days",
        (f"{FEW} where there is no auc. Of many slices some differ by chance.",),
        (
            "",
            "observations",
            "accounts",
            "churned accounts",
            "churned",
            "95 %",
            "at risk churned",
            "auc",
            "95 %",
        ),
        tuple(
            (
                name,
                f"{found[days]['n']:,}",
                f"{found[days]['accounts']:,}",
                f"{found[days]['events']:,}",
                percent(found[days]["base_rate"]),
                interval(found[days]["base_ci"]),
                percent(found[days]["at_risk"]["precision"]),
                number(found[days]["auc"]),
                interval(found[days]["auc_ci"], as_percent=False),
            )
            for name, found in slices.items()
        ),
    )


# -- cells


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"


def number(value: float | None) -> str:
    """`1,234.5`, nothing for None."""
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def percent(part: float | None) -> str:
    """A share of 0 to 1 as `28 %`, with a digit more near both ends; `?` for None."""
    if part is None:
        return "?"
    of_hundred = 100 * part
    if of_hundred in (0, 100) or 9.95 <= of_hundred < 99.5:
        return f"{of_hundred:.0f} %"
    return f"{min(max(of_hundred, 0.1), 99.9):.1f} %"


def _percent_of(part: float | None, count: int) -> str:
    return f"{percent(part)} of {count:,}" if count else "none"


def _pct(value: float | None) -> str:
    return percent(None if value is None else value / 100)


def ci(row: Mapping[str, Any]) -> list[float] | None:
    """Both ends of the interval of a row, if it has one."""
    return None if row["ci_low"] is None else [row["ci_low"], row["ci_high"]]


def rate(row: Mapping[str, Any]) -> str:
    """The share of a row with its interval: `28 %, 16 to 43`."""
    bounds = ci(row)
    return f"{percent(row['churn_rate'])}{', ' + interval(bounds) if bounds else ''}"


def interval(bounds: Sequence[float] | None, *, as_percent: bool = True) -> str:
    """`16 to 43`, nothing for None."""
    if bounds is None:
        return ""
    low, high = ((percent(bound).removesuffix(" %") if as_percent else number(bound)) for bound in bounds)
    return f"{low} to {high}"


def _between(bounds: Sequence[float] | None, *, as_percent: bool = False) -> str:
    return f" ({interval(bounds, as_percent=as_percent)})" if bounds is not None else ""


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
