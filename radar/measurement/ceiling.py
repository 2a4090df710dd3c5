"""How well any rules on these signals could do: monotone gradient boosting, for comparison and nothing else.

Belongs here: which outcomes are known for a fit, and the fit, with the packages of the extra `calibrate`.
Does not belong here: what is compared with it. Nobody is ever scored by this model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier


def is_installed() -> bool:
    """Whether the packages of the extra are there."""
    return find_spec("sklearn") is not None


def fit(
    con: duckdb.DuckDBPyConnection,
    *,
    inputs: str,
    directions: Mapping[str, str],
    horizon: int,
    train_until: date,
    table: str,
) -> bool:
    """Make `table`: a score of each row of `inputs`, by churn that was known on `train_until`.

    A risk may only rise as a signal moves to its worse side. False where too few accounts had churned by then
    (settings.least_churned_accounts), none had stayed, or no signal has two values.
    """
    rows = known_outcomes(con, inputs, directions, horizon, train_until)
    known = rows[rows["has_churned"].notna()]
    churned = known["has_churned"].astype(bool)
    if too_few(con, known) or churned.all():
        return False
    signals = [
        signal for signal in sorted(directions) if known[signal].nunique() > 1
    ]  # others tell nobody apart
    if not signals:
        return False
    model = monotone([directions[signal] for signal in signals])
    with one_thread():
        model.fit(known[signals].to_numpy(), churned.to_numpy())
        risks = model.predict_proba(rows[signals].to_numpy())[:, 1]
    scored = rows[["account_id", "as_of_date"]].assign(score=100 * (1 - risks))
    con.register("ceiling_frame", scored)
    con.execute(
        f"""
        create or replace table {table} as
        select account_id, as_of_date::date as as_of_date, score, 'healthy' as bucket from ceiling_frame
        """
    )
    con.unregister("ceiling_frame")
    return True


def known_outcomes(
    con: duckdb.DuckDBPyConnection, inputs: str, signals: Iterable[str], horizon: int, train_until: date
) -> pd.DataFrame:
    """The rows of `inputs` with their signals as numbers, by account and date.

    `has_churned` is null where it was not known on `train_until` whether the account churns within `horizon`
    days.
    """
    columns = ", ".join(f"cast({signal} as double) as {signal}" for signal in sorted(signals))
    return con.execute(
        f"""
        select
            account_id, as_of_date, {columns},
            case
                when as_of_date + cast($days as integer) + (
                    select value from seed_settings where setting = 'churn_grace_days'
                )::integer <= $until and not is_censored_{horizon}d
                    then has_churned_{horizon}d
            end as has_churned
        from {inputs}
        inner join fct_observations using (account_id, as_of_date)
        order by account_id, as_of_date
        """,
        {"days": horizon, "until": train_until},
    ).df()


def too_few(con: duckdb.DuckDBPyConnection, known: pd.DataFrame) -> bool:
    """Whether fewer accounts than settings.least_churned_accounts have churned."""
    ((least,),) = con.execute(
        "select value from seed_settings where setting = 'least_churned_accounts'"
    ).fetchall()
    churned = known["has_churned"].astype(bool)
    return bool(known[churned]["account_id"].nunique() < least)


def monotone(directions: Sequence[str], **shape: Any) -> HistGradientBoostingClassifier:
    """A model of signals in this order, whose risk may only rise as one moves to its worse side.

    `shape` limits its trees; equal rows give an equal model.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  of the extra calibrate

    return HistGradientBoostingClassifier(
        monotonic_cst=[-1 if direction == "higher_is_better" else 1 for direction in directions],
        early_stopping=False,
        random_state=0,
        **shape,
    )


def one_thread() -> AbstractContextManager[object]:
    """While it is open, fits use one thread: on a busy machine several wait for each other."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  comes with scikit-learn

    return threadpool_limits(limits=1)  # type: ignore[no-any-return]
