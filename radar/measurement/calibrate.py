"""A rule set proposed from a company's own history: limits without outcomes, then outcomes confirm or drop.

Belongs here: which models run in which order, and the proposal as rows of seeds. Does not belong here: where
a limit is, what a rule finds and how well it foresees; those are the models in `calibration/` and the macros
of the dbt project that evaluate every rule.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from radar.measurement import ceiling
from radar.measurement import points as fitting
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
from radar.measurement.models import compile_model, run_models
from radar.measurement.rule_rows import FAMILIES, evaluable, typed_rows
from radar.rules.gathering import RULE_FILES

REPORTED_HORIZONS = (30, 60, 90)
"""Figures are shown for these and for the horizon that rules are judged by."""

BASE_SCORE, WATCH_FROM, HEALTHY_FROM = 100, 50, 80
_PUBLISHED = {
    "fct_signal_values": "scoring.fct_signal_values",
    "int_account_unknown_days": "intermediate.int_account_unknown_days",
    "int_rule_inputs": "scoring.int_rule_inputs",
    "int_scored_accounts": "scoring.int_scored_accounts",
    "int_signal_states": "intermediate.int_signal_states",
}
"""What the models read of the published copy, next to what the backtest reads."""
_DAYS_OBSERVED = "(select distinct as_of_date from fct_observations where left_out_because is null)"
_RULE_SET = "calibrated_v"


@dataclass(frozen=True)
class Request:
    """What is asked: rules judged by churn within `horizon` days, for the worst `share` percent."""

    horizon: int = 60
    share: int = 10
    max_rules: int = 8
    train_until: date | None = None


@dataclass(frozen=True)
class Proposal:
    """A rule set as rows of the seeds: cells by column, numbers as numbers, None where a cell is empty."""

    rule_set: Row
    rules: Sequence[Row]
    conditions: Sequence[Row]

    def with_points(self, points: Mapping[str, int]) -> Proposal:
        """The same rules with other points, by rule."""
        return replace(self, rules=[{**rule, "points": points[rule["rule_id"]]} for rule in self.rules])

    def files(self) -> dict[str, list[Row]]:
        """The rows by the file that they belong in."""
        return dict(zip(RULE_FILES, ([self.rule_set], list(self.rules), list(self.conditions)), strict=True))


@dataclass(frozen=True)
class Calibration:
    """What was found. `reason` says why there is no proposal; `figures` are those of `--json`."""

    request: Request
    proposal: Proposal | None
    reason: str | None
    figures: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)

    def json(self) -> str:
        """For programs: figures rounded to four decimals, null where there is nothing."""
        rows = self.proposal and {name.removesuffix(".csv"): r for name, r in self.proposal.files().items()}
        found = {"proposal": rows, "reason": self.reason, **self.figures, "notes": self.notes}
        return json.dumps(plain(found), ensure_ascii=False, indent=2)


def calibrate(published_db: Path, seeds: Path, request: Request) -> Calibration:
    """Propose a rule set for a published copy, read only; `seeds` is the whole folder of seeds in use.

    Raises UsageError where the copy cannot be measured.
    """
    horizons = tuple(sorted({*REPORTED_HORIZONS, request.horizon}))
    question = Question(horizons=horizons)
    with measured_copy(published_db, question) as con:
        return Steps(con, seeds, request, horizons).run(figures_of(con, question))


def write(proposal: Proposal, seeds: Path, folder: Path) -> list[Path]:
    """Write the rule files of `seeds` with the proposal's rows at their end: they replace those in use."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in proposal.files().items():
        content = (seeds / name).read_text(encoding="utf-8-sig")
        header = next(csv.reader(content.splitlines()))
        file = folder / name
        with file.open("w", encoding="utf-8", newline="") as out:
            out.write(content if content.endswith("\n") else f"{content}\n")
            csv.writer(out, lineterminator="\n").writerows(
                [_cell(row.get(column)) for column in header] for row in rows
            )
        written.append(file)
    return written


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


