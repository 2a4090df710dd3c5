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


MOST_FITTED = 300_000
"""Account-weeks that a model is fitted to: more change its figures by less than their intervals."""


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
    """Make `table`: a score of each row of `inputs` after `train_until`, by churn that was known on that day.

    A risk may only rise as a signal moves to its worse side. False where too few accounts had churned by then
    (settings.least_churned_accounts), none had stayed, or no signal has two values.
    """
    fitted = f"(select inputs.* from {inputs} as inputs semi join fitted_accounts using (account_id))"
    known = known_outcomes(con, fitted, directions, horizon, train_until)
    churned = known["has_churned"].astype(bool)
    if too_few(con, known) or churned.all():
        return False
    signals = [
        signal for signal in sorted(directions) if known[signal].nunique() > 1
    ]  # others tell nobody apart
    if not signals:
        return False
    later = con.execute(
        f"select account_id, as_of_date, {_as_numbers(signals)} from {inputs} where as_of_date > $until",
        {"until": train_until},
    ).df()
    model = monotone([directions[signal] for signal in signals])
    with one_thread():
        model.fit(known[signals].to_numpy(), churned.to_numpy())
        risks = model.predict_proba(later[signals].to_numpy())[:, 1]
    scored = later[["account_id", "as_of_date"]].assign(score=100 * (1 - risks))
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
    con: duckdb.DuckDBPyConnection,
    inputs: str,
    signals: Iterable[str],
    horizon: int,
    train_until: date,
) -> pd.DataFrame:
    """The rows of `inputs` with their signals as numbers and `has_churned`, by account and date.

    They are those of which it was known on `train_until` whether the account churns within `horizon` days.
    """
    return con.execute(
        f"""
        with

        known as (

            select account_id, as_of_date, has_churned_{horizon}d as has_churned
            from fct_observations
            where
                not is_censored_{horizon}d
                and as_of_date + cast($days as integer) + (
                    select value from seed_settings where setting = 'churn_grace_days'
                )::integer <= $until

        )

        select inputs.account_id, inputs.as_of_date, {_as_numbers(sorted(signals))}, known.has_churned
        from {inputs} as inputs
        inner join known
            on inputs.account_id = known.account_id and inputs.as_of_date = known.as_of_date
        order by inputs.account_id, inputs.as_of_date
        """,
        {"days": horizon, "until": train_until},
    ).df()


def _as_numbers(signals: Sequence[str]) -> str:
    return ", ".join(f"cast({signal} as double) as {signal}" for signal in signals)


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
