"""Checks of the risk model in the seeds: one model, and steps of each signal without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from radar.rules.seed_tables import Problem, Row, Tables, numbered

MODEL, STEPS = "risk_model.csv", "risk_model_steps.csv"
WHOLE = "write both files as `radar calibrate --model --output` wrote them"


def model_problems(tables: Tables) -> Iterator[Problem]:
    """A model has one row and its steps; without one both files are empty."""
    models, steps = tables["risk_model"], tables["risk_model_steps"]
    for number, _ in list(numbered(tables, "risk_model"))[1:]:
        yield Problem(MODEL, number, "model_version", "there is one model before it", "keep one row")
    if models and not steps:
        yield Problem(STEPS, None, None, f"{MODEL} has a model, and it has no steps", WHOLE)
    if steps and not models:
        yield Problem(MODEL, None, None, f"{STEPS} has steps, and there is no model", WHOLE)
    for number, row in numbered(tables, "risk_model"):
        for column in ("horizon_days", "observations", "accounts", "churned_accounts"):
            if int(row[column]) < 1:
                yield Problem(MODEL, number, column, "the number is below 1", WHOLE)


def step_problems(tables: Tables) -> Iterator[Problem]:
    """Every value of a signal, and none, is on one step."""
    signals = {row["signal"] for row in tables["signals"]}
    by_signal: dict[str, list[tuple[int, Row]]] = {}
    for number, row in numbered(tables, "risk_model_steps"):
        by_signal.setdefault(row["signal"], []).append((number, row))
        if not 0 <= Decimal(row["trained_pct"]) <= 100:
            yield Problem(STEPS, number, "trained_pct", "it is no share of 0 to 100 percent", WHOLE)
    for signal, rows in by_signal.items():
        if signal not in signals:
            what = f"there is no signal '{signal}'"
            yield Problem(STEPS, rows[0][0], "signal", what, "name one of signals.csv, or fit again")
        yield from _gaps(rows)


def _gaps(rows: list[tuple[int, Row]]) -> Iterator[Problem]:
    end = ""
    for position, (number, row) in enumerate(rows, start=1):
        is_last = position == len(rows)
        if row["step"] != str(position):
            what = f"the step is {row['step']}, and {position} is next"
            yield Problem(STEPS, number, "step", what, WHOLE)
        if (row["is_without_value"].lower() == "true") != is_last:
            what = "the last step of a signal, and no other, is the one without a value"
            yield Problem(STEPS, number, "is_without_value", what, WHOLE)
        if is_last:
            for column in ("value_from", "value_below"):
                if row[column]:
                    what = "the step without a value has no ends"
                    yield Problem(STEPS, number, column, what, "empty the cell")
            if end:
                yield Problem(STEPS, number - 1, "value_below", "no step has the values above", WHOLE)
            return
        if _number(row["value_from"]) != _number(end):
            what = f"values from {end or 'the lowest'} on are on no step, or on two"
            yield Problem(STEPS, number, "value_from", what, f"write {end or 'nothing'}")
        start, end = row["value_from"], row["value_below"]
        if start and end and Decimal(end) <= Decimal(start):
            what = f"the step ends at {end}, before it begins"
            yield Problem(STEPS, number, "value_below", what, WHOLE)
        if not end and rows[position][1]["is_without_value"].lower() != "true":
            yield Problem(STEPS, number, "value_below", "the next step has values too", WHOLE)


def _number(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None
