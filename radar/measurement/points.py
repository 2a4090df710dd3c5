"""Points by outcomes: what each rule says of churn next to the others, as numbers that a rep can read.

Belongs here: the fit, with the packages of the extra `calibrate`. Does not belong here: whether fitted points
are used; that is judged on later time, by `calibration_gain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import floor

import duckdb

from radar.measurement.ceiling import known_outcomes

STEP = 5
"""Points are multiples of it, and none are less: a rule that fires always costs something."""


@dataclass(frozen=True)
class Fitted:
    """`churned`: accounts that had left by then. `points` of each rule, below 0; None where none can be."""

    churned: int
    needed: int
    points: Mapping[str, int] | None


def fit(
    con: duckdb.DuckDBPyConnection,
    *,
    results: str,
    standard: Mapping[str, int],
    horizon: int,
    train_until: date,
) -> Fitted:
    """Fit points to the outcomes that were known on `train_until`.

    `results`: a table of rule results; `standard`: points of each rule, whose sum is kept, so that the limits
    of the buckets mean the same. Equal rows give equal points.
    """
    rules = sorted(standard)
    columns = ", ".join(f"bool_or(result = 'true') filter (where rule_id = '{r}') as {r}" for r in rules)
    con.execute(
        "create or replace table points_inputs as "
        f"select account_id, as_of_date, {columns} from {results} where as_of_date <= $until group by all",
        {"until": train_until},
    )
    known = known_outcomes(con, "points_inputs", rules, horizon, train_until)
    known["has_churned"] = known["has_churned"].astype(bool)
    churned = int(known[known["has_churned"]]["account_id"].nunique())
    ((needed,),) = con.execute(
        "select value from seed_settings where setting = 'calibrate_points_churned'"
    ).fetchall()
    if churned < needed or known["has_churned"].all():
        return Fitted(churned, int(needed), None)

    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  of the extra calibrate

    alike = known.groupby([*rules, "has_churned"], as_index=False).size()
    # weeks of one account are not independent: all together they weigh as much as the accounts
    weight = alike["size"] * (known["account_id"].nunique() / len(known))
    model = LogisticRegression(max_iter=1000)
    model.fit(alike[rules].to_numpy(), alike["has_churned"].to_numpy(), sample_weight=weight.to_numpy())
    risk = {rule: max(float(one), 0.0) for rule, one in zip(rules, model.coef_[0], strict=True)}
    total = sum(risk.values())
    if not total:
        return Fitted(churned, int(needed), None)
    scale = -sum(standard.values()) / total
    points = {rule: -STEP * max(1, floor(scale * risk[rule] / STEP + 0.5)) for rule in rules}
    return Fitted(churned, int(needed), points)
