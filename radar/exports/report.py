"""What `radar sync` and the summary of a run say of destinations, as text."""

from __future__ import annotations

from collections.abc import Sequence

from radar.exports.sync import Status, TroubledRow
from radar.exports.writer import Changes, Preview

_WIDEST = 60


def counts_text(changes: Changes) -> str:
    """The changes of a set as text."""
    parts = [
        f"{changes.added:,} added",
        f"{changes.changed:,} changed",
        f"{changes.removed:,} removed",
        *([f"{changes.again:,} of them again"] if changes.again else []),
        *([f"{changes.rejected:,} rejected"] if changes.rejected else []),
    ]
    return ", ".join(parts)


def preview_text(previews: Sequence[Preview]) -> str:
    """Counts and first rows of every destination."""
    lines = []
    for found in previews:
        lines.append(f"{found.profile}: {counts_text(found.changes)}")
        if found.blocked:
            lines.append(f"  would be blocked: {found.blocked}")
        for change, cells in found.first_rows:
            listed = ", ".join(f"{header}={_short(cell)}" for header, cell in cells.items() if cell)
            lines.append(f"  {change:<8}{listed}")
    lines.append("Nothing was written.")
    return "\n".join(lines)


def preview_table(rows: Sequence[tuple[str, dict[str, str]]]) -> str:
    """The first rows as a table in Markdown; empty where there are none."""
    if not rows:
        return "No rows."
    headers = ["change", *rows[0][1]]
    lines = [f"| {' | '.join(headers)} |", f"|{' --- |' * len(headers)}"]
    for change, cells in rows:
        listed = (_short(cell).replace("|", "\\|").replace("<", "&lt;") for cell in cells.values())
        lines.append(f"| {' | '.join([change, *listed])} |")
    return "\n".join(lines)


def status_text(destinations: Sequence[Status], troubled: Sequence[TroubledRow]) -> str:
    """One line a destination, then the rows that need somebody."""
    if not destinations:
        return "Nothing has been exported yet."
    lines = [
        f"{'destination':<22}{'as of':<12}{'status':<14}{'delivered':>11}{'open':>9}{'failed':>9}"
        f"{'given up':>10}  run"
    ]
    for at in destinations:
        lines.append(
            f"{at.profile:<22}{at.as_of_date!s:<12}{at.status:<14}{at.delivered:>11,}{at.open:>9,}"
            f"{at.failed:>9,}{at.given_up:>10,}  {at.run_id}"
        )
        if at.message:
            lines.append(f"  {at.message}")
    lines += [f"{row.profile} {row.key}: {row.status}, {row.message or 'no reason'}" for row in troubled]
    return "\n".join(lines)


def _short(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
