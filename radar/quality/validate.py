"""Runs one feed's suite on a table in DuckDB by pushdown, and has the warehouse itself name failing rows.

No customer's value comes into Python and none into Data Docs: Great Expectations is asked for counts only.
Where rows are needed, its own condition for the rule is written into a table by one `INSERT ... SELECT`,
so a million failing rows cost no Python list. What happens to those rows is decided in `hygiene.py`.

Importing this module imports Great Expectations (seconds, 250 MB).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read on import

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaSectionView
from great_expectations.util import get_sqlalchemy_selectable
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metrics_calculator import MetricsCalculator

from radar.core.errors import CheckError
from radar.landing.feeds import load_feeds
from radar.quality import gx_duckdb  # noqa: F401 registers the datasource
from radar.quality.suites import Expectation, Rule, path_of, rules, suites, table_name

ROW_IDENTITY = ("_source_file", "_batch_id", "_row_number")
EXAMPLES = 5
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Finding:
    """What one rule found. `error`: it could not run, so it neither passed nor failed.

    `unexpected` counts failing rows of the `total` looked at (None where a query does not say); both are
    None where a rule speaks of the whole table (a row count, a newest time): then `observed` is its value
    and `expected` what it should be.
    """

    rule: Rule
    success: bool
    error: str | None = None
    observed: str | None = None
    expected: str | None = None
    unexpected: int | None = None
    total: int | None = None


class Validator:
    """Great Expectations with the tables of one schema (or attached database) as its data."""

    def __init__(self, con: duckdb.DuckDBPyConnection, schema: str, run_id: str, now: datetime) -> None:
        """Close it at the end, or the warehouse stays open. The pages carry `run_id` and `now`."""
        self._con, self._schema = con, schema
        self._run = RunIdentifier(run_name=run_id, run_time=now)
        config = DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        )
        self._context = gx.get_context(mode="ephemeral", project_config=config)
        self._source = self._context.data_sources.add_duckdb_sql(
            "warehouse", connection_string="duckdb://", schema_name=schema, kwargs={"creator": self._cursor}
        )

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._con.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def close(self) -> None:
        """Let go of the warehouse."""
        self._source.close()

    def run(self, feed: str, parameters: dict[str, Any]) -> Run:
        """Validate the table named for the feed; `parameters` fill the suite's `$PARAMETER` entries.

        Raises CheckError where the suite cannot be run at all; a single rule that cannot is a Finding.
        """
        name = table_name(feed)
        batch = self._source.add_table_asset(name).add_batch_definition_whole_table("new rows")
        definition = gx.ValidationDefinition(
            name=name, data=batch, suite=self._context.suites.add(build_suite(name, suites()[feed]))
        )
        try:
            result = self._context.validation_definitions.add(definition).run(
                expectation_parameters=parameters, result_format=_COUNTS_ONLY, run_id=self._run
            )
        except GreatExpectationsError as error:
            raise CheckError(
                f"the suite cannot be run: {error}", "correct the suite", file=path_of(feed)
            ) from error
        return Run(self._con, f"{self._schema}.{name}", rules()[feed], batch, result)


class Run:
    """One validation: its findings in the order of the suite, and how to get at their rows."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, table: str, suite: tuple[Rule, ...], batch: Any, result: Any
    ) -> None:
        """Made by `Validator.run`; usable until the validator is closed."""
        self._con, self._table, self._batch, self._result = con, table, batch, result
        self._items = {item.expectation_config.meta["check"]: item for item in result.results}
        self.findings = [_finding(rule, self._items[rule.check]) for rule in suite]

    def name_rows(self, rule: Rule, target: str, number: int, *, first_only: bool = False) -> None:
        """Insert `number` and the identity of every row that breaks the rule into table `target`."""
        query = _query(rule, self._table)
        if query is None:
            self._insert_condition(self._items[rule.check].expectation_config, target, number, first_only)
            return
        columns = ", ".join(ROW_IDENTITY)
        first = f"ORDER BY {columns} LIMIT 1" if first_only else ""
        self._con.execute(f"INSERT INTO {target} SELECT ?, {columns} FROM ({query}) {first}", [number])

    def examples(self, rule: Rule) -> list[str]:
        """The commonest failing values of a query or a closed list: ids and words, no personal data."""
        column = next((one for one in load_feeds()[rule.feed].columns if one.name == rule.column), None)
        if column and column.pii in ("personal", "free_text"):
            return []
        query = _query(rule, self._table)
        if rule.rule == "unknown_value" and "value_set" in rule.kwargs:
            words = ", ".join(f"'{word}'" for word in rule.kwargs["value_set"])
            query = (
                f"SELECT * FROM {self._table} WHERE {rule.column} NOT IN ({words}) "
                f"AND regexp_full_match({rule.column}, '[A-Za-z][A-Za-z _-]{{0,29}}')"
            )
        if query is None or rule.column is None:
            return []
        commonest = (
            f"SELECT {rule.column} FROM ({query}) GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT {EXAMPLES}"
        )
        return [str(row[0]) for row in self._con.execute(commonest).fetchall()]

    def sections(self) -> list[tuple[str, str]]:
        """Name and HTML of the sections of Great Expectations' own page about this validation."""
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(self._result).to_json_dict()
        return [
            (section["section_name"], _view().render({"section": section, "section_loop": {"index": number}}))
            for number, section in enumerate(document["sections"], start=1)
        ]

    def _insert_condition(self, configuration: Any, target: str, number: int, first_only: bool) -> None:
        """Ask Great Expectations for the SQL condition of its count, and insert what meets it."""
        data = self._batch.get_batch()
        engine = data.data.execution_engine
        expectation = configuration.to_domain_obj()
        counted = expectation.get_validation_dependencies(engine, {"result_format": "BOOLEAN_ONLY"})
        count = counted.get_metric_configuration(f"{expectation.map_metric}.unexpected_count")
        metric = MetricConfiguration(
            metric_name=f"{expectation.map_metric}.condition",
            metric_domain_kwargs={**count.metric_domain_kwargs, "batch_id": data.id},
            metric_value_kwargs=count.metric_value_kwargs,
        )
        condition, domain, accessor = MetricsCalculator(engine).get_metric(metric)
        records = engine.get_domain_records(domain_kwargs={**domain, **accessor})
        identity = [sa.column(name) for name in ROW_IDENTITY]
        failing = (
            sa.select(sa.literal(number), *identity)
            .where(condition)
            .select_from(get_sqlalchemy_selectable(records))
        )
        if first_only:
            failing = failing.order_by(*identity).limit(1)
        schema, table = target.split(".")
        into = sa.table(table, *(sa.column(name) for name in ("number", *ROW_IDENTITY)), schema=schema)
        engine.execute_query_in_transaction(into.insert().from_select(["number", *ROW_IDENTITY], failing))


