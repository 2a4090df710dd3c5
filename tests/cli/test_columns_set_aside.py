"""Columns that no feed has are named in the summary of the run, with the name that they resemble."""

from __future__ import annotations

from radar.cli import summary


def test_a_column_set_aside_is_named_with_the_known_one_that_it_resembles() -> None:
    columns = [
        ("billing/invoices", "paid_on", "paid_at"),
        ("billing/invoices", "warehouse", None),
        ("crm/owners", "Email", "email"),
    ]
    assert summary._set_aside(columns) == [
        "Columns set aside, because the feed has none of their names",
        "  billing/invoices: paid_on (resembles paid_at), warehouse",
        "  crm/owners: Email (resembles email)",
    ]
    assert summary._set_aside([]) == []
