"""The signals as a page for people, written from `signals.csv` alone.

Belongs here: the reference of signals. Does not belong here: the rules that read them (`radar.rules.page`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from radar.rules.seed_tables import Row, read

_HEAD = """\
# Signals

Written by `radar rules signals` from `seeds/signals.csv`: change that file, not this page.

A signal is one number about one account on one as-of date. The table `signals.sig_<family>` has the \
signals of a family next to each other, one row per account and as-of date; `scoring.fct_signal_values` has \
a row per signal. Windows end with the as-of date and count whole UTC days. A signal is unknown where one of \
its feeds is missing, stale or blocked. Which rules read a signal is in [rules.md](rules.md).
"""


def page(folder: Path) -> str:
    """The page for the reference data in `folder`. The rules there are sound."""
    tables, _ = read(folder)
    return "".join(_lines(tables["signals"]))


def _lines(signals: list[Row]) -> Iterator[str]:
    yield _HEAD
    for family, rows in groupby(signals, key=lambda signal: signal["family"]):
        yield f"\n## {family}\n\n| signal | unit | feeds | definition |\n| --- | --- | --- | --- |\n"
        for row in rows:
            notes = [row["unit"], "may be negative" if row["can_be_negative"] == "true" else ""]
            unit = ", ".join(note for note in (*notes, row["direction"].replace("_", " ")) if note)
            feeds = ", ".join(row["feeds"].split())
            yield f"| `{row['signal']}`<br>{row['label']} | {unit} | {feeds} | {row['description']} |\n"
