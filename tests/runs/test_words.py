"""What words of other systems mean, and what they leave unknown where nobody has said what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

AS_OF = "2026-11-27"
ACCOUNTS = [f"acc_{number:02}" for number in range(1, 13)]
UNUSED = ("comms/messages", "feedback/surveys", "billing/invoices", "billing/payments")


def write(place: Place, feed: str, header: str, rows: Sequence[str]) -> None:
    folder = place.extracts / feed
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.csv").write_text("\n".join([header, *rows]) + "\n")


def company(place: Place, changes: Mapping[str, tuple[str, list[str]]]) -> None:
    """Twelve accounts with a live subscription, a champion and daily use; `changes` replaces feeds."""
    feeds: dict[str, tuple[str, list[str]]] = {
        "crm/accounts": (
            "account_id,name,domain,lifecycle_stage,created_at,updated_at",
            [f"{a},Company {a},{a}.example,customer,2025-01-15,2026-11-20" for a in ACCOUNTS],
        ),
        "crm/contacts": (
            "contact_id,account_id,role,is_active,created_at,updated_at",
            [f"c_{a},{a},champion,true,2025-01-15,2026-11-01" for a in ACCOUNTS],
        ),
        "billing/subscriptions": (
            SUBSCRIPTION,
            [f"sub_{a},{a},team,active,1000,2025-01-15,2027-01-15,false,,2026-11-20,false" for a in ACCOUNTS],
        ),
        "support/tickets": (
            "ticket_id,account_id,status,priority,opened_at,resolved_at,updated_at",
            [f"t_{a},{a},open,urgent,2026-11-17T09:00:00Z,,2026-11-18" for a in ACCOUNTS],
        ),
        "product/events": (EVENT, events({"login": "u1", "report_created": "u1"})),
    }
    for feed, (header, rows) in {**feeds, **changes}.items():
        write(place, feed, header, rows)
    seeds = place.folder / "seeds"
    seeds.mkdir()
    lines = (SEEDS / "feeds.csv").read_text().splitlines()
    used = [line if line.split(",")[0] in feeds else line.replace(",true,", ",false,") for line in lines]
    (seeds / "feeds.csv").write_text("\n".join(used) + "\n")


SUBSCRIPTION = (
    "subscription_id,account_id,plan_id,status,mrr_usd,started_at,current_period_end,cancel_at_period_end,"
    "canceled_at,updated_at,is_deleted"
)
EVENT = "event_id,account_id,user_id,event_name,occurred_at,deleted"


def events(names: Mapping[str, str], days: Sequence[str] = ("2026-11-20", "2026-11-26")) -> list[str]:
    return [
        f"{account}-{name}-{day},{account},{user},{name},{day}T09:00:00Z,"
        for account in ACCOUNTS
        for name, user in names.items()
        for day in days
    ]


@pytest.fixture(scope="module")
def meanings(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("meanings"))
    stages = {"acc_08": "Marketing Qualified Lead", "acc_09": "opportunity", "acc_10": "churned"}
    subscriptions = {
        "acc_01": "team,active,1000,2025-01-15,2027-01-15,false,,2026-11-20T00:00:00Z,true",
        "acc_02": "team,canceled,1000,2025-01-15,2026-11-20,true,2026-01-10,2026-11-20T00:05:00Z,",
        "acc_03": "team,canceled,1000,2025-01-15,2026-11-20,false,2026-11-12,2026-11-20T00:05:00Z,",
        "acc_04": "team,canceled,1000,2025-01-15,2026-11-20,,2026-11-20,2026-11-20T00:05:00Z,no",
    }
    live = "team,active,1000,2025-01-15,2027-01-15,false,,2026-11-01,"
    statuses = {
        "acc_01": "escalated",
        "acc_04": "closed",
        "acc_05": "solved",
        "acc_06": "Closed",
        "acc_07": "Re-opened",
        "acc_09": "merged",
        "acc_12": " On-Hold",
    }
    company(
        place,
        {
            "crm/accounts": (
                "account_id,name,domain,lifecycle_stage,created_at,updated_at",
                [
                    f"{a},Company {a},{a}.example,{stages.get(a, 'customer')},2025-01-15,2025-02-01"
                    for a in ACCOUNTS
                ],
            ),
            "crm/contacts": (
                "contact_id,account_id,role,is_active,created_at,updated_at,_sdc_deleted_at",
                [
                    f"c_{a},{a},champion,true,2025-01-15,2026-11-20,{'2026-11-20' if a == 'acc_01' else ''}"
                    for a in ACCOUNTS
                ],
            ),
            "billing/subscriptions": (
                SUBSCRIPTION,
                [
                    f"sub_{a},{a},{subscriptions.get(a, live)}"
                    for a in ACCOUNTS
                    if a not in ("acc_08", "acc_10")
                ],
            ),
            "support/tickets": (
                "ticket_id,account_id,status,priority,opened_at,resolved_at,updated_at,_fivetran_deleted",
                [
                    *(
                        f"t_{a},{a},{status},urgent,2026-11-17T09:00:00Z,"
                        f"{'2026-11-17T10:00:00Z' if status == 'Re-opened' else ''},2026-11-18,false"
                        for a, status in statuses.items()
                    ),
                    "t_gone,acc_04,open,low,2026-11-17T09:00:00Z,,2026-11-20T08:00:00Z,true",
                    "t_never,acc_04,open,low,2026-11-17T09:00:00Z,,,true",
                ],
            ),
            "product/events": (
                EVENT,
                [
                    *events({"login": "u1", "report_created": "u1"}, ["2026-11-20"]),
                    "s1,acc_05,kim@mail.radar.example,login,2026-11-26T09:00:00Z,",
                    "s2,acc_06,u1,login,2026-11-26T09:00:00Z,true",
                    "s3,acc_07,u1,login,2026-11-26T09:00:00Z,false",
                ],
            ),
        },
    )
    seeds = place.folder / "seeds"
    (seeds / "excluded.csv").write_text(
        "kind,value,reason\ndomain,ACC_11.example,our own tenant\nemail_domain,radar.example,staff\n"
    )
    done = place.run(f"--seeds={seeds}", "--since=2026-11-10", f"--as-of={AS_OF}")
    (place.folder / "said").write_text(done.stdout)
    return place


def test_rows_that_say_they_are_deleted_count_until_they_were(meanings: Place) -> None:
    gone = "where account_id = 'acc_01' and as_of_date in ('2026-11-19', '2026-11-20') order by as_of_date"
    assert meanings.rows(f"select mrr_usd from signals.sig_billing {gone}") == [(1000,), (0,)]
    assert meanings.rows(f"select has_active_champion from signals.sig_relationship {gone}") == [(1,), (0,)]
    tickets = "select open_tickets, tickets_30d from signals.sig_support where account_id = 'acc_04'"
    assert meanings.rows(f"{tickets} and as_of_date = '2026-11-19'") == [(1, 2)]
    logins = f"select account_id, days_since_login from signals.sig_usage where as_of_date = '{AS_OF}'"
    assert dict(meanings.rows(logins))["acc_06"] == 7  # the deleted login of yesterday is none
    assert dict(meanings.rows(logins))["acc_07"] == 1


def test_a_status_says_whether_a_ticket_is_open(meanings: Place) -> None:
    query = f"select account_id, open_urgent_tickets from signals.sig_support where as_of_date = '{AS_OF}'"
    urgent = {account for account, count in meanings.rows(query) if count}
    assert urgent == {"acc_01", "acc_07", "acc_12"}
    query = query.replace("open_urgent_tickets", "fast_resolutions_30d")
    assert {count for _, count in meanings.rows(query)} == {0}


def test_a_subscription_that_was_to_end_with_its_period_ends_there(meanings: Place) -> None:
    query = (
        "select account_id, max(as_of_date)::varchar from marts.fct_health_history"
        " where account_id in ('acc_02', 'acc_03', 'acc_04') group by 1 order by 1"
    )
    assert meanings.rows(query) == [
        ("acc_02", "2026-11-19"),
        ("acc_03", "2026-11-11"),
        ("acc_04", "2026-11-19"),
    ]


def test_who_is_no_customer_is_listed_apart(meanings: Place) -> None:
    query = "select account_id, reason from marts.rpt_not_scored_accounts order by 1"
    assert meanings.rows(query) == [
        ("acc_02", "left"),
        ("acc_03", "left"),
        ("acc_04", "left"),
        ("acc_08", "not a customer"),
        ("acc_10", "not a customer"),
        ("acc_11", "excluded"),
    ]
    assert "not scored: excluded 1, left 3, not a customer 2" in (meanings.folder / "said").read_text()
    both = (
        "select count(*) from marts.rpt_account_health where account_id in"
        " (select account_id from marts.rpt_not_scored_accounts)"
    )
    assert meanings.rows(both) == [(0,)]


def test_what_excluded_users_do_is_not_counted(meanings: Place) -> None:
    query = "select days_since_login from signals.sig_usage where account_id = 'acc_05' and as_of_date = "
    assert meanings.rows(f"{query} '{AS_OF}'") == [(7,)]
    assert "what 1 user did" in (meanings.folder / "said").read_text()


def test_the_published_copy_names_no_excluded_user(meanings: Place) -> None:
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(meanings.published / "radar.duckdb"), read_only=True) as con:
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    assert "rpt_not_scored_accounts" in tables
    assert not tables & {"excluded", "int_excluded_users"}


@pytest.fixture(scope="module")
def strange_words(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Nothing of what the company's systems say is in the reference data, until a login of 25 November."""
    place = Place(tmp_path_factory.mktemp("strange"))
    company(
        place,
        {
            "crm/contacts": (
                "contact_id,account_id,role,is_active,created_at,updated_at",
                [f"c_{a},{a},Head of Data,true,2025-01-15,2026-11-01" for a in ACCOUNTS],
            ),
            "billing/subscriptions": (
                SUBSCRIPTION,
                [
                    f"sub_{a},{a},plus-2026,active,1000,2025-01-15,2027-01-15,false,,2026-11-20,false"
                    for a in ACCOUNTS
                ],
            ),
            "support/tickets": (
                "ticket_id,account_id,status,priority,opened_at,resolved_at,updated_at",
                [f"t_{a},{a},escalated,P{a[-1]},2026-11-17T09:00:00Z,,2026-11-18" for a in ACCOUNTS],
            ),
            "product/events": (
                EVENT,
                [
                    *events({"Sign In": "u1", "Reports created": "u1"}),
                    "one,acc_01,u1,login,2026-11-25T09:00:00Z,",
                ],
            ),
        },
    )
    done = place.run(
        "--seeds=" + str(place.folder / "seeds"), "--since=2026-11-24", f"--as-of={AS_OF}", status=3
    )
    (place.folder / "said").write_text(done.stdout)
    return place


