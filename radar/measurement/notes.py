"""What cannot be known from a history, and what would make it known, each as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def notes(history: Mapping[str, Any], figures: Mapping[str, Any], rule_set: str | None) -> list[str]:
    """The sentences that hold of a history (the row of rpt_backtest) and its figures."""
    if not history["scored_days"]:
        return [
            "No date in this range was scored: name another with --since and --until, or run `radar run` "
            "for it."
        ]
    if not history["has_billing"]:
        return [
            "There is no billing history, so nobody knows who left: extracts of billing/subscriptions, "
            "with the canceled ones, would make it known."
        ]
    found = [_of_horizon(days, horizon, history) for days, horizon in figures["horizons"].items()]
    return [sentence for sentence in [*found, *_of_history(history, figures, rule_set)] if sentence]


def _of_horizon(days: str, horizon: Mapping[str, Any], history: Mapping[str, Any]) -> str:
    if not horizon["n"] and history["observations"]:
        return (
            f"Within {days} days nothing is known yet: that needs scores from {days} days and the grace days "
            f"before {history['known_until_date']}. They grow old by themselves, or `radar run --since` "
            "fills earlier days."
        )
    if horizon["n"] and not horizon["positives"]:
        return (
            f"Within {days} days none of {horizon['accounts']:,} accounts churned: there is nothing to "
            "foresee yet. A longer history, or one with canceled subscriptions, would show it."
        )
    if horizon["n"] and horizon["positives"] == horizon["n"]:
        return (
            f"Within {days} days every observed account churned: scores cannot be told apart by that. "
            "Extracts of customers that stayed would make it known."
        )
    return ""


def _of_history(history: Mapping[str, Any], figures: Mapping[str, Any], rule_set: str | None) -> list[str]:
    noticed = figures["left_out"].get("noticed")
    joint = sum(row["joint"] for row in figures["renewals"].values())
    sentences = (
        (
            not history["observations"],
            "No scored account was paying without notice on a date of the grid: a paid plan in "
            "seeds/plans.csv, or an amount of the subscription, makes an account a paying one.",
        ),
        (
            history["undecided_pct"] == 100,
            "Every score was undecided, because feeds are missing: buckets are those of the rules that "
            "could be evaluated. `radar run` names the feeds.",
        ),
        (
            history["unknown_amounts"],
            f"{history['unknown_amounts']:,} observations have no amount in USD, because billing has "
            "none or its currency is not known: whether they contracted or expanded is not known and "
            "counts as neither. An mrr_usd for each live subscription would make it known.",
        ),
        (
            noticed,
            f"{noticed or 0:,} scores came after the customer had given notice (a subscription that ends "
            "on a day to come is notice): they foresee nothing and are left out.",
        ),
        (
            history["switches"],
            f"{history['switches']:,} times an account left and came back within the grace days: a "
            "switch, no churn.",
        ),
        (
            history["reactivations"],
            f"{history['reactivations']:,} churned accounts came back after the grace days: they count as "
            "churned, and as customers from then on.",
        ),
        (
            joint,
            f"{joint:,} renewals are of several subscriptions of one account on one day, and count once.",
        ),
        (
            history["rule_sets"] > 1 and rule_set is None,
            f"{history['rule_sets']} rule sets recorded this history; `radar backtest "
            "--rule-set` measures one of them.",
        ),
    )
    return [sentence for is_so, sentence in sentences if is_so]