@contextmanager
def validator(con: duckdb.DuckDBPyConnection, schema: str, run_id: str, now: datetime) -> Iterator[Validator]:
    """A Validator that is closed at the end."""
    made = Validator(con, schema, run_id, now)
    try:
        yield made
    finally:
        made.close()


def build_suite(name: str, suite: Iterable[Expectation]) -> Any:
    """The `great_expectations.ExpectationSuite`. Raises CheckError naming an expectation that GX refuses.

    GX's own list form logs a rule with a misspelt key and drops it: fewer checks, all of them green.
    """
    expectations = []
    for one in suite:
        try:
            expectations.append(ExpectationConfiguration(**one.entry).to_domain_obj())
        except (GreatExpectationsError, ValueError, TypeError, AttributeError) as error:
            raise one.refused(str(error)) from error
    return gx.ExpectationSuite(name=name, expectations=expectations)


@cache
def _view() -> Any:
    """What draws sections; it keeps templates that it has compiled."""
    return DefaultJinjaSectionView()


def _query(rule: Rule, table: str) -> str | None:
    text = rule.kwargs.get("unexpected_rows_query")
    return None if text is None else str(text).format(batch=table)


def _finding(rule: Rule, item: Any) -> Finding:
    found, error = item.result, _error(item.exception_info)
    if error:
        return Finding(rule, success=False, error=error)
    if rule.expectation_type == "unexpected_rows_expectation":
        return Finding(rule, success=bool(item.success), unexpected=found["observed_value"])
    if "unexpected_count" in found:
        return Finding(
            rule,
            success=bool(item.success),
            unexpected=found["unexpected_count"] or 0,
            total=found["element_count"],
        )
    kwargs = item.expectation_config.kwargs
    bounds = (("at least", kwargs.get("min_value")), ("at most", kwargs.get("max_value")))
    return Finding(
        rule,
        success=bool(item.success),
        observed=_text(found["observed_value"]),
        expected=" and ".join(f"{word} {_text(bound)}" for word, bound in bounds if bound is not None),
    )


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(message: str) -> str:
    """DuckDB's words without SQLAlchemy's: the whole statement, its parameters, a link."""
    words = re.sub(r"\[SQL:.*", "", message, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"^\(\S+\)", "", words)).strip()


def _error(info: dict[str, Any]) -> str | None:
    """Why a rule could not run, from `exception_info`: one dict, or one per metric that failed.

    Raises DuckDB's own error where the machine failed (memory, disk): no fault of the rows or the rule, so
    nothing must follow from it for the feed.
    """
    infos = [info] if "raised_exception" in info else list(info.values())
    texts = dict.fromkeys(
        _plain(str(part["exception_message"])) for part in infos if part["raised_exception"]
    )
    if not texts:
        return None
    text = "; ".join(texts)
    if "Out of Memory Error" in text:
        raise duckdb.OutOfMemoryException(text)
    if "IO Error" in text:
        raise duckdb.IOException(text)
    return text
