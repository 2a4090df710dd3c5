"""`python -m radar.demo.next_steps FOLDER`: what a person can do with the demo company that `make demo` has scored.

Belongs here: the closing lines of `make demo`. Does not belong here: the summary of a run (`radar.cli.summary`).
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import duckdb

_ACCOUNT = """
    SELECT account_id FROM marts.rpt_account_health
    ORDER BY has_live_subscription DESC, score, account_id LIMIT 1
"""
_QUERY = (
    "select bucket, count(*) as accounts, sum(arr_usd) as arr_usd from marts.rpt_account_health group by bucket"
)


def text(folder: Path, programs: Path) -> str:
    """The lines for the demo in `folder`; `programs` is where `radar` and `python` are."""
    published = folder / "published"
    copy = published / "radar.duckdb"
    with duckdb.connect(str(copy), read_only=True) as con:
        found = con.execute(_ACCOUNT).fetchone()
    account = str(found[0]) if found else "ACCOUNT_ID"
    radar, python = str(programs / "radar"), str(programs / "python")
    script = f"import duckdb; print(duckdb.connect('{copy}', read_only=True).sql('{_QUERY}'))"
    commands = (
        ("The review panel on http://127.0.0.1:8080; it prints a user and a password", ["make", "panel"]),
        ("Dagster on http://127.0.0.1:3000", ["make", "dev"]),
        ("Why one account has its score", [radar, "explain", account, "--published", str(published)]),
        ("SQL on the published copy", [python, "-c", script]),
    )
    return "\n".join(
        [
            "",
            "The demo is ready. Its extracts have faults on purpose, as real extracts do: the summary above lists",
            "rows that were refused or wait for their account, columns set aside, words that were not recognised and",
            "messages that are blocked. Nothing of that needs repair.",
            "",
            "Next, any of these:",
            *(f"  # {meaning}\n  {shlex.join(command)}" for meaning, command in commands),
        ]
    )


if __name__ == "__main__":
    print(text(Path(sys.argv[1]), Path(os.path.relpath(Path(sys.executable).parent))))
