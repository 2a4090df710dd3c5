"""Every signal on both sides of its boundaries: the oracle's hand-computed examples, through one whole run.

Each example becomes an account of one company, so that no row is written twice: not for the oracle and again
for dbt. A unit test of dbt would need rows of the tables that a signal reads, which are not what the examples
say (events, invoices, messages); here the models between are tested with it.
"""

from __future__ import annotations

import pytest

from tests.oracle.company import write
from tests.oracle.compare import compare, same
from tests.oracle.contract import FAMILIES, KEYS, Row
from tests.oracle.examples import EXAMPLES, D, account
from tests.oracle.reference import default_seeds, write_seeds
from tests.runs.radar_run import Place

NOT_OF_THE_ACCOUNT = ("plan_id", "user_id", "owner_id")
OF_THE_COMPANY = {"logins_7d", "days_since_key_feature"}
"""Signals of the examples that are unknown because the whole company has not sent a word that they count."""


def account_of(number: int) -> str:
    return f"x{number:03}"


def moved(row: Row, name: str) -> Row:
    """The row as one of this account; ids keep the order that they have among themselves."""
    ids = {
        column: f"{name}-{value}"
        for column, value in row.items()
        if column.endswith("_id") and column not in NOT_OF_THE_ACCOUNT and value is not None
    }
    return {**row, **ids, "account_id": name}


def company() -> dict[str, list[Row]]:
    feeds: dict[str, list[Row]] = {feed: [] for feed in KEYS}
    for number, (_, given, _) in enumerate(EXAMPLES):
        name = account_of(number)
        feeds["crm/accounts"].append(account(account_id=name, name=name))
        for feed, rows in given.items():
            feeds[feed] += [moved(row, name) for row in rows]
    return feeds


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = Place(tmp_path_factory.mktemp("examples"))
    write_seeds(default_seeds(), home.folder / "seeds")
    write(company(), home.extracts)
    home.run(f"--seeds={home.folder / 'seeds'}", f"--as-of={D}")
    return home


def test_every_signal_of_every_example_is_what_was_computed_by_hand(place: Place) -> None:
    family_of = {signal: family for family, signals in FAMILIES.items() for signal in signals}
    with place.read() as con:
        found = {
            family: {
                row[0]: dict(zip(names, row, strict=True))
                for names in [[column for column, *_ in con.execute(f"describe {table}").fetchall()]]
                for row in con.execute(f"from {table}").fetchall()
            }
            for family, table in ((family, f"signals.sig_{family}") for family in FAMILIES)
        }
    wrong = []
    for number, (signal, _, expected) in enumerate(EXAMPLES):
        value = found[family_of[signal]][account_of(number)][signal]
        if expected is None and signal in OF_THE_COMPANY:
            continue
        if not same(value, expected):
            wrong.append(f"{number} {signal}: {value}, by hand {expected}")
    assert wrong == []


def test_whatever_else_is_computed_of_them_is_what_the_contract_says(place: Place) -> None:
    assert compare(place.warehouse, company(), place.folder / "seeds", D) == []
