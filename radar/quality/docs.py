"""Data Docs as files that open offline: one page per feed and an index, each whole in itself.

The pages' content is rendered by Great Expectations. Its own frame fetches styles, scripts, fonts and images
from a dozen addresses, so the frame, the styles and the index are ours, without a script: everything is
open at once. A feed keeps its last page until it is checked again.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

import duckdb

from radar.core.state_files import replace_file
from radar.core.warehouse import readable_os_errors
from radar.quality.batches import sql
from radar.quality.outcomes import Outcome
from radar.quality.suites import rules, table_name

_HERE = Path(__file__).parent
_SCRIPTS = re.compile(r"<script\b.*?</script>|<link\b[^>]*>", re.DOTALL)
_REMOTE = re.compile(r"""\s(?:src|srcset|poster)=(["'])\s*(?:https?:)?//.*?\1""", re.DOTALL)
_COLLAPSED = re.compile(r'<p class="m-0">\s*<a data-toggle="collapse".*?</a>\s*</p>', re.DOTALL)
_DEAD_LINK = re.compile(r'<a href="[.][.]/[^"]*"\s*>(.*?)</a>', re.DOTALL)
_STATES = {"ok": "ok", "held": "blocked"}


def page(feed: str, outcomes: list[Outcome], sections: list[tuple[str, str]], now: datetime) -> str:
    """The feed's page: what was found, then the (name, HTML) of Great Expectations' sections."""
    failed = "".join(
        _failed_row(outcome.check, outcome.severity, outcome.message)
        for outcome in outcomes
        if not outcome.success or outcome.unexpected_count
    )
    names = [
        f'<li><a href="#section-{number}">{escape(name)}</a></li>'
        for number, (name, _) in enumerate(sections, start=1)
    ]
    body = (
        f'<nav class="crumbs"><a href="index.html">All feeds</a></nav><h1>{escape(feed)}</h1>'
        f'<p class="lead">The checks of the rows that arrived, of {_time(now)} UTC.</p>'
        f"{_failed_table(failed, ('Check',))}"
        f'<div class="columns"><aside><h2>On this page</h2><ul>{"".join(names)}</ul></aside>'
        f"<main>{''.join(offline(html) for _, html in sections)}</main></div>"
    )
    return _frame(feed, body)


def offline(html: str) -> str:
    """The HTML without anything that would run or be fetched, and with what was folded in laid open."""
    return _DEAD_LINK.sub(r"\1", _COLLAPSED.sub("", _REMOTE.sub("", _SCRIPTS.sub("", html))))


def write_docs(con: duckdb.DuckDBPyConnection, folder: Path, pages: dict[str, str], now: datetime) -> None:
    """Write the pages of this run's feeds and the index of all feeds. Raises WarehouseError."""
    with readable_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for feed, html in pages.items():
            replace_file(folder / f"{table_name(feed)}.html", html)
        replace_file(folder / "index.html", _index(con, folder, now))


def _index(con: duckdb.DuckDBPyConnection, folder: Path, now: datetime) -> str:
    latest = {row[0]: row[1:] for row in con.execute(sql("latest_checks")).fetchall()}
    rows = "".join(_index_row(feed, latest.get(feed), folder) for feed in rules())
    failed = "".join(
        _failed_row(check, severity, message, feed)
        for feed, check, severity, message in con.execute(sql("latest_failures")).fetchall()
    )
    body = (
        '<h1>Checks on what arrived</h1><p class="lead">Every feed as it was last checked, at the latest '
        f"{_time(now)} UTC. Failing rows are in <code>quarantine</code>, with file and row.</p>"
        "<table><thead><tr><th>Feed</th><th>State</th><th>Last checked</th><th class='number'>Passed</th>"
        "<th class='number'>Failed</th><th class='number'>Could not run</th><th>Reason</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    body += _failed_table(failed, ("Feed", "Check"))
    return _frame("Checks on what arrived", body)


def _index_row(feed: str, found: tuple[object, ...] | None, folder: Path) -> str:
    if found is None:
        nothing = '<td colspan="6">nothing has arrived yet</td>'
        return f'<tr class="quiet"><td class="name">{escape(feed)}</td>{nothing}</tr>'
    state, checked_at, passed, failed, errors, reason = found
    file = f"{table_name(feed)}.html"
    name = f'<a href="{file}">{escape(feed)}</a>' if (folder / file).exists() else escape(feed)
    when = _time(checked_at) if isinstance(checked_at, datetime) else ""
    return (
        f'<tr><td class="name">{name}</td>'
        f'<td><span class="state {escape(str(state))}">{_STATES[str(state)]}</span></td>'
        f"<td class='name'>{when}</td><td class='number'>{passed}</td><td class='number'>{failed}</td>"
        f"<td class='number'>{errors}</td><td>{escape(str(reason or ''))}</td></tr>"
    )


def _failed_table(rows: str, names: tuple[str, ...]) -> str:
    if not rows:
        return ""
    heads = "".join(f"<th>{name}</th>" for name in (*names, "Severity", "Rows and values"))
    return f"<h2>What was found</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _failed_row(check: str, severity: str, message: str, feed: str | None = None) -> str:
    named = f'<td class="name">{escape(feed)}</td>' if feed else ""
    return (
        f'<tr>{named}<td class="name">{escape(check)}</td>'
        f'<td><span class="state {escape(severity)}">{escape(severity)}</span></td>'
        f"<td>{escape(message)}</td></tr>"
    )


def _frame(title: str, body: str) -> str:
    frame = Template((_HERE / "docs.html").read_text(encoding="utf-8"))
    style = (_HERE / "docs.css").read_text(encoding="utf-8")
    return frame.substitute(title=escape(title), style=style, body=body)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
