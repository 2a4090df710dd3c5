"""Whose an id is: by a claim of crm/identities, else by a contact's e-mail address, else by a domain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from inbox import Inbox
from vendor_shapes import mail_id

from radar.landing.adapters import FREE_MAIL
from radar.landing.links import EXCLUDED, LINK_MACROS, resolve_aliases
from radar.landing.vendor_files import prepare

ACCOUNTS = (
    "account_id,name,domain,created_at,is_deleted\n"
    "a1,Acme,acme.com,2025-01-01,\na2,Beta,https://www.Beta.io/about,2025-01-01,\n"
    "d1,Dup,dup.com,2025-01-01,\nd2,Dup two,dup.com,2025-01-01,\ng1,One person,gmail.com,2025-01-01,\n"
    "old,Old,old.com,2025-01-01,true\n"
)
CONTACTS = (
    "contact_id,account_id,email,is_deleted\nc1,a1,Ann@gmail.com,\nc2,a2,bob@acme.com,\nc3,a1,both@x.io,\n"
    "c4,a2,both@x.io,\nc5,merged,eve@y.io,\nc6,a1,gone@z.io,true\n"
)
IDENTITIES = "source,source_account_id,account_id\n"
EVENTS = "event_id,account_id,event_name,occurred_at\n"

Link = tuple[str, str]


def links(inbox: Inbox, account_id: str) -> list[Link]:
    """The accounts that the id of a customer may be, and by which rule; linked ones marked with !."""
    return inbox.all(
        "select resolved_account_id || case when is_linked then '!' else '' end, rule from raw.account_links"
        f" where source = 'billing' and account_id = '{account_id}' order by all"
    )


@pytest.fixture
def company(inbox: Inbox) -> Inbox:
    inbox.put_accounts(ACCOUNTS)
    inbox.put("crm/contacts/c.csv", CONTACTS)
    return inbox


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (["billing,cus_1,a2"], [("a2!", "identity")]),
        ([f"billing,cus_1,{mail_id('ann@gmail.com')}"], [("a1!", "email")]),
        (["billing,cus_1,ann@gmail.com"], [("a1!", "email")]),
        ([f"billing,cus_1,{mail_id('bob@acme.com')}"], [("a2!", "email")]),
        ([f"billing,cus_1,{mail_id('new@acme.com')}"], [("a1!", "domain")]),
        ([f"billing,cus_1,{mail_id('new@beta.io')}"], [("a2!", "domain")]),
        (["billing,cus_1,beta.io"], [("a2!", "domain")]),
        ([f"billing,cus_1,{mail_id('new@gmail.com')}"], []),
        ([f"billing,cus_1,{mail_id('new@old.com')}"], [("old!", "domain")]),
        ([f"billing,cus_1,{mail_id('gone@z.io')}"], []),
        ([f"billing,cus_1,{mail_id('both@x.io')}"], [("a1", "email"), ("a2", "email")]),
        (["billing,cus_1,dup.com"], [("d1", "domain"), ("d2", "domain")]),
        (["billing,cus_1,dup.com", "domain,dup.com,d2"], [("d2!", "domain")]),
        (["billing,cus_1,beta.io", "domain,beta.io,a1"], [("a1!", "domain")]),
        (["billing,cus_1,a1", "billing,cus_1,a2"], [("a1", "identity"), ("a2", "identity")]),
        ([f"billing,cus_1,{mail_id('eve@y.io')}", "crm,merged,a2"], [("a2!", "email")]),
        (["billing,cus_1,org_7", f"product,org_7,{mail_id('ann@gmail.com')}"], [("a1!", "email")]),
    ],
)
def test_a_claim_goes_before_an_address_and_an_address_before_a_domain(
    company: Inbox, claims: Sequence[str], expected: list[Link]
) -> None:
    company.put("crm/identities/i.csv", IDENTITIES + "".join(f"{claim}\n" for claim in claims))
    company.land()
    assert links(company, "cus_1") == expected
    linked = [account.removesuffix("!") for account, _ in expected if account.endswith("!")]
    aliases = "select resolved_account_id from raw.account_aliases where source = 'billing'"
    assert company.column(f"{aliases} and account_id = 'cus_1'") == linked


def test_an_account_that_a_feed_names_by_address_or_domain_is_found_too(company: Inbox) -> None:
    company.put(
        "product/events/e.csv",
        f"{EVENTS}e1,ann@gmail.com,login,2025-01-02\ne2,beta.io,login,2025-01-02\ne3,a1,login,2025-01-02\n",
    )
    company.land()
    aliases = "select account_id, resolved_account_id from raw.account_aliases where source = 'product'"
    assert sorted(company.all(aliases)) == sorted(
        [("beta.io", "a2"), (mail_id("ann@gmail.com"), "a1"), ("ann@gmail.com", "a1")]
    )


def test_what_a_person_chose_goes_before_what_files_claim_later(company: Inbox) -> None:
    company.put("crm/identities/i.csv", f"{IDENTITIES}billing,cus_1,a1\nbilling,cus_1,a2\n")
    company.put(
        "crm/identities/chosen.csv",
        "source,source_account_id,account_id,decided_by\nbilling,cus_1,a2,ann\n",
    )
    company.land()
    company.put("crm/identities/j.csv", f"{IDENTITIES}billing,cus_1,a1\nbilling,cus_1,d1\n")
    company.land()
    assert links(company, "cus_1") == [("a2!", "identity")]


def test_a_claim_that_its_source_deleted_is_none(company: Inbox) -> None:
    company.put("crm/identities/i.csv", f"{IDENTITIES}billing,cus_1,a1\n")
    company.land()
    company.put(
        "crm/identities/j.csv", "source,source_account_id,account_id,is_deleted\nbilling,cus_1,a1,true\n"
    )
    company.land()
    assert links(company, "cus_1") == []


def test_an_account_that_is_merged_and_comes_no_more_is_the_one_that_is_left(company: Inbox) -> None:
    """HubSpot lists the ids that were merged into a company; their own records vanish."""
    merged = (
        "select resolved_account_id from raw.account_aliases where source = 'billing' and account_id = 'a1'"
    )
    company.land()
    company.put("crm/identities/i.csv", f"{IDENTITIES}crm,a1,a2\nbilling,cus_1,a1\n")
    company.land()
    assert company.column(merged) == ["a2"]
    assert links(company, "cus_1") == [("a2!", "identity")]
    company.put(
        "crm/accounts/b.csv", "account_id,name,created_at,updated_at\na1,Acme,2025-01-01,2026-03-01\n"
    )
    company.land()
    assert company.column(merged) == []
    assert links(company, "cus_1") == [("a1!", "identity")]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann@gmail.com", []),  # named itself
        ("new@gmail.com", []),
        ("bob@acme.com", [("a1!", "domain")]),  # of a contact of a2 who is left out by the domain
        ("ann@beta.io", [("a2!", "domain")]),  # not a1, whose contact had another address once that is named
        ("both@x.io", [("a1!", "email")]),  # the other contact who has it is left out
    ],
)
def test_addresses_of_people_who_are_left_out_lead_to_no_account(
    company: Inbox, tmp_path: Path, address: str, expected: list[Link]
) -> None:
    named = "kind,value,reason\nemail,Ann@Gmail.com,test\nemail_domain,acme.com,us\nuser_id,both@x.io,test\n"
    (tmp_path / EXCLUDED).write_text(named)
    versions = (
        "c7,a1,ann@gmail.com,2025-01-01\nc4,a2,z@acme.com,2025-01-01\n"
        "c7,a1,ann@beta.io,2025-02-01\nc4,a2,both@x.io,2025-02-01\n"
    )
    company.put("crm/contacts/d.csv", "contact_id,account_id,email,updated_at\n" + versions)
    company.put("crm/identities/i.csv", f"{IDENTITIES}billing,cus_1,{mail_id(address)}\n")
    company.land()
    resolve_aliases(company.con, tmp_path)
    assert links(company, "cus_1") == expected


def test_a_company_replaces_the_list_of_free_mail(company: Inbox, tmp_path: Path) -> None:
    company.put("crm/identities/i.csv", f"{IDENTITIES}billing,cus_1,acme.com\nbilling,cus_2,gmail.com\n")
    company.land()
    assert (links(company, "cus_1"), links(company, "cus_2")) == ([("a1!", "domain")], [])
    (tmp_path / FREE_MAIL).write_text("domain\nacme.com\n")
    resolve_aliases(company.con, tmp_path)
    assert (links(company, "cus_1"), links(company, "cus_2")) == ([], [("g1!", "domain")])


@pytest.mark.parametrize("value", ["Ann@WWW.Acme.co.uk", "https://www.acme.com:80/x", "acme.com", "Acme", ""])
def test_adapters_and_links_read_domains_and_addresses_alike(value: str) -> None:
    with duckdb.connect() as con:
        prepare(con)
        con.execute(LINK_MACROS)
        same = (
            "select link_domain($1) is not distinct from domain_of($1),"
            " coalesce(mail_id($1), $1) = link_id($1)"
        )
        assert con.execute(same, [value]).fetchone() == (True, True)
