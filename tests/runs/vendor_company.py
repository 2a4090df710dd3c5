"""The invented company as its vendors would export it: Stripe, HubSpot, Zendesk and Mixpanel alone.

Written from the vendors' references, not from the adapters. Where a vendor has no place for something that
our own feeds carry (a ticket's mood, a contact who left), it is taken out of our feeds too, so that both
folders say the same.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from radar.landing.feeds import load_feeds

Row = dict[str, Any]
FEEDS = (
    "crm/accounts",
    "crm/owners",
    "crm/contacts",
    "crm/touchpoints",
    "billing/subscriptions",
    "billing/invoices",
    "billing/payments",
    "support/tickets",
    "product/events",
)
PAGE = 100


def read(demo: Path, feed: str) -> list[Row]:
    """Every row of a feed, as text, in the order of its files."""
    con = duckdb.connect(config={"threads": 1})
    rows: list[Row] = []
    for file in sorted((demo / feed).iterdir()):
        if ".parquet" in file.name:
            cursor = con.execute(f"select cast(columns(*) as varchar) from '{file}'")
        elif "json" in file.name:
            as_written = "sample_size=-1, dateformat='x', timestampformat='x', map_inference_threshold=-1"
            cursor = con.execute(
                f"select * from read_json('{file}', format='newline_delimited', {as_written})"
            )
        else:
            cursor = con.execute(
                f"select * from read_csv('{file}', all_varchar=true, header=true, quote='\"')"
            )
        names = [column[0] for column in cursor.description]
        rows += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    con.close()
    return rows


def as_ours(demo: Path, target: Path) -> None:
    """Our own feeds with what the four vendors can say, one file each."""
    for feed in FEEDS:
        rows = read(demo, feed)
        for row in rows:
            if feed == "support/tickets":
                row |= {"sentiment": None, "contact_id": None}
            if feed == "product/events":
                row |= {"user_id": row["user_id"] or "nobody", "properties": None}
            if feed == "crm/contacts":
                row |= {"is_active": True}
        _ndjson(target / feed / "2026-06-30.ndjson.gz", rows)


def as_tables(ours: Path, target: Path) -> Path:
    """What `as_ours` wrote as relations of a DuckDB file, product events as a folder of Parquet; tables.yml.

    A column has the type of the contract where every value of it has, as in a database; else it is text.
    """
    target.mkdir(parents=True)
    database, lake = target / "app.duckdb", target / "lake" / "product_events"
    lake.mkdir(parents=True)
    tables = []
    with duckdb.connect(str(database)) as con:
        con.execute("set TimeZone = 'UTC'")
        for feed in FEEDS:
            source, name = feed.split("/")
            con.execute(f"create schema if not exists {source}")
            con.execute(f"create temp table read as select * from read_json('{ours / feed}/*', format = "
                        "'newline_delimited', dateformat = 'x', timestampformat = 'x')")  # fmt: skip
            query = f"select {', '.join(_typed(con, feed))} from read"
            if feed == "product/events":
                con.execute(f"copy ({query}) to '{lake}/events.parquet' (format parquet)")
                tables.append("{database: lake, relation: product_events, feed: product/events}")
            else:
                con.execute(f"create table {source}.{name} as {query}")
                loaded_at = ", loaded_at: updated_at" if feed == "crm/accounts" else ""
                tables.append(f"{{database: app, relation: {source}.{name}, feed: {feed}{loaded_at}}}")
            con.execute("drop table read")
    lines = ["databases:", "  app: {type: duckdb, path: app.duckdb}", "  lake: {type: parquet, path: lake}"]
    file = target / "tables.yml"
    file.write_text("\n".join([*lines, "tables:", *(f"  - {one}" for one in tables), ""]), encoding="utf-8")
    return file


def _typed(con: duckdb.DuckDBPyConnection, feed: str) -> Iterator[str]:
    types = {"timestamp": "timestamptz", "date": "date", "decimal": "double", "int": "bigint"}
    types["bool"] = "boolean"
    known = {column.name: types.get(column.type, "varchar") for column in load_feeds()[feed].columns}
    for name, *_ in con.execute("describe read").fetchall():
        typed = f"try_cast({name} as {known.get(name, 'varchar')})"
        row = con.execute(f"select count({name}) = count({typed}) from read").fetchone()
        yield f"{typed} as {name}" if row and row[0] else name


def as_vendors(demo: Path, target: Path) -> None:
    """The same as the vendors export it."""
    accounts = read(demo, "crm/accounts")
    domains = {row["account_id"]: row["domain"] for row in accounts}
    _hubspot(demo, target / "hubspot", accounts)
    _stripe(demo, target / "stripe", domains)
    _zendesk(demo, target / "zendesk", domains)
    _mixpanel(demo, target / "mixpanel", domains)


def _hubspot(demo: Path, target: Path, accounts: list[Row]) -> None:
    _pages(
        target / "companies/companies.json",
        (
            {
                "id": row["account_id"],
                "properties": {
                    "name": row["name"],
                    "domain": row["domain"],
                    "hubspot_owner_id": row["owner_id"],
                    "segment": row["segment"],
                    "industry": row["industry"],
                    "country": row["country"],
                    "hs_parent_company_id": row["parent_account_id"],
                    "arr": row["arr_usd"],
                    "lifecyclestage": row["lifecycle_stage"],
                    "plan": row["plan_id"],
                    "createdate": row["created_at"],
                    "hs_lastmodifieddate": row["updated_at"],
                },
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "archived": row["is_deleted"] == "true",
            }
            for row in accounts
        ),
    )
    roles = {"champion": "CHAMPION", "sponsor": "EXECUTIVE_SPONSOR", "user": "END_USER"}
    _pages(
        target / "contacts/contacts.json",
        (
            {
                "id": row["contact_id"],
                "properties": {
                    "email": row["email"],
                    "firstname": row["full_name"].split(" ")[0] if row["full_name"] else None,
                    "hs_buying_role": roles.get(row["role"], "OTHER" if row["role"] else None),
                    "createdate": row["created_at"],
                    "lastmodifieddate": row["updated_at"],
                },
                "associations": {
                    "companies": {"results": [{"id": row["account_id"], "type": "contact_to_company"}]}
                },
                "archived": False,
            }
            for row in read(demo, "crm/contacts")
        ),
    )
    _pages(
        target / "owners/owners.json",
        (
            {
                "id": row["owner_id"],
                "email": row["email"],
                "firstName": row["name"],
                "archived": row["is_active"] == "false",
                "updatedAt": row["updated_at"],
            }
            for row in read(demo, "crm/owners")
        ),
    )
    _ndjson(target / "engagements/engagements.ndjson.gz", map(_engagement, read(demo, "crm/touchpoints")))


def _engagement(row: Row) -> Row:
    inbound = row["direction"] == "inbound"
    of_kind = {
        "call": {"hs_call_title": "Call", "hs_call_direction": "INBOUND" if inbound else "OUTBOUND"},
        "email": {"hs_email_direction": "INCOMING_EMAIL" if inbound else "EMAIL"},
        "meeting": {"hs_meeting_title": "Meeting"},
        "note": {"hs_note_body": "Note"},
    }
    return {
        "id": row["touchpoint_id"],
        "properties": {
            "hs_timestamp": row["occurred_at"],
            "hubspot_owner_id": row["owner_id"],
            "hs_sequence_id": "77" if str(row["is_automated"]).lower() == "true" else None,
            **of_kind.get(row["channel"], {"hs_engagement_type": row["channel"]}),
        },
        "associations": {
            "companies": {"results": [{"id": row["account_id"], "type": "engagement_to_company"}]},
            "contacts": {"results": [{"id": row["contact_id"]}] if row["contact_id"] else []},
        },
    }


def _stripe(demo: Path, target: Path, domains: dict[str, str]) -> None:
    """Every second customer is known by metadata, the others by the domain of their address alone."""
    _pages(
        target / "customers/customers.json",
        (
            {
                "id": _customer(account),
                "object": "customer",
                "email": f"billing@{domain}",
                "metadata": {"account_id": account} if number % 2 else {},
            }
            for number, (account, domain) in enumerate(domains.items())
        ),
        key="data",
    )
    _ndjson(
        target / "subscriptions/events.ndjson.gz",
        (
            {
                "id": f"evt_{number}",
                "object": "event",
                "type": "customer.subscription.updated",
                "created": _epoch(row["updated_at"]),
                "data": {"object": _subscription(row)},
            }
            for number, row in enumerate(read(demo, "billing/subscriptions"))
        ),
    )
    _pages(target / "invoices/invoices.json", map(_invoice, read(demo, "billing/invoices")), key="data")
    _pages(target / "charges/charges.json", map(_charge, read(demo, "billing/payments")), key="data")


def _subscription(row: Row) -> Row:
    seats = int(row["seats"]) if row["seats"] else None
    cents = round(float(row["mrr_usd"]) * 100, 4)
    year, month, _ = (row["card_expires_on"] or "--").split("-")
    return {
        "id": row["subscription_id"],
        "object": "subscription",
        "customer": _customer(row["account_id"]),
        "status": "active" if row["status"] == "paused" else row["status"],
        "pause_collection": {"behavior": "void"} if row["status"] == "paused" else None,
        "currency": "usd",
        "start_date": _epoch(row["started_at"]),
        "current_period_end": _epoch(row["current_period_end"]),
        "cancel_at_period_end": row["cancel_at_period_end"] == "true",
        "ended_at": _epoch(row["canceled_at"]),
        "metadata": {"seats": str(seats)} if seats is not None and seats < 2 else {},
        "default_payment_method": {"card": {"exp_month": int(month), "exp_year": int(year)}}
        if year
        else None,
        "items": {
            "object": "list",
            "data": [
                {
                    "quantity": seats or 1,
                    "price": {
                        "id": f"price_{row['plan_id']}_year",
                        "product": row["plan_id"],
                        "unit_amount": None,
                        "unit_amount_decimal": str(cents * 12 / (seats or 1)),
                        "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"},
                    },
                }
            ],
        },
    }


def _invoice(row: Row) -> Row:
    changed = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}.get(row["status"], "")
    return {
        "id": row["invoice_id"],
        "object": "invoice",
        "customer": _customer(row["account_id"]),
        "parent": {"subscription_details": {"subscription": row["subscription_id"]}},
        "currency": "usd",
        "total": round(float(row["amount_usd"]) * 100),
        "status": row["status"],
        "created": _epoch(row["issued_at"]),
        "due_date": _epoch(row["due_at"]),
        "status_transitions": {
            "finalized_at": _epoch(row["issued_at"]),
            "paid_at": _epoch(row["paid_at"]),
            "voided_at": None,
            "marked_uncollectible_at": None,
        }
        | ({changed: _epoch(row["updated_at"])} if changed else {}),
    }


def _charge(row: Row) -> Row:
    return {
        "id": row["payment_id"],
        "object": "charge",
        "customer": _customer(row["account_id"]),
        "invoice": row["invoice_id"],
        "amount": round(float(row["amount_usd"]) * 100),
        "currency": "usd",
        "status": "failed" if row["status"] == "failed" else "succeeded",
        "refunded": row["status"] == "refunded",
        "failure_code": row["failure_code"],
        "created": _epoch(row["attempted_at"]),
    }


def _zendesk(demo: Path, target: Path, domains: dict[str, str]) -> None:
    """Every second organization has an external id, the others a domain alone."""
    _pages(
        target / "organizations/organizations.json",
        (
            {
                "id": _organization(account),
                "name": account,
                "external_id": account if number % 2 else None,
                "domain_names": [domain],
            }
            for number, (account, domain) in enumerate(domains.items())
        ),
        key="organizations",
    )
    statuses = {"resolved": "solved", "on_hold": "hold"}

    def ticket(row: Row) -> Row:
        opened, answered = _epoch(row["opened_at"]), _epoch(row["first_response_at"])
        return {
            "id": row["ticket_id"],
            "organization_id": _organization(row["account_id"]),
            "requester_id": 1,
            "status": statuses.get(row["status"], row["status"]),
            "priority": row["priority"],
            "subject": row["subject"],
            "description": row["body"],
            "created_at": row["opened_at"],
            "updated_at": row["updated_at"],
            "metric_set": {
                "solved_at": row["resolved_at"],
                "reply_time_in_minutes": {
                    "calendar": (answered - opened) / 60 if answered and opened else None
                },
            },
        }

    _pages(target / "tickets/tickets.json", map(ticket, read(demo, "support/tickets")), key="tickets")


def _mixpanel(demo: Path, target: Path, domains: dict[str, str]) -> None:
    """Every second account's events have the account as a property, those of the others a user's address."""
    is_keyed = {account: number % 2 == 1 for number, account in enumerate(domains)}

    def event(row: Row) -> Row:
        account = row["account_id"]
        whose = (
            {"account_id": account}
            if is_keyed.get(account, True)
            else {"$email": f"someone@{domains[account]}"}
        )
        return {
            "event": row["event_name"],
            "properties": {
                "time": _epoch(row["occurred_at"]),
                "distinct_id": row["user_id"] or "nobody",
                "$user_id": row["user_id"] or "nobody",
                "$insert_id": row["event_id"],
                **whose,
            },
        }

    _ndjson(target / "events/export.jsonl.gz", map(event, read(demo, "product/events")))


def _customer(account: str | None) -> str | None:
    return f"cus_{account}" if account else None


def _organization(account: str | None) -> str | None:
    return f"36{account}" if account else None


def _epoch(time: str | None) -> int | None:
    if not time:
        return None
    moment = datetime.fromisoformat(str(time).replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _pages(path: Path, records: Iterable[Row], key: str = "results") -> None:
    """Pages of an API one after another in one file, each with its envelope."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = list(records)
    with open(path, "w", encoding="utf-8") as out:
        for start in range(0, max(len(found), 1), PAGE):
            page = {key: found[start : start + PAGE], "paging": {"next": {"after": str(start + PAGE)}}}
            out.write(json.dumps(page, indent=1, default=str) + "\n")


def _ndjson(path: Path, records: Iterable[Row] | Iterator[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps(record, default=str) + "\n")
