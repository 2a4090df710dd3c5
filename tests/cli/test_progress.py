"""A line per step where somebody watches, nothing where nobody does."""

from __future__ import annotations

import io

from radar.core import progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_steps_are_lines_on_a_terminal_and_the_status_goes() -> None:
    screen = Screen()
    with progress.reporting(progress.for_stream(screen)):
        progress.status("  working")
        progress.line("land crm/accounts", 1234, 0.56, "")
        progress.status("  more")
    assert screen.getvalue() == (
        "  working\r\033[K"
        "  land crm/accounts                                   1,234 rows      0.6 s\n"
        "  more\r\033[K"
    )


def test_nothing_is_printed_where_nobody_watches() -> None:
    pipe = io.StringIO()
    with progress.reporting(progress.for_stream(pipe)):
        progress.line("land crm/accounts", 1, 0.1)
        progress.status("working")
    assert pipe.getvalue() == ""


def test_notes_wait_for_the_end_and_do_not_reach_the_next_run() -> None:
    with progress.reporting(progress.Silent()) as notes:
        progress.note("told")
        assert notes == ["told"]
    with progress.reporting(progress.Silent()) as notes:
        assert notes == []
