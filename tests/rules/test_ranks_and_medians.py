"""Ranks and medians as the models compute them, on both sides of each bound.

dbt's unit tests run on the rules of the seeds, of which none needs these: here the same models are compiled
with rules that do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from radar.measurement.models import compile_model
from radar.measurement.rule_rows import evaluable, typed_rows
from radar.measurement.whatif import FAMILIES
from tests.frozen import SEEDS

DAY = date(2026, 3, 31)
RULE = {
    **dict.fromkeys(("segment", "max_points", "renewal_within_days", "renewal_factor", "bucket", "flag")),
    "rule_id": "only",
    "effect": "points",
    "points": Decimal(-30),
    "per_unit": False,
    "needs_review": False,
    "title": "Only",
    "evidence": "Saw {value_1} (limit {threshold_1})",
}


def compiled(name: str, condition: dict[str, Any], smoothing_days: int | None, **relations: str) -> str:
    """The SQL of a model, with one rule set of one rule."""
    rule_set = {"rule_set": "mine", "status": "shadow", "base_score": 100, "watch_from": 50}
    conditions = [{"rule_id": "only", "segment": None, "position": 1, "when_null": None, **condition}]
    rule_sets = [
        evaluable(
            {**rule_set, "healthy_from": 80, "smoothing_days": smoothing_days},
            [RULE],
            conditions,
            typed_rows(SEEDS, "signals"),
        )
    ]
    macros = {"scoring_rule_sets": lambda **_: rule_sets, "signal_families": lambda: list(FAMILIES)}
    seeds = {seed: seed for seed in ("rule_sets", "rules", "rule_conditions", "signals", "settings")}
    return compile_model(name, {}, seeds | relations, macros)


def limit(
    operator: str,
    percent: str,
    values: Sequence[float | None],
    *,
    not_paying: Sequence[float] = (),
    is_billing_known: bool = True,
) -> tuple[float | None, list[str]]:
    """The limit of active_days_30d, and what the rule finds of each account, in their order."""
    condition = {"signal": "active_days_30d", "operator": operator, "threshold": Decimal(percent)}
    with duckdb.connect() as con:
        con.execute(f"create table settings as from read_csv('{SEEDS / 'settings.csv'}', header = true)")
        con.execute(
            """
            create table everything as
            select
                'a' || lpad(n::varchar, 3, '0') as account_id,
                $day::date as as_of_date,
                null::varchar as segment,
                null::varchar as unknown_signals,
                case when $known then cast(n <= $paying as bigint) end as is_paid_plan,
                value as active_days_30d,
                null::bigint as days_to_renewal
            from (select unnest($values) as value, generate_subscripts($values, 1) as n)
            """,
            {
                "day": DAY,
                "paying": len(values),
                "values": [*values, *not_paying],
                "known": is_billing_known,
            },
        )
        con.execute(
            f"""
            create table states as
            select unnest(['active_days_30d', 'days_to_renewal']) as signal, date '{DAY}' as as_of_date,
                true as is_used, true as is_known;
            create table goals (account_id varchar, as_of_date date, signal varchar, target double);
            create table accounts as
            select * exclude (active_days_30d, days_to_renewal, is_paid_plan) from everything;
            create table keys as select account_id, as_of_date from everything;
            create table usage as select account_id, as_of_date, active_days_30d from everything;
            create table billing as
            select account_id, as_of_date, days_to_renewal, is_paid_plan from everything;
            """
        )
        families = {f"sig_{family}": "keys" for family in FAMILIES}
        families |= {"sig_usage": "usage", "sig_billing": "billing"}
        limits = compiled("int_rank_limits", condition, None, **families)
        con.execute(f"create table limits as\n{limits}")
        inputs = compiled(
            "int_rule_inputs",
            condition,
            None,
            **families,
            int_rank_limits="limits",
            int_scored_accounts="accounts",
            int_signal_states="states",
            int_goals__as_of="goals",
        )
        con.execute(f"create table inputs as\n{inputs}")
        results = compiled("fct_rule_results", condition, None, int_rule_inputs="inputs")
        found = con.execute(
            f"select threshold, result, evidence from ({results}) order by account_id"
        ).fetchall()
    for threshold, result, evidence in found:
        assert result != "true" or f"(limit {threshold:g})" in evidence
    return found[0][0], [result for _, result, _ in found]


def test_a_rank_reads_the_limit_of_the_day() -> None:
    days = [float(day) for day in range(1, 21)]
    assert limit("lowest", "10", days) == (2, ["true"] * 2 + ["false"] * 18)
    assert limit("highest", "10", days) == (19, ["false"] * 18 + ["true"] * 2)
    assert limit("lowest", "10.5", days) == (3, ["true"] * 3 + ["false"] * 17)
    assert limit("lowest", "10", [*days, None])[1][-1] == "unknown"
    outside = limit("lowest", "10", days, not_paying=[0, 0, 0])
    assert outside == (2, ["true"] * 2 + ["false"] * 18 + ["true"] * 3)
    everybody = limit("lowest", "10", days, not_paying=[0, 0, 0], is_billing_known=False)
    assert everybody == (0, ["false"] * 20 + ["true"] * 3)


def test_a_rank_has_no_limit_of_few_accounts_or_many_ties() -> None:
    days = [float(day) for day in range(1, 21)]
    assert limit("lowest", "10", days[:19]) == (None, ["false"] * 19)
    assert limit("lowest", "10", [1.0] * 4 + days[4:]) == (1, ["true"] * 4 + ["false"] * 16)
    assert limit("lowest", "10", [1.0] * 5 + days[5:]) == (None, ["false"] * 20)


@pytest.mark.parametrize(
    ("smoothing_days", "buckets"),
    [
        (None, ["healthy", "watch", "watch", "healthy", "watch"]),
        (1, ["healthy", "watch", "watch", "healthy", "watch"]),
        (2, ["healthy", "healthy", "watch", "healthy", "healthy"]),
        (3, ["healthy", "healthy", "watch", "watch", "watch"]),
    ],
)
def test_the_bucket_reads_the_median_of_the_last_scored_dates(
    smoothing_days: int | None, buckets: list[str]
) -> None:
    """The rule takes 30 on some dates, which alone is watch; with another date the mean is 85."""
    dates = [DAY + timedelta(days=day) for day in (0, 1, 5, 6, 9)]
    condition = {"signal": "active_days_30d", "operator": "<", "threshold": Decimal(3)}
    with duckdb.connect() as con:
        con.execute(
            """
            create table accounts as
            select 'a' as account_id, unnest($dates) as as_of_date, null::varchar as segment,
                null::varchar as contradiction, false as is_customer_unknown
            """,
            {"dates": dates},
        )
        con.execute(
            """
            create table results as
            select
                account_id, as_of_date, 'mine' as rule_set, 1 as rule_number, 'Only' as title,
                fires as result,
                case fires when 'true' then -30.0 else 0 end as points,
                points as points_low,
                points as points_high,
                false as is_unbounded, null::varchar as cap_bucket, false as needs_review,
                null::varchar as flag, null::varchar as missing_signals
            from accounts
            positional join (select unnest(['false', 'true', 'true', 'false', 'true']) as fires)
            """
        )
        con.execute(
            "create table in_use (as_of_date date, rule_set varchar, segment varchar, rules_in_use bigint)"
        )
        query = compiled(
            "fct_health_scores",
            condition,
            smoothing_days,
            fct_rule_results="results",
            int_scored_accounts="accounts",
            int_rules_in_use="in_use",
        )
        found = con.execute(f"select score, bucket, bucket_low from ({query}) order by as_of_date").fetchall()
    assert [score for score, *_ in found] == [100, 70, 70, 100, 70], "the score of the date stays"
    assert [bucket for _, bucket, _ in found] == buckets
    assert [low for *_, low in found] == buckets