def known(place: Place, day: str) -> dict[str, bool]:
    query = f"select signal, is_known from intermediate.int_signal_states where as_of_date = '{day}'"
    return dict(place.rows(query))


def test_signals_are_unknown_while_no_word_that_carries_them_was_seen(strange_words: Place) -> None:
    before, after = known(strange_words, "2026-11-24"), known(strange_words, "2026-11-25")
    assert not before["days_since_login"]
    assert after["days_since_login"]
    for signal in (
        "days_since_key_feature",
        "premium_usage_14d_pct",
        "advanced_events_30d",
        "adoption_milestones",
        "is_paid_plan",
        "has_active_champion",
        "open_tickets",
        "open_urgent_tickets",
    ):
        assert not after[signal], signal
    for signal in ("active_days_30d", "usage_trend_14d_pct", "mrr_usd", "tickets_30d"):
        assert after[signal], signal
    rules = strange_words.rows(
        "select distinct result from scoring.fct_rule_results"
        " where rule_id = 'no_login_14d' and as_of_date = '2026-11-24'"
    )
    assert rules == [("unknown",)]


def test_the_run_says_which_words_it_found_and_what_is_near(strange_words: Place) -> None:
    said = (strange_words.folder / "said").read_text()
    assert "no event name that counts as a key feature; unknown: days_since_key_feature" in said
    assert "Sign In (24)" in said
    assert "nearest rows:" in said
    assert "report_created" in said
    assert "plus-2026 (12)" in said
    assert "escalated (12)" in said
    assert "is_key_feature of seeds/product_events.csv" in said
    ((status, message),) = strange_words.rows("select status, message from audit.runs")
    assert status == "held"
    assert "no event name that counts as a key feature" in message