class Steps:
    """The steps, over the connection that the measurement models were run in."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, seeds: Path, request: Request, horizons: tuple[int, ...]
    ) -> None:
        self.con, self.seeds, self.request, self.horizons = con, seeds, request, horizons
        self.catalogue = typed_rows(seeds, "signals")
        self.relations = {name: f"{COPY}.{relation}" for name, relation in _PUBLISHED.items()}
        self.relations |= {"fct_observations": "fct_observations", "int_backtest_auc": "int_backtest_auc"}
        self.relations |= {"rpt_backtest_rates": "rpt_backtest_rates"}
        signals_of = f"select * from {COPY}.signals.sig_{{}} where as_of_date in {_DAYS_OBSERVED}"
        self.relations |= {f"sig_{family}": f"({signals_of.format(family)})" for family in FAMILIES}
        self.relations |= {name: name for name in ("rule_sets", "rules", "rule_conditions")}
        for name in ("settings", "signals"):
            con.execute(
                f"create table seed_{name} as select * from read_csv($file, header = true)",
                {"file": str(seeds / f"{name}.csv")},
            )
            self.relations[name] = f"seed_{name}"

    def run(self, backtest: Backtest) -> Calibration:
        """Place limits, evaluate the rules that they make, and let outcomes confirm or drop them."""
        self.model(
            "calibration_period",
            {"horizon": self.request.horizon, "train_until": _text(self.request.train_until)},
        )
        self.model("calibration_limits", {"share_pct": self.request.share})
        ranks = self.rank_limits()
        self.model(
            "calibration_rules",
            {
                "max_rules": self.request.max_rules,
                "share_pct": self.request.share,
                "rank_limits": ranks,
            },
        )
        chosen = rows_of(self.con, "calibration_rules")
        self.inputs([row["signal"] for row in chosen], ranks)
        limits = self.proposal(chosen)
        scores = self.ceilings()
        verdicts: dict[str, Row] = {}
        if chosen:
            self.score("limits", limits)
            scores["limits"] = "limits_scores"
            verdicts = self.verdicts("limits_results")
        proposal, dropped = limits, {rule for rule, row in verdicts.items() if row["verdict"] == "against"}
        reason, points = self.reason(chosen, verdicts), None
        measured: str | None = None
        if reason is None:
            measured = "limits"
            if dropped:
                measured = "proposal"
                proposal = self.proposal([row for row in chosen if _rule_id(row) not in dropped])
                self.score("proposal", proposal)
                scores["proposal"] = "proposal_scores"
            fitted = self.fitted(proposal)
            if fitted and fitted.points:
                self.score("points", proposal.with_points(fitted.points))
                scores["points"] = "points_scores"
            self.compare(scores, self.horizons)
            points = self.points(fitted, measured)
            if fitted and fitted.points and points["used"] == "fitted":
                proposal, measured = proposal.with_points(fitted.points), "points"
        else:
            self.compare(scores, self.horizons)
        return Calibration(
            self.request,
            proposal if reason is None else None,
            reason,
            {**self.figures(backtest, chosen, verdicts, measured, proposal), "points": points},
            [*self.notes(chosen, verdicts, dropped), *backtest.notes],
        )

    def signals(self) -> list[Row]:
        """The signals of the catalogue that have a better side, by name."""
        return sorted((row for row in self.catalogue if row["direction"]), key=lambda row: str(row["signal"]))

    def inputs(self, rule_signals: Sequence[str], ranks: Mapping[str, str]) -> None:
        """What the ceilings read, and rules on `rule_signals`; `ranks`: the limits of the day, by signal."""
        described = self.con.execute(f"describe {COPY}.scoring.int_rule_inputs").fetchall()
        read_signals = [column for column, *_ in described]
        variables = {
            "signals": self.signals(),
            "rule_signals": rule_signals,
            "read_signals": read_signals,
            "ranks": [ranks[signal] for signal in rule_signals if signal in ranks],
        }
        self.model("calibration_inputs", variables)
        self.model("calibration_accounts", {})

    def ceilings(self) -> dict[str, str]:
        """The tables of what a model could foresee within each horizon, by slice; none without the extra."""
        directions = {row["signal"]: row["direction"] for row in self.signals()}
        until = self.train_until()
        if until is None or not directions or not ceiling.is_installed():
            return {}
        self.fitted_accounts()
        return {
            f"ceiling {days}": f"ceiling_{days}d"
            for days in self.horizons
            if ceiling.fit(
                self.con,
                inputs="calibration_inputs",
                directions=directions,
                horizon=days,
                train_until=until,
                table=f"ceiling_{days}d",
            )
        }

    def fitted_accounts(self) -> None:
        """Choose the accounts that models are fitted to."""
        self.model("fitted_accounts", {"most": ceiling.MOST_FITTED})

    def fitted(self, proposal: Proposal) -> fitting.Fitted | None:
        """Points of the proposal's rules by the outcomes known on train_until; None without the extra."""
        until = self.train_until()
        if until is None or not ceiling.is_installed():
            return None
        return fitting.fit(
            self.con,
            results="limits_results",
            standard={rule["rule_id"]: rule["points"] for rule in proposal.rules},
            horizon=self.request.horizon,
            train_until=until,
        )

    def points(self, fitted: fitting.Fitted | None, standard: str) -> Row:
        """Which points are proposed, and why: `standard` is the slice of those that need no outcome."""
        if fitted is None:
            return {"used": "standard", "because": "no_extra"}
        found: Row = {"points_because": "too_few" if fitted.churned < fitted.needed else "no_effect"}
        if fitted.points:
            self.model("calibration_gain", {"standard": standard, "fitted": "points"})
            gains = rows_of(self.con, "calibration_gain")
            found = next(
                (row for row in gains if row["horizon_days"] == self.request.horizon),
                {"points_because": "too_few_later", "churned_accounts": 0},
            )
        because, low = found["points_because"], found.get("gain_low")
        return {
            "used": "fitted" if because == "gain" else "standard",
            "because": because,
            "churned_accounts": fitted.churned,
            "needed": fitted.needed,
            "churned_accounts_later": found.get("churned_accounts"),
            "fitted": fitted.points,
            "gain": found.get("gain"),
            "gain_ci": None if low is None else [low, found["gain_high"]],
        }

    def model(
        self,
        name: str,
        variables: Mapping[str, Any],
        *,
        table: str | None = None,
        kind: str = "table",
        rule_sets: Sequence[Row] = (),
        **relations: str,
    ) -> None:
        """Make a table, or a view, of a model in `calibration/`."""
        query = compile_model(
            name,
            variables,
            self.relations | relations,
            {
                "scoring_rule_sets": lambda: [dict(rule_set) for rule_set in rule_sets],
                "signal_families": lambda: list(FAMILIES),
            },
        )
        self.con.execute(f"create or replace {kind} {table or name} as\n{query}")
        self.relations[name] = table or name

    def rank_limits(self) -> dict[str, str]:
        """Compute the limits of the day of each level that gives a rule: their columns, by signal."""
        levels = [
            row
            for row in rows_of(self.con, "calibration_limits")
            if row["no_rule_because"] is None and row["rank_operator"]
        ]
        if not levels:
            return {}
        rule_set = evaluable(
            {"rule_set": "ranks", "status": "candidate"},
            [{"rule_id": row["signal"], "segment": None} for row in levels],
            [
                {"rule_id": row["signal"], "segment": None, "position": 1, "signal": row["signal"]}
                | {"operator": row["rank_operator"], "threshold": Decimal(self.request.share)}
                for row in levels
            ],
            self.catalogue,
        )
        self.model("int_rank_limits", {}, rule_sets=[rule_set])
        return {rule["rule_id"]: rule["conditions"][0]["limit"] for rule in rule_set["rules"]}

    def proposal(self, chosen: Sequence[Row]) -> Proposal:
        """The rows of the seeds for rules that were chosen."""
        with (self.seeds / RULE_FILES[0]).open(encoding="utf-8-sig", newline="") as file:
            taken = {row["rule_set"] for row in csv.DictReader(file)}
        number = next(n for n in range(1, len(taken) + 2) if f"{_RULE_SET}{n}" not in taken)
        name, share, until = f"{_RULE_SET}{number}", self.request.share, self.train_until()
        rule_set = {
            "rule_set": name,
            "status": "candidate",
            "base_score": BASE_SCORE,
            "watch_from": WATCH_FROM,
            "healthy_from": HEALTHY_FROM,
            "description": f"Starts at {BASE_SCORE} and loses points where an account is among the worst "
            f"{share} % of the company's own customers; fixed limits are of the weeks until {until}",
        }
        rules, conditions = [], []
        for row in chosen:
            key = {"rule_set": name, "rule_id": _rule_id(row), "segment": None}
            worst = f"{'lowest' if row['worse_side'] == 'low' else 'highest'} {share} %"
            limit = (
                f"that of the {worst} of customers on the day"
                if row["is_rank"]
                else (f"the {worst} of paying accounts until {until}")
            )
            rules.append(
                {
                    **key,
                    "effect": "points",
                    "points": int(row["points"]),
                    "per_unit": False,
                    "needs_review": False,
                    "title": f"Among the {worst}: {row['label']}",
                    "evidence": f"{row['label'][0].upper()}{row['label'][1:]}: {{value_1}} "
                    f"(limit {{threshold_1}}, {limit})",
                }
            )
            conditions.append(
                {
                    **key,
                    "position": 1,
                    "signal": row["signal"],
                    "operator": row["operator"],
                    "threshold": _short(row["threshold"]),
                    "when_null": False if row["has_nulls"] else None,
                }
            )
        return Proposal(rule_set, rules, conditions)

    def score(self, name: str, proposal: Proposal) -> None:
        """Evaluate a proposal by the macros that evaluate the rules of the seeds: <name>_results, _scores.

        Results are a view: of many accounts they are more than memory holds.
        """
        empty = dict.fromkeys(("max_points", "renewal_within_days", "renewal_factor", "bucket", "flag"))
        rule_set = evaluable(
            {"smoothing_days": None, **proposal.rule_set},
            [{**empty, **rule} for rule in proposal.rules],
            proposal.conditions,
            self.catalogue,
        )
        self.con.execute(
            "create or replace table no_rules_in_use "
            "(as_of_date date, rule_set varchar, segment varchar, rules_in_use bigint)"
        )
        self.model("calibration_results", {}, table=f"{name}_results", kind="view", rule_sets=[rule_set])
        self.model(
            "calibration_scores",
            {"dates": self.later()},
            table=f"{name}_scores",
            rule_sets=[rule_set],
            int_scored_accounts="calibration_accounts",
            int_rules_in_use="no_rules_in_use",
        )

    def compare(self, scores: Mapping[str, str], horizons: Sequence[int], results: str | None = None) -> None:
        """Measure the recorded scores and these, on dates after train_until, and each rule of `results`."""
        later = results and f"(select * from {results} where {self.later()})"
        self.model(
            "calibration_observations",
            {"horizons": list(horizons), "scores": scores, "results": later},
            table="int_backtest_observations",
        )
        self.relations["int_backtest_observations"] = "int_backtest_observations"
        run_models(
            self.con,
            COPY,
            horizons=horizons,
            slice_by="'all'",
            models=("int_backtest_accounts", "int_backtest_auc", "rpt_backtest_rates"),
        )
        self.model("calibration_figures", {})

    def verdicts(self, results: str) -> dict[str, Row]:
        """What outcomes within the horizon say of each rule, by rule."""
        self.compare({}, [self.request.horizon], results)
        self.model("calibration_verdicts", {})
        return {row["rule_id"]: row for row in rows_of(self.con, "calibration_verdicts")}

    def train_until(self) -> date | None:
        """The last date whose account-weeks placed limits; None where nobody was observed."""
        ((until,),) = self.con.execute("select train_until from calibration_period").fetchall()
        return until  # type: ignore[no-any-return]

    def later(self) -> str:
        """A condition: a date after train_until, as a literal, so that no earlier one is evaluated."""
        until = self.train_until()
        return "false" if until is None else f"as_of_date > date '{until}'"

    def reason(self, chosen: Sequence[Row], verdicts: Mapping[str, Row]) -> str | None:
        """Why nothing is proposed; None where something is."""
        if not chosen:
            limits = rows_of(self.con, "calibration_limits")
            if not any(row["observations"] for row in limits):
                return (
                    "No account-week of a paying account with a known signal is there to place limits by"
                    f"{f' until {self.train_until()}' if self.train_until() else ''}: score more dates "
                    "(`radar run --since`), or name a later --train-until."
                )
            return (
                "No signal has a value that separates the worst accounts: too many share one value, or too "
                "few accounts have one. More feeds would make it known; `radar run` names those missing."
            )
        found = {row["verdict"] for row in verdicts.values()}
        if found and found <= {"not_shown", "against"}:
            return (
                f"No evidence: none of the {len(chosen)} rules that these limits make foresees churn within "
                f"{self.request.horizon} days here (99 % intervals of lift, on time after "
                f"{self.train_until()}), so none is proposed."
            )
        return None

    def notes(self, chosen: Sequence[Row], verdicts: Mapping[str, Row], dropped: set[str]) -> list[str]:
        """What could not be known, and what would make it known."""
        if not chosen:
            return []
        sentences = []
        if not verdicts:
            sentences.append(
                f"No outcome within {self.request.horizon} days is known after {self.train_until()}: the "
                "limits are placed, and nothing confirms them yet. They can be judged as scores grow older."
            )
        elif all(row["verdict"] == "too_few" for row in verdicts.values()):
            churned = max(row["churned_accounts"] for row in verdicts.values())
            sentences.append(
                f"Too few accounts churned after {self.train_until()} to confirm or drop a rule ({churned:,} "
                f"within {self.request.horizon} days): the limits stand on the company's own levels alone."
            )
        if dropped:
            sentences.append(
                f"Dropped, because outcomes after {self.train_until()} speak against them: "
                f"{', '.join(sorted(dropped))}. The figures of the proposal are of the same time and "
                "flatter it; those of the limits alone do not."
            )
        return sentences

    def figures(
        self,
        backtest: Backtest,
        chosen: Sequence[Row],
        verdicts: Mapping[str, Row],
        measured: str | None,
        proposal: Proposal,
    ) -> Row:
        """The figures by the names of `--json`; `measured` is the slice of the proposal."""
        points = {rule["rule_id"]: rule["points"] for rule in proposal.rules}
        found = {(row["slice"], row["horizon_days"]): row for row in rows_of(self.con, "calibration_figures")}
        rules = []
        for row in chosen:
            verdict = verdicts.get(_rule_id(row), {})
            low, high = verdict.get("lift_low"), verdict.get("lift_high")
            rules.append(
                {
                    "rule_id": _rule_id(row),
                    "family": row["risk_family"],
                    "signal": row["signal"],
                    "operator": row["operator"],
                    "threshold": row["threshold"],
                    "limit": row["limit_value"],
                    "limit_date": row["limit_date"],
                    "points": points.get(_rule_id(row), row["points"]),
                    "verdict": verdict.get("verdict", "too_few"),
                    "fired": int(verdict.get("fired") or 0),
                    "fired_churned": int(verdict.get("fired_churned") or 0),
                    "lift": verdict.get("lift"),
                    "lift_ci_99": None if low is None or high is None else [low, high],
                }
            )
        names = ("signal", "risk_family", "operator", "threshold", "share_pct", "ties_pct", "observations")
        return {
            "train_until": self.train_until(),
            "horizon": self.request.horizon,
            "share": self.request.share,
            "champion": backtest.figures["rule_set"],
            "horizons": {
                str(days): {
                    name: _figures(found.get((slice_name, days)))
                    for name, slice_name in (
                        ("champion", "champion"),
                        ("limits", "limits"),
                        ("proposal", measured),
                        ("ceiling", f"ceiling {days}"),
                    )
                }
                for days in self.horizons
            },
            "rules": rules,
            "limits": [
                {name: row[name] for name in (*names, "accounts", "no_rule_because")}
                for row in rows_of(self.con, "calibration_limits")
            ],
        }


def _figures(row: Row | None) -> Row | None:
    if row is None:
        return None
    return {
        "n": row["observations"],
        "accounts": row["accounts"],
        "positives": row["positives"],
        "events": row["churned_accounts"],
        "auc": row["auc"],
        "auc_ci": None if row["auc_low"] is None else [row["auc_low"], row["auc_high"]],
        "recall_top_tenth": row["recall_top_tenth"],
    }


def _rule_id(row: Row) -> str:
    return f"{row['worse_side']}_{row['signal']}"


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _short(number: Decimal) -> Decimal:
    """Without zeros after the last digit: 8 and 33.4, never 8.00."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()
