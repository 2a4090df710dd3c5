"""How long customers stay, by their bucket on one date: Kaplan-Meier and a Cox model, by lifelines.

Belongs here: curves and hazard ratios with their intervals, from one landmark date. Does not belong here: who
was followed for how long; `survival_accounts` says so.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radar.measurement.backtest import COPY, Row, rows_of

if TYPE_CHECKING:
    import pandas as pd

    from radar.measurement.calibrate import Steps

TERMS = (30, 60, 90, 180)
"""Days after the landmark that the share still customers is given for."""

GROUPS = ("all", "healthy", "watch", "at_risk", "lowest tenth", "others")
PENALTY = 0.1
"""Of the Cox model: signals of one family go together, and a penalty keeps their ratios finite."""


@dataclass(frozen=True)
class Lifetimes:
    """What was found: `figures` as of `--json`, and what could not be known."""

    figures: Row | None
    notes: list[str] = field(default_factory=list)


def lifetimes(steps: Steps, signals: Sequence[str]) -> Lifetimes:
    """Follow the accounts of the landmark date; `signals` are those of a Cox model, none without them."""
    steps.relations |= {
        "int_measured_dates": "int_measured_dates",
        "fct_outcomes": f"{COPY}.marts.fct_outcomes",
    }
    steps.model("survival_accounts", {"longest_term": max(TERMS)})
    rows = rows_of(steps.con, "survival_accounts")
    terms = [term for term in TERMS if any(row["followed_days"] >= term for row in rows)]
    if not terms:
        return Lifetimes(
            None,
            [
                f"Nobody was followed for {min(TERMS)} days and the grace days, so no share that stayed is "
                "known: scores from earlier days would make it known (`radar run --since`)."
            ],
        )
    members: dict[str, list[Row]] = {name: [] for name in GROUPS}
    for row in rows:
        members["all"].append(row)
        members["lowest tenth" if row["is_riskiest_tenth"] else "others"].append(row)
        if row["bucket"] in members:
            members[row["bucket"]].append(row)
    churned = sum(row["has_churned"] for row in rows)
    least = _least_churned(steps)
    notes = []
    if churned < least:
        notes.append(
            f"Of {len(rows):,} accounts followed from {rows[0]['landmark_date']} on {churned:,} churned: the "
            "shares that stayed are counts with wide intervals, and no claim. A longer history would narrow "
            "them."
        )
    cox, note = (_cox(steps, signals)) if churned >= least and signals else ([], None)
    return Lifetimes(
        {
            "landmark": rows[0]["landmark_date"],
            "accounts": len(rows),
            "churned": churned,
            "groups": [_curve(name, found, terms) for name, found in members.items() if found],
            "cox": cox,
        },
        [*notes, *([note] if note else [])],
    )


def _least_churned(steps: Steps) -> int:
    ((least,),) = steps.con.execute(
        "select value from seed_settings where setting = 'least_churned_accounts'"
    ).fetchall()
    return int(least)


def _curve(name: str, rows: Sequence[Row], within: Sequence[int]) -> Row:
    """Kaplan-Meier, its interval by Greenwood on log(-log); null where nobody is followed any more."""
    from lifelines import KaplanMeierFitter  # noqa: PLC0415  of the extra calibrate

    days = [row["followed_days"] for row in rows]
    fitted = KaplanMeierFitter().fit(days, [row["has_churned"] for row in rows])
    bounds = fitted.confidence_interval_
    terms: list[Row] = []
    for term in within:
        at_risk = sum(day >= term for day in days)
        if at_risk == 0:
            terms.append({"days": term, "at_risk": 0, "stayed": None, "ci": None})
            continue
        low, high = (float(bound) for bound in bounds[bounds.index <= term].iloc[-1])
        stayed = float(fitted.survival_function_at_times([term]).iloc[0])
        has_bounds = math.isfinite(low) and math.isfinite(high) and stayed < 1
        terms.append(
            {"days": term, "at_risk": at_risk, "stayed": stayed, "ci": [low, high] if has_bounds else None}
        )
    median = float(fitted.median_survival_time_)
    return {
        "group": name,
        "accounts": len(rows),
        "churned": sum(row["has_churned"] for row in rows),
        "terms": terms,
        "median_days": median if math.isfinite(median) else None,
    }


def _cox(steps: Steps, signals: Sequence[str]) -> tuple[list[Row], str | None]:
    """Hazard ratios per standard deviation of each signal, of the accounts of which all have a value."""
    values = ", ".join(f"inputs.{signal}" for signal in signals)
    rows: pd.DataFrame = steps.con.execute(
        f"""
        select accounts.followed_days, accounts.has_churned, {values}
        from survival_accounts as accounts
        inner join model_inputs as inputs
            on accounts.account_id = inputs.account_id and accounts.landmark_date = inputs.as_of_date
        order by accounts.account_id
        """
    ).df()
    rows = rows.dropna().astype(float)
    usable = [signal for signal in signals if rows[signal].nunique() > 1]
    if not usable or rows["has_churned"].sum() < _least_churned(steps):
        return [], (
            "Of too few accounts that churned all of these signals had a value on that date for hazard "
            f"ratios: {', '.join(signals)}."
        )
    for signal in usable:
        rows[signal] = (rows[signal] - rows[signal].mean()) / rows[signal].std(ddof=0)
    fitted = _fitted(rows[["followed_days", "has_churned", *usable]])
    if fitted is None:
        return (
            [],
            "The hazard ratios did not converge: one signal alone separates who stayed. The table has it.",
        )
    return [
        {
            "signal": signal,
            "hazard_ratio": math.exp(fitted.loc[signal, "coef"]),
            "ci": [
                math.exp(fitted.loc[signal, "coef lower 95%"]),
                math.exp(fitted.loc[signal, "coef upper 95%"]),
            ],
            "accounts": len(rows),
            "churned": int(rows["has_churned"].sum()),
        }
        for signal in usable
    ], None


def _fitted(rows: pd.DataFrame) -> Any:
    from lifelines import CoxPHFitter  # noqa: PLC0415
    from lifelines.exceptions import ConvergenceError  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pandas will change, and what the notes say in our words
        try:
            return CoxPHFitter(penalizer=PENALTY).fit(rows, "followed_days", "has_churned").summary
        except ConvergenceError:
            return None