def test_names_that_are_all_known_hold_no_run_over_a_flag(tmp_path: Path) -> None:
    """Nobody has used a premium feature, and no word is strange: unknown, and said, but nothing is held."""
    place = Place(tmp_path)
    company(place, {})
    seeds = place.folder / "seeds"
    done = place.run(f"--seeds={seeds}", f"--as-of={AS_OF}")
    assert "no event name that counts as premium use; unknown: premium_usage_14d_pct" in done.stdout
    assert known(place, AS_OF)["days_since_login"]
    assert not known(place, AS_OF)["premium_usage_14d_pct"]
    lines = (SEEDS / "product_events.csv").read_text().splitlines()
    unmarked = [line.replace("false,false,true,false", "false,false,false,false") for line in lines]
    (seeds / "product_events.csv").write_text("\n".join(unmarked) + "\n")
    done = place.run(f"--seeds={seeds}", f"--as-of={AS_OF}")
    assert "unknown: premium_usage_14d_pct" not in done.stdout
    why = "change in premium use over 14 days (no event name is marked as premium in product_events.csv)"
    assert f"expansion_premium: {why}" in done.stdout
    assert place.rows(
        "select distinct result from scoring.fct_rule_results where rule_id = 'expansion_premium'"
    ) == [("off",)]


