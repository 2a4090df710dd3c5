"""Reference data that was written for an earlier release still builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from radar.landing.feeds import feeds_of, load_feeds
from radar.rules.checks import check
from radar.rules.gathering import gather
from tests.frozen import SEEDS


def lines(name: str) -> list[str]:
    return (SEEDS / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("end", ["", "\n"])
def test_settings_that_came_later_are_as_they_ship(tmp_path: Path, end: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    kept = [line.replace("override_days,30", "override_days,12") for line in lines("settings.csv")[:5]]
    (mine / "settings.csv").write_text("\n".join(kept) + end)
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    written = (gathered / "settings.csv").read_text().splitlines()
    assert written == kept + lines("settings.csv")[5:]
    assert any(line.startswith("override_days,12,") for line in written)


def test_a_setting_that_nothing_reads_is_reported(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "settings.csv").write_text(f"{lines('settings.csv')[0]}\noverride_day,30,days,misspelt\n")
    (problem,) = check(gather(mine, tmp_path / "seeds"))
    assert (problem.row, problem.what) == (1, "nothing reads 'override_day'")


def test_a_feed_that_no_signal_needs_may_have_no_row(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    text = "\n".join(line for line in lines("feeds.csv") if not line.startswith("crm/reviews"))
    (mine / "feeds.csv").write_text(text)
    assert check(gather(mine, tmp_path / "seeds")) == []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("crm/pulses"))
    (mine / "feeds.csv").write_text(text)
    (problem,) = check(gather(mine, tmp_path / "seeds"))
    assert problem.what == "the feed crm/pulses has no row"


def test_feeds_without_the_column_for_a_key_name_none(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "feeds.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines("feeds.csv")))
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    assert feeds_of(gathered) == feeds_of(mine) == load_feeds()


@pytest.mark.parametrize("name", ["rule_sets.csv", "rules.csv", "rule_conditions.csv"])
def test_a_rule_set_that_came_later_needs_no_row_in_files_of_ones_own(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / name).write_text("\n".join(line for line in lines(name) if not line.startswith("snapshot_v1,")))
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    assert "snapshot_v1," not in (gathered / "rules.csv").read_text()
    assert "playbook_v1," in (gathered / "rules.csv").read_text()


def test_people_and_bots_that_are_left_out_are_named_in_any_case(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    named = ("email,Ann@Gmail.com", "email_domain,Radar.example", "bot,bot-*", "bot,ping")
    (mine / "excluded.csv").write_text("".join(["kind,value,reason\n", *(f"{row},ours\n" for row in named)]))
    assert check(gather(mine, tmp_path / "seeds")) == []


def test_seeds_that_came_later_are_as_they_ship(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "plans.csv").write_text("\n".join(lines("plans.csv")))
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    later = ("ticket_statuses", "not_customers", "excluded", "free_mail_domains", "families", "links")
    for name in (f"{one}.csv" for one in later):
        assert (gathered / name).read_text() == (SEEDS / name).read_text()


@pytest.mark.parametrize(
    ("name", "rows", "row", "what"),
    [
        (
            "ticket_statuses.csv",
            ["status,is_open", "On Hold,true", "on-hold,false"],
            2,
            "row 1 says otherwise",
        ),
        ("ticket_statuses.csv", ["status,is_open", "open,true", "closed,no"], 2, "not a truth value"),
        ("ticket_statuses.csv", ["status,is_open", "---,true"], 1, "no letter or digit"),
        ("not_customers.csv", ["lifecycle_stage", "lead", "42"], 2, "has no letter"),
        ("free_mail_domains.csv", ["domain", "gmail.com", "Mail.example"], 2, "no domain in small letters"),
        ("families.csv", ["family,position,label,signal", "usage,1,Usage,logins"], 1, "no signal 'logins'"),
        ("families.csv", ["family,position,label,signal", "usage,1,Usage,open_tickets"], 1, "of support"),
        *(
            ("links.csv", ["object,vendor,pattern,is_used", f"account,HubSpot,{pattern},{is_used}"], 1, what)
            for pattern, is_used, what in (
                ("javascript:alert({id})", "false", "is no http or https address"),
                ("//crm.example/{id}", "false", "is no http or https address"),
                ("https:/crm.example/{id}", "false", "is no http or https address"),
                ("https://{id}/companies", "false", "is no http or https address"),
                ("https://crm.example/a b/{id}", "false", "is no http or https address"),
                ("https://crm.example/{ID}", "false", "nothing fills {ID}"),
                ("https://crm.example/{id}/{domain}", "false", "nothing fills {domain}"),
                ("https://crm.example/{id}}", "false", "nothing fills }"),
                ("https://crm.example/companies", "false", "the address has no {id}"),
                ("https://crm.example/YOUR-PORTAL/{id}", "true", "begins with YOUR-"),
            )
        ),
        (
            "links.csv",
            [
                "object,vendor,pattern,is_used",
                "ticket,Zendesk,https://desk.example/{id},true",
                "ticket,HubSpot,https://crm.example/{id},false",
                "ticket,HubSpot,http://crm.example/{id},true",
            ],
            3,
            "row 1 is used for ticket too",
        ),
        (
            "links.csv",
            ["object,vendor,pattern,is_used", "deal,X,https://x.example/{id},true"],
            1,
            "'deal' is not",
        ),
        ("excluded.csv", ["kind,value,reason", "account,acc-1,ours"], 1, "'account' is not allowed"),
        ("excluded.csv", ["kind,value,reason", "email_domain,@radar.example,staff"], 1, "is no domain"),
        ("excluded.csv", ["kind,value,reason", "user_id,bot,"], 1, "the cell is empty"),
        *(
            ("excluded.csv", ["kind,value,reason", "bot,bot-*,x", f"{kind},{value},staff"], 2, what)
            for kind, value, what in (
                ("email", "radar.example", "is no e-mail address"),
                ("email", "ann@radar", "is no e-mail address"),
                ("email", "@radar.example", "is no e-mail address"),
                ("email", "ann b@radar.example", "is no e-mail address"),
                ("email_domain", " Gmail.com", "leaves out every customer who has mail at gmail.com"),
                ("email_domain", "co.uk", "leaves out every customer who has mail at"),
                ("email_domain", "example", "is no domain"),
                ("bot", "*", "has no letter or digit, so it leaves out every user"),
                ("bot", "*@*", "has no letter or digit"),
                ("bot", "*@gmail.com", "whose id is an address at gmail.com"),
                ("bot", "*.com", "whose id is an address at"),
            )
        ),
    ],
)
def test_mistakes_in_them_are_reported_with_their_row(
    tmp_path: Path, name: str, rows: list[str], row: int, what: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / name).write_text("\n".join(rows) + "\n")
    (problem,) = check(gather(mine, tmp_path / "seeds"))
    assert (problem.file, problem.row) == (name, row)
    assert what in problem.what
