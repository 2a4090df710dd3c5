"""Great Expectations on DuckDB: `context.data_sources.add_duckdb_sql(...)`.

Great Expectations has no DuckDB datasource, and its generic SQL datasource does not work on the public
DuckDB dialects: it fetches a result after it gave the connection back, the pool then rolls back, and a
DuckDB result ends with its transaction. Hence

- `DuckDBDialect`, SQLAlchemy's default dialect over the `duckdb` package: every statement runs on a cursor
  of its own, so a result outlives the connection's return to the pool;
- `DuckDBEngine` and the metrics for which Great Expectations has no DuckDB wording;
- `DuckDBDatasource`, registered by its class.

Importing this module imports Great Expectations (seconds, 250 MB).
"""

from __future__ import annotations

import os
import re
from typing import Any, Literal

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read on import

import duckdb
import great_expectations  # noqa: F401 whole, before any part of it
import sqlalchemy as sa
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect

# mypy: disable-error-code="misc, untyped-decorator"
# Great Expectations and SQLAlchemy are untyped here: their classes are Any to derive from.


class DuckDBDialect(DefaultDialect):
    """SQLAlchemy's default dialect over the duckdb package."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    supports_sane_rowcount = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that makes the connections."""
        return duckdb

    def create_connect_args(self, url: Any) -> Any:
        """Unused where the engine is given a `creator`; a plain URL opens its database."""
        return [url.database or ":memory:"], {}

    # A DuckDB cursor is a connection of its own and commits by itself.
    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing to do."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing to do."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing to do."""

    def get_schema_names(self, connection: Any, **kw: Any) -> list[str]:
        """Schemas and attached databases, both of which may precede a table's name."""
        names = "SELECT schema_name FROM duckdb_schemas() UNION SELECT database_name FROM duckdb_databases()"
        return [row[0] for row in connection.execute(sa.text(names))]


registry.register("duckdb", __name__, "DuckDBDialect")


class DuckDBEngine(SqlAlchemyExecutionEngine):
    """The SQL engine of Great Expectations; the metrics below are registered under its name."""


class DuckDBDatasource(SQLDatasource):
    """A datasource whose table assets all lie in `schema_name`."""

    type: Literal["duckdb_sql"] = "duckdb_sql"
    schema_name: str | None = None

    @property
    def schema_(self) -> str | None:
        """The schema of every table asset."""
        return self.schema_name

    @property
    def execution_engine_type(self) -> Any:
        """The engine under whose name the metrics are registered."""
        return DuckDBEngine

    def _get_exec_engine_excludes(self) -> Any:
        return super()._get_exec_engine_excludes() | {"schema_name"}

    def close(self) -> None:
        """Let go of the database (Great Expectations keeps two engines per datasource)."""
        self.get_execution_engine().close()
        self.get_engine().dispose()


class MatchRegex(ColumnMapMetricProvider):
    """`expect_column_values_to_match_regex`."""

    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBEngine)
    def _duckdb(cls, column: Any, regex: str, **kwargs: Any) -> Any:  # noqa: N805 turned into a classmethod
        return sa.func.regexp_matches(column, sa.literal(regex))


class NotMatchRegex(ColumnMapMetricProvider):
    """`expect_column_values_to_not_match_regex`."""

    condition_metric_name = "column_values.not_match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBEngine)
    def _duckdb(cls, column: Any, regex: str, **kwargs: Any) -> Any:  # noqa: N805
        return sa.not_(sa.func.regexp_matches(column, sa.literal(regex)))


class ColumnTypes(TableMetricProvider):
    """The columns of the table, which every other metric asks for first."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)
    default_kwarg_values = {"include_nested": True}  # noqa: RUF012 declared so by the base class

    @metric_value(engine=DuckDBEngine)
    def _duckdb(
        cls,  # noqa: N805
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        batches = execution_engine.batch_manager
        batch_id = metric_domain_kwargs.get("batch_id") or batches.active_batch_data_id
        batch = batches.batch_data_cache[batch_id].selectable
        if isinstance(batch, sa.TextClause):
            batch = batch.columns().subquery()
        everything = sa.select(sa.text("*")).select_from(batch)
        described = sa.text(f"DESCRIBE {everything.compile(execution_engine.engine)}")
        return [
            {"name": name, "type": _sqlalchemy_type(type_name), "primary_key": False}
            for name, type_name, *_ in execution_engine.execute_query(described)
        ]


class UnexpectedRowsTable(QueryMetricProvider):
    """`unexpected_rows_expectation` wants to show failing rows: none here.

    The query would run a second time for them, and Data Docs are no place for customers' data.
    """

    metric_name = "unexpected_rows_query.table"
    value_keys = ("unexpected_rows_query",)
    query_param_name = "unexpected_rows_query"

    @metric_value(engine=DuckDBEngine)
    def _duckdb(cls, **kwargs: Any) -> list[dict[str, Any]]:  # noqa: N805
        return []


def _sqlalchemy_type(duckdb_name: str) -> Any:
    """DECIMAL(12,2) -> sa.DECIMAL, TIMESTAMP WITH TIME ZONE -> sa.TIMESTAMP, unknown -> NullType."""
    word = re.split(r"[( ]", duckdb_name, maxsplit=1)[0]
    return getattr(sa, word, sa.types.NullType)()