@pytest.fixture(scope="module")
def other_spellings(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The product writes the names of seeds/product_events.csv in its own way."""
    place = Place(tmp_path_factory.mktemp("spellings"))
    logins = [
        "LOGIN",
        "log-in",
        "Log In",
        "logIn",
        "log.in",
        "l\u00f3gin",
        "lo\u0301gin",
        " Login_ ",
        "LogIn",
    ]
    names = {
        **dict(zip(ACCOUNTS, logins, strict=False)),
        "acc_10": "SSO Login",
        "acc_11": "Export-done",
        "acc_12": "Login 2",
    }
    rows = [f"{a}-in,{a},u1,{name},2026-11-26T09:00:00Z," for a, name in names.items()]
    reports = ["Report Created", "report_created", "ReportCreated", "reportCreated"]
    rows += [f"r{n},acc_01,u1,{name},2026-11-2{n}T09:00:00Z," for n, name in enumerate(reports)]
    for number, name in enumerate(["WORKFLOW-RUN", "Forecast Run", "apiCall"]):
        rows.append(f"w{number},acc_02,u1,{name},2026-11-20T09:00:00Z,")
    company(place, {"product/events": (EVENT, rows)})
    seeds = place.folder / "seeds"
    lines = (SEEDS / "product_events.csv").read_text()
    two = "Export Done,true,false,false,false,,\nexport_done,true,false,false,false,,\n"
    (seeds / "product_events.csv").write_text(lines + two)
    done = place.run(f"--seeds={seeds}", f"--as-of={AS_OF}")
    (place.folder / "said").write_text(done.stdout)
    return place


def test_an_event_name_in_another_spelling_is_the_event_of_the_seed(other_spellings: Place) -> None:
    query = (
        f"select account_id, days_since_login, logins_30d from signals.sig_usage where as_of_date = '{AS_OF}'"
    )
    found = {account: (days, logins) for account, days, logins in other_spellings.rows(query)}
    assert [account for account in ACCOUNTS if found[account] != (1, 1)] == ["acc_11", "acc_12"]
    query = "select key_features_used_90d, adoption_milestones from signals.sig_adoption where account_id = "
    assert other_spellings.rows(f"{query} 'acc_01'") == [(1, 1)]
    assert other_spellings.rows(f"{query} 'acc_02'") == [(1, 3)]
    assert known(other_spellings, AS_OF)["days_since_key_feature"]
    ((message,),) = other_spellings.rows(
        "select message from audit.checks where check_name = 'event_name_known'"
    )
    assert message.startswith("2 of 19 rows")
    assert "Export-done (nearest known: " in message
    assert "Login 2 (nearest known: login)" in message


def test_event_names_keep_the_spelling_of_the_company(other_spellings: Place) -> None:
    names = {name for (name,) in other_spellings.rows("select event_name from intermediate.int_user_days")}
    assert {"LOGIN", "log-in", "ReportCreated", "report_created"} <= names
