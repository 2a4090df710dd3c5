"""Numbers and dates in another notation than Radar's: read where the column as a whole proves which."""

from __future__ import annotations

from pathlib import Path

import pytest
from inbox import Inbox

from radar.core.errors import InputError
from radar.landing.feeds import feeds_of

HEAD = "payment_id,account_id,status,attempted_at,amount_usd\n"
FEED = "billing/payments"


def put(inbox: Inbox, *, times: list[str] | None = None, amounts: list[str] | None = None) -> None:
    """A file of payments with these times, or these amounts."""
    cells = [(time, "1") for time in times or []] or [("2026-01-01", one) for one in amounts or []]
    rows = [f'p{n},a1,succeeded,"{time}","{amount}"' for n, (time, amount) in enumerate(cells)]
    inbox.put(f"{FEED}/day.csv", HEAD + "\n".join(rows) + "\n")


def landed(inbox: Inbox, column: str, seeds: Path | None = None) -> list[str]:
    inbox.put_accounts()
    inbox.land(seeds=seeds)
    return inbox.column(f"select {column}::varchar from raw.billing_payments order by _row_number")


@pytest.mark.parametrize(
    ("amounts", "read"),
    [
        (["1.000,00", "12,5", "7"], ["1000", "12.5", "7"]),
        (["1200,50", "300"], ["1200.5", "300"]),
        (["12,5"], ["12.5"]),
        (["1,234.50", "-12,000", "5", ""], ["1234.5", "-12000", "5", None]),
        (["1,234,567"], ["1234567"]),
        (["1.234", "5.678.901"], ["1234", "5678901"]),
    ],
)
def test_amounts_are_read_in_the_one_notation_that_all_of_them_fit(
    inbox: Inbox, amounts: list[str], read: list[str | None]
) -> None:
    put(inbox, amounts=amounts)
    found = landed(inbox, "amount_usd::double")
    assert [one and float(one) for one in found] == [one and float(one) for one in read]
    assert inbox.rejected() == inbox.rejected("rejected_values") == []


@pytest.mark.parametrize(
    ("amounts", "refused"),
    [
        (["1.000,00", "1000"], 1),  # two writers: one groups thousands, one does not
        (["1,234.50", "1.234,50"], 2),
        (["12,5", "few"], 2),
        (["1,234", "1.5", "1000.5"], 1),
    ],
)
def test_amounts_of_a_column_in_which_writers_mix_are_refused(
    inbox: Inbox, amounts: list[str], refused: int
) -> None:
    put(inbox, amounts=amounts)
    landed(inbox, "amount_usd")
    assert len([*inbox.rejected(), *inbox.rejected("rejected_values")]) == refused


def test_amounts_that_fit_two_notations_are_refused_with_both_readings(inbox: Inbox) -> None:
    put(inbox, amounts=["1,234", "5"])
    landed(inbox, "amount_usd")
    (message,) = messages(inbox)
    assert "it may be 1.234 (a comma before the decimals) or 1234 (commas between thousands)" in message


@pytest.mark.parametrize(
    ("times", "read"),
    [
        (["13/03/2026", "04/03/2026"], ["2026-03-13 00:00:00", "2026-03-04 00:00:00"]),
        (["3/13/2026 4:05 PM", "3/4/2026 12:00 AM"], ["2026-03-13 16:05:00", "2026-03-04 00:00:00"]),
        (["13.03.2026 09:07", "01.02.2026, 9:07:30"], ["2026-03-13 09:07:00", "2026-02-01 09:07:30"]),
    ],
)
def test_dates_are_read_in_the_order_that_the_column_proves(
    inbox: Inbox, times: list[str], read: list[str]
) -> None:
    put(inbox, times=times)
    assert landed(inbox, "attempted_at") == read
    assert inbox.rejected() == []


@pytest.mark.parametrize("times", [["13/03/2026", "03/13/2026"], ["13/03/2026", "2026-03-13T10:00:00Z"]])
def test_dates_of_a_column_in_which_writers_mix_are_refused(inbox: Inbox, times: list[str]) -> None:
    put(inbox, times=times)
    landed(inbox, "attempted_at")
    assert inbox.rejected()
    assert not any("it may be" in message for message in messages(inbox))


def test_dates_that_fit_both_orders_are_refused_with_both_readings(inbox: Inbox) -> None:
    put(inbox, times=["03/04/2026", "01/02/2026"])
    assert landed(inbox, "attempted_at") == []
    assert "it may be 2026-04-03 (day first) or 2026-03-04 (month first)" in messages(inbox)[0]
    assert "set date_order of the feed in seeds/feeds.csv" in messages(inbox)[0]


@pytest.mark.parametrize(("order", "read"), [("day_first", "2026-04-03"), ("month_first", "2026-03-04")])
def test_the_setting_of_the_feed_decides_what_the_column_does_not_prove(
    inbox: Inbox, order: str, read: str
) -> None:
    seeds = feeds_csv(inbox.root.parent, order)
    put(inbox, times=["03/04/2026"])
    assert landed(inbox, "attempted_at", seeds) == [f"{read} 00:00:00"]


def test_a_column_that_proves_another_order_than_the_setting_is_read_as_it_proves(inbox: Inbox) -> None:
    seeds = feeds_csv(inbox.root.parent, "month_first")
    put(inbox, times=["13/03/2026"])
    assert landed(inbox, "attempted_at", seeds) == ["2026-03-13 00:00:00"]


def test_an_order_that_is_none_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"feeds.csv, row 1, column date_order: 'dmy' is no order of dates"):
        feeds_of(feeds_csv(tmp_path, "dmy"))


def test_broken_lines_of_a_file_in_another_notation_are_numbered_once(inbox: Inbox) -> None:
    text = HEAD + 'p1,a1,succeeded,2026-01-01,"12,5"\np2,a1\np3,a1,succeeded,2026-01-01,"7,25"\n'
    inbox.put(f"{FEED}/day.csv", text)
    assert landed(inbox, "amount_usd::double") == ["12.5", "7.25"]
    assert [row[1] for row in inbox.rejected()] == [2]


def feeds_csv(folder: Path, order: str) -> Path:
    (folder / "feeds.csv").write_text(f"feed,is_used,max_age_days,key,date_order\n{FEED},true,7,,{order}\n")
    return folder


def messages(inbox: Inbox) -> list[str]:
    return inbox.column(
        "select message from quarantine.rejected_rows union all select message from"
        " quarantine.rejected_values"
    )
