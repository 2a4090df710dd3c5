"""Columns that no feed has are named in the summary of the run, with the name that they resemble."""

from __future__ import annotations

from radar import summary


def test_a_column_set_aside_is_named_with_the_known_one_that_it_resembles() -> None:
    loads = [
        ("billing/invoices", "paid_on, warehouse"),
        ("billing/invoices", "paid_on"),
        ("crm/owners", "Email"),
    ]
    found = summary._names_by_feed(loads)
    assert found == {"billing/invoices": ["paid_on", "warehouse"], "crm/owners": ["Email"]}
    assert summary._set_aside(found) == [
        "Columns set aside, because the feed has none of their names",
        "  billing/invoices: paid_on (resembles paid_at), warehouse",
        "  crm/owners: Email (resembles email)",
    ]
    assert summary._set_aside({}) == []
