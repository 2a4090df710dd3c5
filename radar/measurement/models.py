"""The measurement models of the dbt project, run on a published copy, with other scores, dates or horizons.

Belongs here: how a model's SQL is compiled and run outside dbt, so that no definition is written twice. Does
not belong here: any definition, and what a report shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from jinja2.runtime import Context

from radar.core.project import PROJECT

MODELS = (
    "int_measured_dates",
    "fct_observations",
    "int_flag_runs",
    "int_flag_lead_times",
    "int_renewal_scores",
    "fct_flag_episodes",
    "int_backtest_observations",
    "int_backtest_accounts",
    "int_backtest_auc",
    "rpt_backtest_horizons",
    "rpt_backtest_rates",
    "rpt_backtest_capacity",
    "rpt_backtest_calibration",
    "rpt_backtest_lead_times",
    "rpt_backtest_episodes",
    "rpt_backtest_trends",
    "rpt_backtest_renewals",
    "rpt_backtest_stability",
    "rpt_backtest_vintages",
    "rpt_backtest_quarter",
    "rpt_backtest_left_out",
    "rpt_backtest",
)
"""What depends on the scores that are measured, each after what it reads."""

INPUT = "int_measured_scores"
"""What they measure, a relation that the caller makes."""

PUBLISHED = {
    "fct_health_history": "marts.fct_health_history",
    "fct_outcomes": "marts.fct_outcomes",
    "fct_billing_intervals": "marts.fct_billing_intervals",
    "fct_outreach_days": "marts.fct_outreach_days",
    "fct_verdicts": "marts.fct_verdicts",
    "settings": "seeds.settings",
}
"""What else they read, as the published copy has it."""

_DBT_PROJECT = PROJECT / "dbt_project"
_FOLDERS = (
    _DBT_PROJECT / "models",
    *(Path(__file__).parent / name for name in ("calibration", "whatif_models")),
)
"""Where models are: those that dbt builds, and those of `radar calibrate` and `radar whatif`."""


class _CrossDatabase:
    """The cross-database macros of dbt that the project's own macros call, for DuckDB."""

    @staticmethod
    def dateadd(part: str, count: object, day: str) -> str:
        return f"date_add({day}, interval ({count}) {part})"

    @staticmethod
    def datediff(first: str, last: str, part: str) -> str:
        return f"date_diff('{part}', {first}, {last})"

    @staticmethod
    def date_trunc(part: str, day: str) -> str:
        return f"date_trunc('{part}', {day})"

    @staticmethod
    def type_string() -> str:
        return "varchar"


class _Adapter:
    """dbt's adapter, for macros that are written once for each engine."""

    @staticmethod
    @jinja2.pass_context
    def dispatch(context: Context, name: str) -> Callable[..., str]:
        macro: Callable[..., str] = context.vars[f"duckdb__{name}"]
        return macro


def compile_model(
    name: str,
    variables: Mapping[str, Any],
    relations: Mapping[str, str],
    macros: Mapping[str, Callable[..., Any]] | None = None,
) -> str:
    """The SQL of a model, with `variables` for dbt's vars and `relations` for what it refers to.

    `macros` are called in place of the project's own macros of these names, which ask dbt's adapter.
    """
    replaced = macros or {}
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  SQL, not a page
        extensions=["jinja2.ext.do"],
    )
    environment.globals.update(config=lambda **_: "")  # how a table is kept matters to dbt alone
    environment.globals.update(is_incremental=lambda: False)  # every date
    environment.globals.update(
        adapter=_Adapter,
        dbt=_CrossDatabase,
        var=variables.__getitem__,
        ref=relations.__getitem__,
        **replaced,
    )
    (file,) = (found for folder in _FOLDERS for found in folder.rglob(f"{name}.sql"))
    model = file.read_text(encoding="utf-8")
    return environment.from_string(_macros_for(model, replaced) + model).render().strip()


def _macros_for(text: str, replaced: Mapping[str, object]) -> str:
    """The macros that a text calls, and those that they call, as text; none of those that are replaced."""
    texts = {name: macro for name, macro in _macros().items() if name not in replaced}
    found, unread = dict[str, str](), [text]
    while unread:
        called = set(re.findall(r"\b(\w+)\(", unread.pop())) & texts.keys() - found.keys()
        found |= {name: texts[name] for name in called}
        unread += [texts[name] for name in called]
    return "".join(found[name] for name in sorted(found))


@cache
def _macros() -> dict[str, str]:
    files = (_DBT_PROJECT / "macros").rglob("*.sql")
    return {file.stem: file.read_text(encoding="utf-8") for file in files if file.stem != "ref"}


def run_models(
    con: duckdb.DuckDBPyConnection,
    copy: str,
    *,
    horizons: Sequence[int],
    slice_by: str,
    models: Sequence[str] = MODELS,
) -> None:
    """Make a table of each model in the connection's own database; `copy` is attached, INPUT is there.

    `slice_by` is an expression over fct_observations: the slice that an observation is in.
    """
    relations = {name: f"{copy}.{relation}" for name, relation in PUBLISHED.items()}
    relations |= {name: name for name in (INPUT, *MODELS)}
    variables = {"horizons": list(horizons), "slice": slice_by}
    for name in models:
        con.execute(f"create or replace table {name} as\n{compile_model(name, variables, relations)}")
