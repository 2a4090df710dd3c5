"""The models that run on DuckDB and on Spark are one text: what differs is in `macros/portable/` alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar.core.project import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
MACROS = {path.stem: path for path in (DBT_PROJECT / "macros").glob("*.sql")}
"""Macros by their name, without those that are written for each engine."""

ON_BOTH_ENGINES = (
    "stg_product__events",
    "int_event_keys",
    "int_user_days",
    "int_event_bounds",
    "int_excluded_users",
    "int_counted_user_days",
    "int_counted_event_bounds",
    "int_activity_changes",
    "int_account_activity__as_of",
    "sig_usage",
    "sig_adoption",
)
"""From events to the signals of them: what tests/spark builds on Spark and compares with DuckDB."""

NOT_PORTABLE = {
    r"::": "write cast(x as type)",
    r"\bqualify\b": "filter on a window in the select around it",
    r"\*\s*(?:except|exclude|replace)\s*\(": "name the columns",
    r"\bby\s+name\b": "give every part of the union all columns (macro union_columns)",
    r"\brecursive\b|\basof\b|\bdistinct\s+on\b": "Spark has no such query",
    r"\barg_(?:max|min)\b": "write max_by or min_by",
    r"\b(?:any_value|first|last|mode|list|string_agg|listagg|array_agg|approx_\w+)\s*\(": "answers differ",
    r"\b(?:unnest|generate_series|range|explode|sequence)\s*\(": "macro each_day",
    r"\b(?:list_\w+|array_\w+|json_\w+|to_json|struct_\w+)\s*\(": "a macro in macros/portable",
    r"\b(?:regexp_\w+|strip_accents)\s*\(": "a macro in macros/portable",
    r"->|\b(?:strpos|instr|hash|xxhash64|md5_number\w*|string_split)\b": "a macro in macros/portable",
    r"\bdate_?(?:diff|add|sub|part|trunc)\s*\(|\binterval\b": "macros add_days and days_between",
    r"\bas\s+(?:varchar|text|float|real|hugeint|ubigint|json)\s*\)": "string, double and bigint are on both",
    r"\bas\s+(?:int|integer|bigint)\s*\)\s*/|\bround\s*\(|\bavg\s*\(": "its digits depend on the engine",
    r"\"": "a name in quotes is a text on Spark",
    r"\\": "a sign in a literal of Spark's: write [.]",
    r"[\[\]{}]": "a list or a struct is written otherwise on Spark",
    r"\bdesc\b(?!\s+nulls\s+last)": "write nulls last",
    r"\border\s+by\s+(?!rendered)(?:(?!nulls\s+last)[^()])*\)": "write nulls last",
}
"""What Spark does not have, or answers otherwise, and what to write."""

DBT_MACROS = re.compile(r"\bdbt[.](?:safe_cast|type_float|datediff|dateadd|date_trunc|listagg|any_value)\b")
"""Macros of dbt whose answer differs between DuckDB and Spark."""

TAG = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)


def findings(source: str) -> Iterator[str]:
    """What is not portable in the text of a model or a macro, with what to write."""
    source = re.sub(r"{#.*?#}", "", source, flags=re.DOTALL)
    source = re.sub(r"^\s*--(?! depends_on).*$|\s--\s.*$", "", source, flags=re.MULTILINE)
    for called in DBT_MACROS.findall(source):
        yield f"{called}: a macro in macros/portable"
    sql = re.sub(r"{%.*?%}", " ", source, flags=re.DOTALL)
    sql = re.sub(r"{{.*?}}", "rendered", sql, flags=re.DOTALL)
    for pattern, remedy in NOT_PORTABLE.items():
        for found in re.finditer(pattern, sql, re.IGNORECASE):
            yield f"{found[0]!r}: {remedy}"


def called_macros(source: str) -> set[str]:
    """The macros of this project that a text calls, and those that they call."""
    tags = " ".join(TAG.findall(re.sub(r"{#.*?#}", "", source, flags=re.DOTALL)))
    called = {name for name in MACROS if re.search(rf"(?<![.\w]){name}\s*\(", tags)}
    return called.union(*(called_macros(body_of(MACROS[name])) for name in called))


def body_of(path: Path) -> str:
    """The text of a macro without its first line, which names it."""
    return re.sub(r"{%-?\s*macro .*?%}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def model(name: str) -> str:
    (path,) = (DBT_PROJECT / "models").rglob(f"{name}.sql")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ON_BOTH_ENGINES)
def test_a_model_of_both_engines_is_portable_with_the_macros_that_it_calls(name: str) -> None:
    macros = {called: body_of(MACROS[called]) for called in called_macros(model(name))}
    texts = {name: model(name)} | macros
    found = [f"{where}: {finding}" for where, text in sorted(texts.items()) for finding in findings(text)]
    assert found == []


def test_no_model_asks_which_engine_it_is_on() -> None:
    files = [*(DBT_PROJECT / "models").rglob("*.sql"), *MACROS.values()]
    asks = re.compile(r"\btarget[.](?:type|name)\b")
    assert [path.name for path in files if asks.search(path.read_text(encoding="utf-8"))] == []


def test_every_macro_of_an_engine_has_its_case() -> None:
    cases = (DBT_PROJECT / "tests" / "assert_portable_macros_agree.sql").read_text(encoding="utf-8")
    portable = [path.stem for path in (DBT_PROJECT / "macros" / "portable").glob("*.sql")]
    assert portable
    assert [name for name in portable if f"'{name}: " not in cases] == []


@pytest.mark.parametrize(
    "sql",
    [
        "select a::date from b",
        "select * exclude (a) from b",
        "select a from b union all by name select a from c",
        "select arg_max(a, b) from c",
        "select unnest(generate_series(a, b, interval 1 day)) from c",
        "select cast(a as varchar) from b",
        'select "a" from b',
        "select [a, b] from c",
        "select a from b order by a desc",
        "select lag(a) over (partition by b order by a) from c",
        "select date_diff('day', a, b) from c",
        "select {{ dbt.datediff('a', 'b', 'day') }} from c",
        "select md5_number_lower(a) from b",
    ],
)
def test_what_spark_lacks_is_found(sql: str) -> None:
    assert list(findings(sql)) != []


def test_what_both_engines_have_is_not_found() -> None:
    sql = """
        -- a list of "names", dated 2026::
        select
            cast(a as double) / nullif(cast(b as double), 0) as share,
            max(c) filter (where d > 0) as latest,
            row_number() over (partition by a order by {{ newest_first() }}) as version_rank,
            lead(c) over (partition by a order by c nulls last) as next_date
        from {{ ref('e') }}
    """
    assert list(findings(sql)) == []
