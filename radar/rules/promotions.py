"""Which is the champion rule set: what `rule_sets.csv` says, and what people decided since.

Decisions are rows of `rule_set_decisions` in the panel's store, only ever added (`radar.panel.rule_sets`).
The last word counts, whoever has it: what people promoted counts in place of the file, also when the same
file is deployed again, and a file that names another rule set than it did counts in place of decisions.
Belongs here: reading the store without the panel being up, and the statuses that follow.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from radar.core.errors import InputError
from radar.core.runs import utc_now

PROPOSED, PROMOTED, ROLLED_BACK, SEEDS = "proposed", "promoted", "rolled_back", "seeds"
SHADOWED, RETIRED = "shadowed", "retired"
STATUS_OF = {PROMOTED: "champion", ROLLED_BACK: "champion", SHADOWED: "shadow", RETIRED: "retired"}
"""What a rule set is after a decision; a proposal changes nothing."""

_BUSY_SECONDS = 10
_COLUMNS = "decision_id, kind, rule_set, rule_version, champion, proposed_by, reason, decided_by, decided_at"


@dataclass(frozen=True)
class RuleSetDecision:
    """One row, with the champion rule set until then and, of a promotion, who proposed it.

    Of kind `seeds`, `rule_set` is the one that the file names from now on.
    """

    decision_id: str
    kind: str
    rule_set: str
    rule_version: str | None
    champion: str
    proposed_by: str | None
    reason: str | None
    decided_by: str
    decided_at: str


def decisions(store: Path) -> list[RuleSetDecision]:
    """All of them, the oldest first; none where there is no store, or no panel of this release opened it."""
    if not store.exists():
        return []
    try:
        with closing(_open(store, "ro")) as con:
            if not con.execute("select 1 from sqlite_master where name = 'rule_set_decisions'").fetchone():
                return []
            return read(con)
    except sqlite3.Error as error:
        raise InputError(
            f"what was decided about rule sets cannot be read ({error})",
            "check the file and its rights, or name another with RADAR_PANEL_STORE",
            file=store,
        ) from error


def read(con: sqlite3.Connection) -> list[RuleSetDecision]:
    """The same of an open store."""
    rows = con.execute(f"select {_COLUMNS} from rule_set_decisions order by sequence").fetchall()
    return [RuleSetDecision(*row) for row in rows]


def note_champion_of_seeds(store: Path, file: Path) -> None:
    """Note where the seeds' file names another champion rule set than it did when people decided.

    It then counts in place of what they decided. Only a run notes it, and no command that tries other files.
    """
    made = decisions(store)
    champion = champion_of(_rows(file.read_bytes()))
    if not made or champion is None or champion == _champion_of_seeds_before(made):
        return
    now = f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ}"
    row = (f"seeds-{now}", SEEDS, champion, None, _champion(made), None, None, "seeds", now)
    try:
        with closing(_open(store, "rw")) as con, con:
            con.execute(
                f"insert into rule_set_decisions ({_COLUMNS}) values ({', '.join('?' * len(row))})", row
            )
    except sqlite3.Error as error:
        raise InputError(
            f"that the seeds name {champion} as champion rule set cannot be noted ({error})",
            "give the run the right to write the panel's store, or name another with RADAR_PANEL_STORE",
            file=store,
        ) from error


def statuses(made: Sequence[RuleSetDecision], of_seeds: Mapping[str, str]) -> dict[str, str]:
    """The status of every rule set of the seeds, by what was decided since they last had the last word.

    One that was promoted over is a shadow, so that it can be compared and come back.
    """
    found = dict(of_seeds)
    since = max((number for number, one in enumerate(made) if one.kind == SEEDS), default=-1)
    for one in made[since + 1 :]:
        status = STATUS_OF.get(one.kind)
        if status is None or one.rule_set not in found:
            continue
        if status == "champion":
            found = {name: "shadow" if was == "champion" else was for name, was in found.items()}
        elif found[one.rule_set] == "champion":
            continue
        found[one.rule_set] = status
    return found


def with_decisions(content: bytes, made: Sequence[RuleSetDecision]) -> bytes:
    """The file `rule_sets.csv` with the statuses in force; as it is where these are the file's."""
    rows = _rows(content)
    of_seeds = {row["rule_set"]: row["status"] for row in rows}
    in_force = statuses(made, of_seeds)
    if in_force == of_seeds or champion_of(rows) is None:
        return content
    changed = io.StringIO(newline="")
    writer = csv.DictWriter(changed, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "status": in_force[row["rule_set"]]} for row in rows)
    return changed.getvalue().encode()


def champion_of(rows: Sequence[Mapping[str, str]]) -> str | None:
    """The champion rule set of the file; None where it names none, or more than one."""
    found = [row["rule_set"] for row in rows if row["status"] == "champion"]
    return found[0] if len(found) == 1 else None


def _champion(made: Sequence[RuleSetDecision]) -> str:
    """The champion rule set after these decisions."""
    last = next((one for one in reversed(made) if one.kind in (PROMOTED, ROLLED_BACK, SEEDS)), None)
    return last.rule_set if last else made[0].champion


def _champion_of_seeds_before(made: Sequence[RuleSetDecision]) -> str:
    """Before the first decision, nobody but the seeds had named one."""
    return next((one.rule_set for one in reversed(made) if one.kind == SEEDS), made[0].champion)


def _rows(content: bytes) -> list[dict[str, str]]:
    """Cells as text; nothing where the file is no sound table, which the check of rules reports."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return []
    if any(None in row or None in row.values() for row in rows) or not rows:
        return []
    if not {"rule_set", "status"} <= rows[0].keys():
        return []
    return [{name: value.strip() for name, value in row.items()} for row in rows]


def _open(store: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{store.as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
