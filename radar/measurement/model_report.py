"""What `radar calibrate --model` found, as sentences and tables. Every rate has its n."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radar.measurement.backtest import Row
from radar.measurement.model import SHOWN_REASONS, Shadow
from radar.measurement.report import Section, interval, number, percent, rendered

SHOWN_ACCOUNTS = 10
DRIFT = {"fit_again": "fit again", None: ""}


def text(done: Shadow, written: Path | None) -> str:
    """Sentences first, then tables, for a terminal. `written`: the folder of the files."""
    found = [_figures(done), _calibration(done), _accounts(done), _signals(done), _survival(done), _cox(done)]
    return rendered(
        [*_model(done, written), *_unseen(done), *done.notes], [section for section in found if section.rows]
    )


def _model(done: Shadow, written: Path | None) -> Iterator[str]:
    if done.fit is None:
        yield f"No model: {done.reason}"
        return
    model = done.fit.model
    yield (
        f"A risk model of {len(done.figures['signals'])} signals, fitted to {model['observations']:,} "
        f"account-weeks of {model['accounts']:,} accounts, {model['churned_accounts']:,} of which had "
        f"churned within {model['horizon_days']} days by {model['train_until_date']}. It is a shadow: "
        "nothing acts on it."
    )
    if written is None:
        yield "Nothing is written: name a folder with --output to get the rows of the seeds."
    else:
        yield (
            f"Written to {written}: copy risk_model.csv and risk_model_steps.csv into your folder of seeds, "
            "and the next run has the risk of every account next to its bucket (rpt_model_scores of the "
            "marts); scores/ has the newest date."
        )


def _unseen(done: Shadow) -> Iterator[str]:
    days = str(done.request.horizon)
    figures = done.figures["horizons"].get(days, {})
    champion, model = figures.get("champion"), figures.get("model")
    if champion and model and model["positives"]:
        yield (
            f"After {done.figures['train_until']}, a time that the fit has not seen, {model['events']:,} of "
            f"{model['accounts']:,} accounts churned within {days} days. The riskiest tenth of each week had "
            f"{percent(model['recall_top_tenth'])} of the observations before a churn by the model, "
            f"{percent(champion['recall_top_tenth'])} by the scores as recorded, where chance is 10 %."
        )


def _figures(done: Shadow) -> Section:
    names = {
        "champion": f"as recorded ({done.figures['champion'] or 'no rule set'})",
        "model": "the risk model",
        "ceiling": "the ceiling: deeper trees on all signals",
    }
    return Section(
        f"On time that the fit has not seen, after {done.figures['train_until']}",
        (
            "Found: observations before a churn among the tenth with the lowest scores, or highest risks, "
            "of each week.",
        ),
        ("days", "scores", "observations", "base rate", "churned accounts", "found", "auc", "95 %"),
        tuple(
            (
                days,
                names[name],
                f"{row['n']:,}",
                percent(row["base_rate"]),
                f"{row['events']:,} of {row['accounts']:,}",
                percent(row["recall_top_tenth"]),
                "too few" if row["auc"] is None else f"{row['auc']:.2f}",
                interval(row["auc_ci"], as_percent=False),
            )
            for days, horizon in done.figures["horizons"].items()
            for name, row in horizon.items()
            if row is not None
        ),
    )


def _calibration(done: Shadow) -> Section:
    return Section(
        "What the model says, and what was observed on the same time",
        ("Tenths of the observations, the riskiest first; equal risks are together.",),
        ("tenth", "risk", "observations", "accounts", "churned", "observed", "95 %"),
        tuple(
            (
                str(row["tenth"]),
                f"{percent(row['risk_from'])} to {percent(row['risk_to'])}",
                f"{row['observations']:,}",
                f"{row['accounts']:,}",
                f"{row['churned']:,}",
                percent(row["churn_rate"]),
                interval(row["ci"]),
            )
            for row in sorted(done.figures["calibration"], key=lambda row: row["tenth"])
        ),
    )


def _accounts(done: Shadow) -> Section:
    reasons: dict[str, list[str]] = {}
    for row in done.reasons:
        found = reasons.setdefault(row["account_id"], [])
        if row["log_odds"] is not None and row["log_odds"] > 0 and len(found) < SHOWN_REASONS:
            found.append(f"{row['label']} {_reading(row)} (+{row['log_odds']:.2f})")
    riskiest = [row for row in done.scores if row["risk"] is not None][:SHOWN_ACCOUNTS]
    return Section(
        f"The riskiest accounts on {riskiest[0]['as_of_date'] if riskiest else ''}",
        ("Reasons are in log-odds: with the baseline, all of an account's add up to its risk.",),
        ("account", "risk", "by the rules", "what raises it most"),
        tuple(
            (
                row["account_id"],
                percent(row["risk"]),
                f"{number(row['score'])} {row['bucket'] or 'no bucket'}".replace("_", " "),
                "; ".join(reasons.get(row["account_id"], [])),
            )
            for row in riskiest
        ),
    )


def _reading(row: Row) -> str:
    return "without a value" if row["value"] is None else number(row["value"])


def _signals(done: Shadow) -> Section:
    return Section(
        "What the signals add, in log-odds",
        (
            "On average: how much a signal moves an account from the baseline. Drift compares the newest "
            "date with the weeks of fitting.",
        ),
        ("signal", "from", "to", "on average", "psi", "drift"),
        tuple(
            (
                row["signal"],
                f"{row['adds_from']:+.2f}",
                f"{row['adds_to']:+.2f}",
                f"{row['weight']:.2f}",
                "" if row["psi"] is None else f"{row['psi']:.2f}",
                DRIFT.get(row["drift"], row["drift"]),
            )
            for row in done.figures["signals"]
        ),
    )


def _survival(done: Shadow) -> Section:
    found = done.figures["survival"] or {"groups": [], "landmark": ""}
    return Section(
        f"How long customers stayed, by what the rules said of them on {found['landmark']}",
        (
            "Kaplan-Meier, with accounts that were still followed and the interval of 95 %. Lowest tenth: "
            "by the recorded score.",
        ),
        (
            "group",
            "accounts",
            "churned",
            *(f"after {term['days']} days" for group in found["groups"][:1] for term in group["terms"]),
            "half had left",
        ),
        tuple(
            (
                group["group"].replace("_", " "),
                f"{group['accounts']:,}",
                f"{group['churned']:,}",
                *(
                    "nobody followed"
                    if term["stayed"] is None
                    else " ".join(
                        filter(
                            None, (percent(term["stayed"]), interval(term["ci"]), f"n={term['at_risk']:,}")
                        )
                    )
                    for term in group["terms"]
                ),
                "not reached" if group["median_days"] is None else f"after {group['median_days']:.0f} days",
            )
            for group in found["groups"]
        ),
    )


def _cox(done: Shadow) -> Section:
    found = done.figures["survival"] or {"cox": []}
    return Section(
        "How much sooner accounts left, per standard deviation of a signal on that date",
        (
            "Penalised Cox model of the signals that weigh most in the risk model. Outcomes chose them, so "
            "this describes, and proves nothing.",
        ),
        ("signal", "hazard ratio", "95 %", "accounts", "churned"),
        tuple(
            (
                row["signal"],
                number(row["hazard_ratio"]),
                interval(row["ci"], as_percent=False),
                f"{row['accounts']:,}",
                f"{row['churned']:,}",
            )
            for row in found["cox"]
        ),
    )
