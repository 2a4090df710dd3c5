"""A risk model of a company's own history, scored next to the rules and never in position of them.

Belongs here: the fit, and its rows as seeds: what each signal adds to the log-odds of churn, step by step.
Does not belong here: what an account's risk is, why, and whether it has drifted; models of the dbt project
read the rows and say so (`int_model_readings`, `rpt_model_*`), here as in every run.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from radar.measurement import ceiling, survival
from radar.measurement.backtest import (
    COPY,
    Backtest,
    Question,
    Row,
    figures_of,
    measured_copy,
    plain,
    rows_of,
)
from radar.measurement.calibrate import REPORTED_HORIZONS, Request, Steps
from radar.measurement.models import run_models
from radar.rules.seed_tables import described

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier

MODEL, STEPS = "risk_model", "risk_model_steps"
"""The seeds that a model is."""

SCORES, REASONS = "model_scores", "model_reasons"
"""The files of the newest scored date."""

STUMPS = {"max_leaf_nodes": 2, "max_iter": 200}
"""Trees of one split: each reads one signal, so what signals add is exact and simply adds up."""

TENTHS = np.arange(1, 10) / 10
LARGE_TIE = 0.1
"""A value that this share of the account-weeks has is a step of its own."""

LOG_ODDS_DIGITS = 12
SHOWN_REASONS = 3
MOST_WITHOUT_VALUE_PCT = 10
_PUBLISHED = {
    "fct_billing_intervals": f"{COPY}.marts.fct_billing_intervals",
    "fct_outcomes": f"{COPY}.marts.fct_outcomes",
    "int_measured_dates": "int_measured_dates",
    MODEL: f"seed_{MODEL}",
    STEPS: f"seed_{STEPS}",
}


@dataclass(frozen=True)
class Fit:
    """A fitted model: `cuts` by signal are the lower ends of its steps, all but the first.

    `classifier` reads the number of the step of each signal, in the order of `cuts`, NaN for no value.
    """

    model: Row
    steps: Sequence[Row]
    classifier: HistGradientBoostingClassifier
    cuts: Mapping[str, Sequence[float]]

    def codes(self, values: pd.DataFrame) -> np.ndarray:
        """The steps that rows with a column per signal are on, as the classifier reads them."""
        return _codes(values, self.cuts)

    def seeds(self) -> dict[str, Sequence[Row]]:
        """The rows by seed."""
        return {MODEL: [self.model], STEPS: self.steps}


@dataclass(frozen=True)
class Shadow:
    """What was found. `reason` says why there is no model; `figures` are those of `--json`.

    `scores` and `reasons` are the rows of the newest scored date, the riskiest account first.
    """

    request: Request
    fit: Fit | None
    reason: str | None
    figures: Mapping[str, Any]
    scores: Sequence[Row] = ()
    reasons: Sequence[Row] = ()
    notes: list[str] = field(default_factory=list)

    def json(self) -> str:
        """For programs: figures rounded to four decimals, null where there is nothing."""
        rows = self.fit and {
            MODEL: {name: str(cell) for name, cell in self.fit.model.items()},
            STEPS: [{name: _cell(cell) for name, cell in row.items()} for row in self.fit.steps],
        }
        found = {"model": rows, "reason": self.reason, **plain(dict(self.figures)), "notes": self.notes}
        return json.dumps(found, ensure_ascii=False, indent=2)


def shadow(published_db: Path, seeds: Path, request: Request) -> Shadow:
    """Fit a risk model to a published copy, read only; `seeds` is the whole folder of seeds in use.

    Raises UsageError where the copy cannot be measured. The packages of the extra `calibrate` must be there.
    """
    horizons = tuple(sorted({*REPORTED_HORIZONS, request.horizon}))
    question = Question(horizons=horizons)
    with measured_copy(published_db, question) as con:
        return _shadow(Steps(con, seeds, request, (request.horizon,)), figures_of(con, question))


def write(done: Shadow, folder: Path) -> list[Path]:
    """Write the model as seeds, and what it says of the newest date in `scores/`; nothing without a model."""
    if done.fit is None:
        return []
    scores = folder / "scores"
    scores.mkdir(parents=True, exist_ok=True)
    rows = {folder / f"{name}.csv": found for name, found in done.fit.seeds().items()}
    rows |= {scores / f"{SCORES}.csv": done.scores, scores / f"{REASONS}.csv": done.reasons}
    for file, found in rows.items():
        seed = described().get(file.stem)
        columns = list(seed["types"]) if seed else list(found[0]) if found else []
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(row[column]) for column in columns] for row in found)
    summary = scores / "model.json"
    summary.write_text(f"{done.json()}\n", encoding="utf-8")
    return [*rows, summary]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _shadow(steps: Steps, backtest: Backtest) -> Shadow:
    request = steps.request
    until = _train_until(steps)
    signals = _directions(steps.con)
    fit, reason = None, None
    if until is None:
        reason = (
            "No account-week of a paying account without notice is there to fit a model to: score more "
            "dates (`radar run --since`)."
        )
    elif not signals:
        reason = "No signal has a better side: `direction` in seeds/signals.csv says which is the worse one."
    else:
        fit, reason = _fit(steps, signals, until)
    lifetimes = survival.lifetimes(steps, _heaviest(fit))
    figures: dict[str, Any] = {
        "train_until": until,
        "horizon": request.horizon,
        "champion": backtest.figures["rule_set"],
        "horizons": {},
        "calibration": [],
        "signals": [],
        "survival": lifetimes.figures,
    }
    scores: list[Row] = []
    reasons: list[Row] = []
    unknown: list[str] = []
    if fit is not None:
        figures |= _measure(steps, fit, request)
        scores, reasons = _newest(steps)
        unknown = _unknown(steps, scores, figures)
    return Shadow(
        request, fit, reason, figures, scores, reasons, [*unknown, *lifetimes.notes, *backtest.notes]
    )


def _train_until(steps: Steps) -> date | None:
    until = steps.request.train_until
    steps.model(
        "calibration_period",
        {"horizon": steps.request.horizon, "train_until": until.isoformat() if until else None},
    )
    return steps.train_until()


def _directions(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(
        con.execute(
            "select signal, direction from seed_signals where direction is not null order by signal"
        ).fetchall()
    )


def _fit(steps: Steps, directions: Mapping[str, str], until: date) -> tuple[Fit | None, str | None]:
    """A model of the outcomes that were known on `until`, or why there is none."""
    con, horizon = steps.con, steps.request.horizon
    steps.fitted_accounts()
    steps.model("model_inputs", {"signals": steps.signals()})
    columns = [*directions, *(f"is_known_{signal}" for signal in directions)]
    known = ceiling.known_outcomes(con, "model_inputs", columns, horizon, until)
    if known.empty:
        return None, (
            f"No outcome within {horizon} days was known on {until}: that needs scores from {horizon} days "
            "and the grace days before. Name a later --train-until or a shorter --horizon, or fill earlier "
            "days with `radar run --since`."
        )
    ((least_known,),) = con.execute(
        "select value from seed_settings where setting = 'model_least_known_pct'"
    ).fetchall()
    signals = [name for name in directions if 100 * known[f"is_known_{name}"].mean() >= least_known]
    known = known[(known[[f"is_known_{signal}" for signal in signals]] == 1).all(axis=1)]
    churned = known["has_churned"].astype(bool)
    accounts, left = known["account_id"].nunique(), known[churned]["account_id"].nunique()
    if ceiling.too_few(con, known):
        return None, (
            f"Of {accounts:,} accounts {left:,} had churned within {horizon} days by {until}: too few to fit "
            "a model to (least_churned_accounts in seeds/settings.csv). A longer history, one with canceled "
            "subscriptions, or a later --train-until would make it known."
        )
    if churned.all():
        return None, (
            f"Every account observed until {until} churned within {horizon} days: what keeps a customer "
            "cannot be told from that. Extracts of customers that stayed would make it known."
        )
    cuts = {signal: cut_points(known[signal].to_numpy()) for signal in signals}
    cuts = {name: found for name, found in cuts.items() if found or 0 < known[name].isna().mean() < 1}
    if not cuts:
        return None, (
            "No signal is known that has two values, so no accounts can be told apart. More feeds would "
            "make it known; `radar run` names those missing."
        )
    classifier = ceiling.monotone([directions[signal] for signal in cuts], **STUMPS)
    codes = _codes(known, cuts)
    with ceiling.one_thread():
        classifier.fit(codes, churned.to_numpy())
        baseline, table = step_table(classifier, codes, cuts)
    if not table:
        return None, "No signal tells accounts that churned from others: the fit found no step that helps."
    model = {
        "horizon_days": horizon,
        "train_until_date": until.isoformat(),
        "baseline_log_odds": _decimal(baseline),
        "observations": len(known),
        "accounts": accounts,
        "churned_accounts": left,
    }
    version = hashlib.sha256(json.dumps([model, table], default=str).encode()).hexdigest()[:12]
    return Fit({"model_version": version, **model}, table, classifier, cuts), None


def cut_points(values: np.ndarray) -> list[float]:
    """The lower ends of the steps of a signal, all but the first: tenths, and large ties by themselves."""
    known = np.sort(values[~np.isnan(values)])
    if known.size == 0:
        return []
    cuts = set()
    for tenth in np.unique(np.quantile(known, TENTHS, method="inverted_cdf")):
        cuts.add(float(tenth))
        above = known[known > tenth]
        if above.size and (known == tenth).mean() >= LARGE_TIE:
            cuts.add(float(above[0]))
    return sorted(cut for cut in cuts if cut > known[0])


def _codes(values: pd.DataFrame, cuts: Mapping[str, Sequence[float]]) -> np.ndarray:
    columns = []
    for signal, found in cuts.items():
        column = values[signal].to_numpy(dtype=float)
        code = np.searchsorted(np.array(found), column, side="right").astype(float)
        columns.append(np.where(np.isnan(column), np.nan, code))
    return np.column_stack(columns)


def step_table(
    classifier: HistGradientBoostingClassifier, codes: np.ndarray, cuts: Mapping[str, Sequence[float]]
) -> tuple[float, list[Row]]:
    """The baseline, and the rows of risk_model_steps: what each signal adds, 0 on average of `codes`.

    Every tree reads one signal, so a signal adds the same wherever the others are: at their first step here.
    """
    first = np.zeros((1, len(cuts)))
    baseline = float(classifier.decision_function(first)[0])
    table: list[Row] = []
    for position, (signal, found) in enumerate(cuts.items()):
        probes = np.zeros((len(found) + 2, len(cuts)))
        probes[:, position] = [*range(len(found) + 1), np.nan]
        added = classifier.decision_function(probes) - classifier.decision_function(first)[0]
        column = codes[:, position]
        shares = np.array(
            [*((column == code).mean() for code in range(len(found) + 1)), np.isnan(column).mean()]
        )
        if not np.ptp(added[shares > 0]):
            continue
        mean = float(shares @ added)
        baseline += mean
        ends = [None, *found, None]
        for number, (log_odds, share) in enumerate(zip(added - mean, shares, strict=True), start=1):
            is_without_value = number == len(added)
            table.append(
                {
                    "signal": signal,
                    "step": number,
                    "is_without_value": is_without_value,
                    "value_from": None if is_without_value else _value(ends[number - 1]),
                    "value_below": None if is_without_value else _value(ends[number]),
                    "log_odds": _decimal(log_odds),
                    "trained_pct": f"{100 * share:.6f}",
                }
            )
    return baseline, table


def _decimal(number: float) -> str:
    text = f"{number:.{LOG_ODDS_DIGITS}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _value(number: float | None) -> str | None:
    return None if number is None else f"{number:.6f}".rstrip("0").rstrip(".")


def load(con: duckdb.DuckDBPyConnection, fit: Fit) -> None:
    """Make the tables seed_risk_model and seed_risk_model_steps, typed as the seeds are."""
    for name, rows in fit.seeds().items():
        types = described()[name]["types"]
        columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
        con.execute(f"create or replace table seed_{name} ({columns})")
        con.executemany(
            f"insert into seed_{name} values ({', '.join('?' * len(types))})",
            [[row[column] for column in types] for row in rows],
        )


def _measure(steps: Steps, fit: Fit, request: Request) -> Row:
    """Evaluate the model as a run does, and compare it with the recorded scores after train_until."""
    con = steps.con
    load(con, fit)
    steps.inputs([], {})
    ceilings = steps.ceilings()
    steps.relations |= _PUBLISHED
    _evaluate(steps, fit)
    steps.model("model_observations", {})
    steps.model("model_predictions", {})
    observations = steps.relations["fct_observations"]
    steps.relations["fct_observations"] = "model_observations"
    steps.compare({**ceilings, "model": "model_predictions"}, steps.horizons)
    run_models(con, COPY, horizons=steps.horizons, slice_by="'all'", models=("rpt_backtest_calibration",))
    steps.relations["fct_observations"] = observations
    found = {(row["slice"], row["horizon_days"]): row for row in rows_of(con, "calibration_figures")}
    base = {
        (row["slice"], row["horizon_days"]): row["rate"]
        for row in rows_of(con, "rpt_backtest_rates")
        if (row["measure"], row["group_name"]) == ("churn_rate", "all")
    }
    days = request.horizon
    names = (("champion", "champion"), ("model", "model"), ("ceiling", f"ceiling {days}"))
    drift = {row["signal"]: row for row in rows_of(con, "rpt_model_drift")}
    return {
        "horizons": {
            str(days): {
                name: _figures(found.get((slice_name, days)), base.get((slice_name, days)))
                for name, slice_name in names
            }
        },
        "calibration": [
            {
                "tenth": row["tenth"],
                "risk_from": 1 - row["score_to"] / 100,
                "risk_to": 1 - row["score_from"] / 100,
                "observations": row["observations"],
                "accounts": row["accounts"],
                "churned": row["churned"],
                "churn_rate": row["churn_rate"],
                "ci": None if row["ci_low"] is None else [row["ci_low"], row["ci_high"]],
            }
            for row in rows_of(con, "rpt_backtest_calibration")
            if (row["slice"], row["horizon_days"]) == ("model", days)
        ],
        "signals": [
            {
                "signal": signal,
                "adds_from": min(float(row["log_odds"]) for row in rows),
                "adds_to": max(float(row["log_odds"]) for row in rows),
                "weight": weight,
                "psi": drift.get(signal, {}).get("psi"),
                "drift": drift.get(signal, {}).get("state"),
            }
            for signal, weight, rows in _weights(fit)
        ],
        "fitted_to": {name: fit.model[name] for name in ("observations", "accounts", "churned_accounts")},
    }


def _evaluate(steps: Steps, fit: Fit) -> None:
    """Run the models of a run that say what the model finds: scores of all dates, the rest of the newest.

    Date by date, as a row per signal of a long history is more than memory holds.
    """
    con, history = steps.con, f"{COPY}.marts.fct_health_history"
    signals = ", ".join(f"'{signal}'" for signal in fit.cuts)
    steps.model("model_dates", {"dates": steps.later()}, fct_health_history=history)
    days = con.execute("select as_of_date from model_dates order by as_of_date").fetchall()
    for number, (day,) in enumerate(days):
        on_day = f"as_of_date = date '{day}'"
        steps.relations |= {
            "fct_health_history": f"(select * from {history} where {on_day})",
            "fct_signal_values": f"(select * from {COPY}.scoring.fct_signal_values "
            f"where {on_day} and signal in ({signals}))",
        }
        for name in ("int_model_readings", "rpt_model_scores"):
            steps.model(name, {})
        keep = "insert into model_scores" if number else "create table model_scores as"
        con.execute(f"{keep} from rpt_model_scores")
    for name in ("rpt_model_reasons", "rpt_model_drift"):
        steps.model(name, {})
    steps.relations["rpt_model_scores"] = "model_scores"


def _figures(row: Row | None, base_rate: float | None) -> Row | None:
    if row is None:
        return None
    return {
        "n": row["observations"],
        "accounts": row["accounts"],
        "positives": row["positives"],
        "events": row["churned_accounts"],
        "base_rate": base_rate,
        "auc": row["auc"],
        "auc_ci": None if row["auc_low"] is None else [row["auc_low"], row["auc_high"]],
        "recall_top_tenth": row["recall_top_tenth"],
    }


def _weights(fit: Fit) -> list[tuple[str, float, list[Row]]]:
    """Signals with what they add on average, without its sign, and their steps; the heaviest first."""
    by_signal: dict[str, list[Row]] = {}
    for row in fit.steps:
        by_signal.setdefault(row["signal"], []).append(row)
    weights = [
        (name, sum(float(row["trained_pct"]) / 100 * abs(float(row["log_odds"])) for row in rows), rows)
        for name, rows in by_signal.items()
    ]
    return sorted(weights, key=lambda weight: (-round(weight[1], 9), weight[0]))


def _heaviest(fit: Fit | None) -> list[str]:
    """The heaviest signals, of those that nearly every account has a value of."""
    if fit is None:
        return []
    rare = {
        row["signal"]
        for row in fit.steps
        if row["is_without_value"] and float(row["trained_pct"]) > MOST_WITHOUT_VALUE_PCT
    }
    return [signal for signal, *_ in _weights(fit) if signal not in rare][:SHOWN_REASONS]


def _newest(steps: Steps) -> tuple[list[Row], list[Row]]:
    """The scores and reasons of the newest date, the riskiest account first."""
    scores, reasons = (rows_of(steps.con, name) for name in ("rpt_model_scores", "rpt_model_reasons"))
    ranks = {
        row["account_id"]: (row["risk_rank"] is None, row["risk_rank"] or 0, row["account_id"])
        for row in scores
    }
    return (
        sorted(scores, key=lambda row: ranks[row["account_id"]]),
        sorted(reasons, key=lambda row: (ranks[row["account_id"]], row["reason_rank"])),
    )


def _unknown(steps: Steps, scores: Sequence[Row], figures: Row) -> list[str]:
    """Sentences of accounts without a risk, of weeks without one, and of signals that have moved."""
    sentences = []
    without = [row for row in scores if row["risk"] is None]
    if without:
        signals = sorted({name for row in without for name in row["unknown_signals"].split(", ")})
        sentences.append(
            f"{len(without):,} of {len(scores):,} accounts have no risk on {scores[0]['as_of_date']}: "
            f"unknown are {', '.join(signals)}. Their bucket by the rules stands; files of these feeds would "
            "make it known."
        )
    days = str(figures["horizon"])
    if figures["horizons"][days]["model"] is None:
        sentences.append(
            f"No outcome within {days} days is known after {figures['train_until']}, so nothing says yet how "
            "well the model does. It can be judged as scores grow older, or name an earlier --train-until."
        )
    moved = [row["signal"] for row in figures["signals"] if row["drift"] == "fit_again"]
    if moved:
        sentences.append(
            f"Fit again: {', '.join(moved)} {'is' if len(moved) == 1 else 'are'} spread otherwise on the "
            "newest date than in the weeks of fitting, so risks there mean less."
        )
    return sentences
