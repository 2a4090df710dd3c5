"""What `radar calibrate` found, as sentences and tables. Every rate has its n."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radar import DISTRIBUTION
from radar.measurement import ceiling
from radar.measurement.calibrate import Calibration
from radar.measurement.report import Section, interval, number, percent, rendered

FAMILIES = {
    "level_of_use": "level of use",
    "key_feature": "key features silent",
    "satisfaction": "satisfaction",
    "payment": "payment",
    "slump": "slump",
}
VERDICTS = {
    "holds": "holds",
    "against": "against: dropped",
    "not_shown": "not shown",
    "too_few": "too few churned",
}
NO_RULE = {
    "unknown": "its feeds are missing, or nobody has a value",
    "too_few_accounts": "too few accounts have a value",
    "ties": "too many accounts share the value that would be the limit",
    "no_fall": "the worst share has not fallen at all",
}


def text(done: Calibration, written: Path | None) -> str:
    """Sentences first, then tables, for a terminal. `written`: the folder of the files of the proposal."""
    found = [_figures(done), _rules(done), _limits(done)]
    return rendered(
        [*_proposal(done, written), *_points(done), *_unseen(done), *done.notes],
        [section for section in found if section.rows],
    )


def _proposal(done: Calibration, written: Path | None) -> list[str]:
    if done.proposal is None:
        return [str(done.reason)]
    name, count = done.proposal.rule_set["rule_set"], len(done.proposal.rules)
    begin = (
        f"Proposed: {name}, {count} rule{'' if count == 1 else 's'}, a candidate. A rank has the limit of "
        f"each day; other limits are those of the worst {done.request.share} % of paying account-weeks until "
        f"{done.figures['train_until']}."
    )
    if written is None:
        return [begin, "Nothing is written: name a folder with --output to get the rows of the seeds."]
    return [
        begin,
        f"Written to {written}: the rule files in use, with the proposal's rows at their end. Read them and "
        "copy them into your folder of seeds. A candidate is not scored: `radar rules shadow "
        f"{name}` after the next run has it scored next to the rules in use.",
    ]


def _points(done: Calibration) -> list[str]:
    found = done.figures["points"]
    if found is None:
        return []
    until, gain = done.figures["train_until"], ""
    if found.get("gain_ci"):
        gain = f"{number(found['gain'])} ({interval(found['gain_ci'], as_percent=False)})"
    why = {
        "no_extra": f"fitting others to outcomes needs pip install '{DISTRIBUTION}[calibrate]'",
        "too_few": "{churned_accounts:,} churned accounts until {until}, {needed:,} needed",
        "no_effect": "by outcomes until {until} no rule costs anything",
        "too_few_later": "too few of those scored after {until} churned to compare others with them "
        "({churned_accounts_later:,})",
        "no_gain": "the gain in auc of others, fitted to outcomes, is not shown to be above 0: {gain}",
        "gain": "on time after it their gain in auc over the points of the standard is {gain}, paired by "
        "account",
    }[found["because"]].format(**found | {"until": until, "gain": gain})
    if found["used"] == "fitted":
        return [f"Points fitted to outcomes until {until}: {why}."]
    return [f"Points of the standard: {why}."]


def _unseen(done: Calibration) -> list[str]:
    horizon = done.figures["horizons"][str(done.request.horizon)]
    champion, limits = horizon["champion"], horizon["limits"]
    if not champion or not limits or not champion["positives"]:
        return []
    return [
        f"After {done.figures['train_until']}, a time that placed no limit, {champion['events']:,} of "
        f"{champion['accounts']:,} accounts churned within {done.request.horizon} days. The tenth with the "
        f"lowest scores of each week had {percent(limits['recall_top_tenth'])} of the observations "
        f"before a churn by the limits, {percent(champion['recall_top_tenth'])} by the scores as "
        "recorded, where chance is 10 %."
    ]


def _figures(done: Calibration) -> Section:
    names = {
        "champion": f"as recorded ({done.figures['champion'] or 'no rule set'})",
        "limits": "the limits alone",
        "proposal": "the proposal",
        "ceiling": "the ceiling: any rules on these signals",
    }
    rows = [
        (
            days,
            names[name],
            f"{row['n']:,}",
            f"{row['positives']:,}",
            f"{row['events']:,} of {row['accounts']:,}",
            percent(row["recall_top_tenth"]),
            "too few" if row["auc"] is None else f"{row['auc']:.2f}",
            interval(row["auc_ci"], as_percent=False),
        )
        for days, horizon in done.figures["horizons"].items()
        for name, row in horizon.items()
        if row is not None
    ]
    return Section(
        f"On time that placed no limit, after {done.figures['train_until']}",
        (
            "Found: observations before a churn among the tenth with the lowest scores of each week.",
            _ceiling(),
        ),
        ("days", "scores", "observations", "before a churn", "churned accounts", "found", "auc", "95 %"),
        tuple(rows),
    )


def _ceiling() -> str:
    if ceiling.is_installed():
        return (
            "The ceiling is a model fitted to the outcomes before: how well rules could do. Nobody is scored "
            "by it."
        )
    return f"To see how well any rules could do: pip install '{DISTRIBUTION}[calibrate]'."


def _rules(done: Calibration) -> Section:
    labels = {row["rule_id"]: row for row in done.figures["rules"]}
    return Section(
        f"Rules, and what churn within {done.request.horizon} days says of them",
        ("Lift: how many times as often accounts churned where the rule fired; its interval is of 99 %.",),
        ("rule", "family", "fires where", "points", "verdict", "fired", "churned", "lift", "99 %"),
        tuple(
            (
                rule_id,
                FAMILIES[row["family"]],
                _condition(row),
                str(row["points"]),
                VERDICTS[row["verdict"]],
                f"{row['fired']:,}",
                f"{row['fired_churned']:,}",
                number(row["lift"]),
                interval(row["lift_ci_99"], as_percent=False),
            )
            for rule_id, row in labels.items()
        ),
    )


def _condition(row: Mapping[str, Any]) -> str:
    threshold = number(float(row["threshold"]))
    if row["limit_date"] is None:
        return f"{row['signal']} {row['operator']} {threshold}"
    limit = f"{number(float(row['limit']))} on {row['limit_date']}"
    return f"{row['signal']} among the {row['operator']} {threshold} % ({limit})"


def _limits(done: Calibration) -> Section:
    rows: list[Mapping[str, Any]] = [row for row in done.figures["limits"] if row["no_rule_because"]]
    return Section(
        "Signals without a limit",
        (),
        ("signal", "family", "observations", "accounts", "why"),
        tuple(
            (
                row["signal"],
                FAMILIES[row["risk_family"]],
                f"{row['observations']:,}",
                f"{row['accounts']:,}",
                NO_RULE[row["no_rule_because"]],
            )
            for row in rows
        ),
    )
