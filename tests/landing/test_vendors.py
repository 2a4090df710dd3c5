"""The objects of every vendor but Stripe in the shapes in which they arrive, and the rows they become."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest
import vendor_shapes as shapes
from inbox import Inbox

from radar.landing.adapters import load_adapters

Record = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Files of one object that all say the same, and what lands of each."""

    folder: str
    files: dict[str, str | bytes]
    table: str
    columns: str
    rows: list[tuple[Any, ...]]


COMPANY = {
    "id": "101",
    "properties": {
        "name": "Acme",
        "domain": "www.Acme.com",
        "hubspot_owner_id": "7",
        "lifecyclestage": "customer",
        "createdate": "2025-01-02T03:04:05.678Z",
        "hs_lastmodifieddate": "2026-03-01T00:00:00Z",
        "hs_merged_object_ids": "88;99",
    },
    "createdAt": "2025-01-02T03:04:05.678Z",
    "updatedAt": "2026-03-01T00:00:00Z",
    "archived": False,
}
COMPANIES = {
    "api.json": shapes.pages([COMPANY], "results"),
    "airbyte.jsonl": shapes.airbyte_lines([COMPANY]),
    "airbyte.csv": shapes.table([{**COMPANY, "properties": json.dumps(COMPANY["properties"])}]),
    "fivetran.csv": shapes.fivetran([{"id": "101", **COMPANY["properties"]}], "property_"),
    "dlt.csv": shapes.dlt([COMPANY]),
    "singer.jsonl": shapes.singer([COMPANY]),
    "export.csv": "Record ID,Company name,Company Domain Name,Company owner,hubspot_owner_id,Lifecycle Stage,"
    "Create Date,"
    "Last Modified Date,Merged Company IDs\n"
    "101,Acme,acme.com,Ann,7,customer,2025-01-02 03:04,2026-03-01 00:00,88;99\n",
}
ENGAGEMENTS = [
    {
        "id": "1",
        "properties": {"hs_timestamp": "2026-03-01T00:00:00Z", "hs_email_direction": "INCOMING_EMAIL"},
    },
    {
        "id": "2",
        "properties": {
            "hs_timestamp": "2026-03-01T00:00:00Z",
            "hs_email_direction": "EMAIL",
            "hs_sequence_id": "5",
        },
    },
    {"id": "3", "properties": {"hs_timestamp": "2026-03-01T00:00:00Z", "hs_call_direction": "INBOUND"}},
    {"id": "4", "properties": {"hs_timestamp": "2026-03-01T00:00:00Z", "hs_meeting_title": "Review"}},
    {"id": "5", "properties": {"hs_timestamp": "2026-03-01T00:00:00Z", "hs_note_body": "Said thanks"}},
    {"id": "6", "properties": {"hs_timestamp": "2026-03-01T00:00:00Z", "hs_task_body": "Call back"}},
]
OF_COMPANY = {
    "associations": {
        "companies": {"results": [{"id": "101", "type": "x"}]},
        "contacts": {"results": [{"id": "5"}]},
    }
}
V1_ENGAGEMENTS = [
    {
        "engagement": {"id": one["id"], "type": kind, "timestamp": 1772323200000, "ownerId": 7},
        "associations": {"companyIds": [101], "contactIds": [5]},
        "metadata": {"direction": "INBOUND"},
    }
    for one, kind in zip(
        ENGAGEMENTS, ["INCOMING_EMAIL", "EMAIL", "CALL", "MEETING", "NOTE", "TASK"], strict=True
    )
]
TICKET = {
    "id": 35436,
    "organization_id": 509974,
    "requester_id": 20978392,
    "status": "solved",
    "priority": "high",
    "subject": "Help",
    "description": "It burns",
    "created_at": "2026-02-01T10:00:00Z",
    "updated_at": "2026-02-02T10:00:00Z",
    "metric_set": {
        "solved_at": "2026-02-02T10:00:00Z",
        "reply_time_in_minutes": {"calendar": 90, "business": 30},
    },
}
TICKET_COLUMNS = "ticket_id, account_id, status, priority, subject, opened_at::varchar, updated_at::varchar"
TICKET_ROW = ("35436", "509974", "solved", "high", "Help", "2026-02-01 10:00:00", "2026-02-02 10:00:00")
MIXPANEL = [
    {
        "event": "Login",
        "properties": {"time": 1772323200, "distinct_id": "u1", "$insert_id": "i1", "company_id": "a1"},
    },
    {
        "event": "Report",
        "properties": {"time": 1772323200123, "distinct_id": "ann@acme.com", "$insert_id": "i2"},
    },
    {"event": "Visit", "properties": {"time": 1772323200, "distinct_id": "$device:8f", "$insert_id": "i3"}},
]
EVENT_COLUMNS = "account_id, user_id, event_name, occurred_at::varchar"
MIXPANEL_ROWS = [
    ("a1", "u1", "Login", "2026-03-01 00:00:00"),
    (shapes.mail_id("ann@acme.com"), "ann@acme.com", "Report", "2026-03-01 00:00:00.123"),
]


def amplitude_zip(records: list[Record]) -> bytes:
    """As the export API answers: a zip of gzipped JSON lines, one an hour."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for hour, record in enumerate(records):
            archive.writestr(
                f"218028/218028_2026-03-01_{hour}#0.json.gz", gzip.compress(shapes.lines([record]).encode())
            )
    return out.getvalue()


AMPLITUDE = [
    {
        "uuid": "e1",
        "event_type": "login",
        "event_time": "2026-03-01 00:00:00.123000",
        "user_id": "u1",
        "groups": {"company_id": ["a1"]},
        "event_properties": {"plan": "pro"},
    },
    {
        "uuid": "e2",
        "event_type": "login",
        "event_time": "2026-03-01 01:00:00",
        "user_id": "ann@acme.com",
        "groups": {},
    },
    {
        "uuid": "e3",
        "event_type": "visit",
        "event_time": "2026-03-01 01:00:00",
        "user_id": None,
        "device_id": "d",
    },
]
TRACKS = [
    {
        "type": "track",
        "event": "Login",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2026-03-01T00:00:00Z",
        "context": {"groupId": "g1"},
        "properties": {},
    },
    {
        "type": "track",
        "event": "Login",
        "userId": "u2",
        "messageId": "m2",
        "timestamp": "2026-03-01T00:00:00Z",
    },
    {"type": "page", "name": "Home", "userId": "u2", "messageId": "m3", "timestamp": "2026-03-01T00:00:00Z"},
    {
        "type": "track",
        "event": "Visit",
        "anonymousId": "x",
        "messageId": "m4",
        "timestamp": "2026-03-01T00:00:00Z",
    },
]
SF_ACCOUNT = {
    "Id": "0015500000Xyy06AAB",
    "Name": "Acme",
    "Website": "https://www.acme.com/about",
    "OwnerId": "0051G00000600MlQAI",
    "Type": "Customer",
    "CreatedDate": "2025-01-02T03:04:05.000+0000",
    "SystemModstamp": "2026-03-01T00:00:00.000+0000",
    "IsDeleted": False,
    "MasterRecordId": None,
}
CONVERSATION = {
    "type": "conversation",
    "id": "c1",
    "created_at": 1772323200,
    "updated_at": 1772326800,
    "state": "closed",
    "priority": "priority",
    "source": {"subject": "Help", "body": "<p>x</p>", "author": {"type": "user", "id": "u9"}},
    "contacts": {"type": "contact.list", "contacts": [{"id": "u9"}]},
    "statistics": {"first_admin_reply_at": 1772324000, "last_close_at": 1772326800},
    "conversation_rating": {"rating": 4, "remark": "Good", "created_at": 1772326800},
}
CHARGEBEE = {
    "subscription": {
        "id": "s1",
        "customer_id": "c1",
        "status": "non_renewing",
        "currency_code": "USD",
        "mrr": 12345,
        "subscription_items": [{"item_price_id": "pro-USD-Yearly", "item_type": "plan", "quantity": 5}],
        "started_at": 1735689600,
        "current_term_end": 1767225600,
        "cancelled_at": 1767225600,
        "updated_at": 1772323200,
    },
    "customer": {"id": "c1", "email": "ann@acme.com", "cf_account_id": "a1"},
}
KEAP_CONTACTS: dict[str, str | bytes] = {
    "api.json": shapes.pages(
        [
            {
                "id": "5",
                "company": {"id": "3", "company_name": "Acme"},
                "email_addresses": [{"email": "ann@acme.com", "field": "EMAIL1"}],
                "given_name": "Ann",
                "family_name": "Lee",
            },
            {"id": "6", "email_addresses": [{"email": "bob@b.example", "field": "EMAIL1"}]},
        ],
        "contacts",
    )
}
CASES = {
    "hubspot companies": Case(
        "hubspot/companies",
        COMPANIES,
        "crm_accounts",
        "account_id, name, domain, owner_id, lifecycle_stage, created_at::date::varchar, "
        "updated_at::date::varchar",
        [("101", "Acme", "acme.com", "7", "customer", "2025-01-02", "2026-03-01")],
    ),
    "hubspot merged companies": Case(
        "hubspot/companies",
        COMPANIES,
        "crm_identities",
        "source, source_account_id, account_id",
        [("crm", "88", "101"), ("crm", "99", "101")],
    ),
    "hubspot contacts": Case(
        "hubspot/contacts",
        {
            "api.json": shapes.pages(
                [
                    {
                        "id": "5",
                        "properties": {
                            "email": "Ann@acme.com",
                            "firstname": "Ann",
                            "lastname": "Ace",
                            "hs_buying_role": "CHAMPION;END_USER",
                            "hs_email_optout": "true",
                            "createdate": "2025-01-02T00:00:00Z",
                        },
                        "associations": {
                            "companies": {"results": [{"id": "101", "type": "contact_to_company"}]}
                        },
                    },
                    {"id": "6", "properties": {"email": "lead@x.io", "createdate": "2025-01-02T00:00:00Z"}},
                ],
                "results",
            ),
            "fivetran.csv": "id,property_email,property_firstname,property_lastname,property_hs_buying_role,"
            "property_hs_email_optout,property_associatedcompanyid,_fivetran_deleted\n"
            "5,Ann@acme.com,Ann,Ace,CHAMPION;END_USER,true,101,FALSE\n6,lead@x.io,,,,,,FALSE\n",
            "export.csv": "Record ID,First Name,Last Name,Email,Buying Role,Unsubscribed from all email,"
            "Associated Company IDs,Contact owner\n"
            "5,Ann,Ace,Ann@acme.com,Champion,true,101;102,Eve\n6,,,lead@x.io,,,,\n",
        },
        "crm_contacts",
        "contact_id, account_id, email, full_name, role, marketing_consent, is_active",
        [("5", "101", "Ann@acme.com", "Ann Ace", "champion", False, True)],
    ),
    "hubspot owners": Case(
        "hubspot/owners",
        {
            "api.json": shapes.pages(
                [
                    {
                        "id": "7",
                        "email": "o@us.io",
                        "firstName": "Olga",
                        "lastName": "Own",
                        "userId": 9,
                        "archived": False,
                        "updatedAt": "2026-03-01T00:00:00Z",
                    }
                ],
                "results",
            ),
            "fivetran.csv": "owner_id,email,first_name,last_name,updated_at,_fivetran_synced\n"
            "7,o@us.io,Olga,Own,2026-03-01 00:00:00,2026-03-02\n",
        },
        "crm_owners",
        "owner_id, name, email, is_active, updated_at::date::varchar",
        [("7", "Olga Own", "o@us.io", True, "2026-03-01")],
    ),
    "hubspot engagements": Case(
        "hubspot/engagements",
        {
            "v3.json": shapes.pages([one | OF_COMPANY for one in ENGAGEMENTS], "results"),
            "v3.jsonl.gz": shapes.lines([one | OF_COMPANY for one in ENGAGEMENTS]),
        },
        "crm_touchpoints",
        "touchpoint_id, account_id, contact_id, channel, direction, is_automated",
        [
            ("1", "101", "5", "email", "inbound", False),
            ("2", "101", "5", "email", "outbound", True),
            ("3", "101", "5", "call", "inbound", False),
            ("4", "101", "5", "meeting", "outbound", False),
            ("5", "101", "5", "note", "outbound", False),
        ],
    ),
    "hubspot engagements of the first API": Case(
        "hubspot/engagements",
        {"v1.json": shapes.pages(V1_ENGAGEMENTS, "results")},
        "crm_touchpoints",
        "touchpoint_id, account_id, contact_id, owner_id, channel, direction, occurred_at::varchar",
        [
            ("1", "101", "5", "7", "email", "inbound", "2026-03-01 00:00:00"),
            ("2", "101", "5", "7", "email", "outbound", "2026-03-01 00:00:00"),
            ("3", "101", "5", "7", "call", "outbound", "2026-03-01 00:00:00"),
            ("4", "101", "5", "7", "meeting", "outbound", "2026-03-01 00:00:00"),
            ("5", "101", "5", "7", "note", "outbound", "2026-03-01 00:00:00"),
        ],
    ),
    "hubspot tickets": Case(
        "hubspot/tickets",
        {
            "api.json": shapes.pages(
                [
                    {
                        "id": "9",
                        "properties": {
                            "createdate": "2026-02-01T10:00:00Z",
                            "hs_pipeline_stage": "3",
                            "hs_ticket_priority": "MEDIUM",
                            "subject": "Help",
                            "content": "It burns",
                            "hs_lastmodifieddate": "2026-02-02T10:00:00Z",
                        },
                    }
                    | OF_COMPANY
                ],
                "results",
            ),
            "fivetran.csv": "id,property_createdate,property_hs_pipeline_stage,property_hs_ticket_priority,"
            "property_subject,property_hs_primary_company_id,property_hs_lastmodifieddate\n"
            "9,2026-02-01 10:00:00,3,MEDIUM,Help,101,2026-02-02 10:00:00\n",
        },
        "support_tickets",
        TICKET_COLUMNS,
        [("9", "101", "open", "normal", "Help", "2026-02-01 10:00:00", "2026-02-02 10:00:00")],
    ),
    "zendesk tickets with metrics": Case(
        "zendesk/tickets",
        {
            "api.json": shapes.pages([TICKET], "tickets"),
            "one.json": json.dumps({"ticket": TICKET}),
            "export.jsonl": shapes.lines([TICKET]),
            "airbyte.csv": shapes.airbyte_raw([TICKET]),
            "dlt.csv": shapes.dlt([TICKET]),
        },
        "support_tickets",
        f"{TICKET_COLUMNS}, first_response_at::varchar, resolved_at::varchar",
        [(*TICKET_ROW, "2026-02-01 11:30:00", "2026-02-02 10:00:00")],
    ),
    "zendesk tickets without metrics": Case(
        "zendesk/tickets",
        {
            "api.json": shapes.pages([{k: v for k, v in TICKET.items() if k != "metric_set"}], "tickets"),
            "fivetran.csv": shapes.fivetran([{k: v for k, v in TICKET.items() if k != "metric_set"}]),
        },
        "support_tickets",
        f"{TICKET_COLUMNS}, first_response_at, resolved_at",
        [(*TICKET_ROW, None, None)],
    ),
    "zendesk organizations": Case(
        "zendesk/organizations",
        {
            "api.json": shapes.pages(
                [
                    {"id": 1, "external_id": "a1", "domain_names": ["x.io"]},
                    {"id": 2, "external_id": None, "domain_names": ["beta.io"]},
                    {"id": 3, "external_id": None, "domain_names": ["gmail.com"]},
                    {"id": 4, "organization_fields": {"hubspot_id": "77"}},
                ],
                "organizations",
            ),
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [
            ("support", "1", "a1"),
            ("support", "2", "beta.io"),
            ("support", "3", "gmail.com"),
            ("support", "4", "77"),
        ],
    ),
    "zendesk users": Case(
        "zendesk/users",
        {
            "api.json": shapes.pages(
                [
                    {"id": 11, "organization_id": 1, "email": "x@x.io", "role": "end-user"},
                    {"id": 12, "organization_id": None, "email": "bob@beta.io", "role": "end-user"},
                    {"id": 13, "organization_id": None, "email": "us@us.io", "role": "agent"},
                ],
                "users",
            ),
            "fivetran.csv": "id,organization_id,email,role\n11,1,x@x.io,end-user\n12,,bob@beta.io,end-user\n"
            "13,,us@us.io,agent\n",
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [("support", "11", "1"), ("support", "12", shapes.mail_id("bob@beta.io"))],
    ),
    "zendesk ratings": Case(
        "zendesk/satisfaction_ratings",
        {
            "api.json": shapes.pages(
                [
                    {
                        "id": 1,
                        "score": "good",
                        "requester_id": 11,
                        "comment": "Fine",
                        "created_at": "2026-02-01T00:00:00Z",
                    },
                    {
                        "id": 2,
                        "score": "bad_with_comment",
                        "requester_id": 12,
                        "created_at": "2026-02-01T00:00:00Z",
                    },
                    {"id": 3, "score": "offered", "requester_id": 12, "created_at": "2026-02-01T00:00:00Z"},
                ],
                "satisfaction_ratings",
            ),
        },
        "feedback_surveys",
        "response_id, account_id, kind, score::int, comment",
        [("1", "11", "csat", 5, "Fine"), ("2", "12", "csat", 1, None)],
    ),
    "mixpanel events": Case(
        "mixpanel/events",
        {
            "export.jsonl": shapes.lines(MIXPANEL),
            "export.json.gz": shapes.lines(MIXPANEL),
            "airbyte.csv": shapes.airbyte_raw(MIXPANEL),
            "fivetran.csv": "name,time,distinct_id,properties,insert_id,_fivetran_synced\n"
            'Login,2026-03-01 00:00:00,u1,"{""company_id"":""a1""}",i1,2026-03-02\n'
            "Report,2026-03-01 00:00:00.123,ann@acme.com,{},i2,2026-03-02\n"
            "Visit,2026-03-01 00:00:00,$device:8f,{},i3,2026-03-02\n",
        },
        "product_events",
        EVENT_COLUMNS,
        MIXPANEL_ROWS,
    ),
    "amplitude events": Case(
        "amplitude/events",
        {
            "export.zip": amplitude_zip(AMPLITUDE),
            "one.json.gz": shapes.lines(AMPLITUDE),
            "fivetran.csv": shapes.table(
                [
                    {
                        "uuid": one["uuid"],
                        "event_type": one["event_type"],
                        "event_time": one["event_time"],
                        "user_id": one["user_id"],
                        "groups": json.dumps(one.get("groups", {})),
                    }
                    for one in AMPLITUDE
                ]
            ),
        },
        "product_events",
        f"event_id, {EVENT_COLUMNS}",
        [
            ("e1", "a1", "u1", "login", "2026-03-01 00:00:00.123"),
            ("e2", shapes.mail_id("ann@acme.com"), "ann@acme.com", "login", "2026-03-01 01:00:00"),
        ],
    ),
    "posthog events": Case(
        "posthog/events",
        {
            "batch.jsonl": shapes.lines(
                [
                    {
                        "uuid": "e1",
                        "event": "login",
                        "distinct_id": "u1",
                        "timestamp": "2026-03-01T00:00:00.000000Z",
                        "properties": {"$groups": {"company": "a1"}},
                    },
                    {
                        "uuid": "e2",
                        "event": "$pageview",
                        "distinct_id": "0193",
                        "timestamp": "2026-03-01T00:00:00Z",
                        "properties": {"$process_person_profile": False},
                    },
                    {
                        "uuid": "e3",
                        "event": "login",
                        "distinct_id": "u2",
                        "timestamp": "2026-03-01T00:00:00Z",
                        "properties": {},
                        "person_properties": {"email": "bob@beta.io"},
                    },
                ]
            ),
            "api.json": shapes.pages(
                [
                    {
                        "id": "e1",
                        "event": "login",
                        "distinct_id": "u1",
                        "timestamp": "2026-03-01T00:00:00Z",
                        "properties": {"$group_0": "a1"},
                    },
                    {
                        "id": "e3",
                        "event": "login",
                        "distinct_id": "u2",
                        "timestamp": "2026-03-01T00:00:00Z",
                        "properties": {},
                        "person": {"properties": {"email": "bob@beta.io"}},
                    },
                ],
                "results",
            ),
        },
        "product_events",
        f"event_id, {EVENT_COLUMNS}",
        [
            ("e1", "a1", "u1", "login", "2026-03-01 00:00:00"),
            ("e3", shapes.mail_id("bob@beta.io"), "u2", "login", "2026-03-01 00:00:00"),
        ],
    ),
    "segment track": Case(
        "segment/track",
        {
            "calls.json.gz": shapes.lines(TRACKS),
            "tracks.csv": "id,event,event_text,user_id,anonymous_id,timestamp,context_group_id\n"
            "m1,login,Login,u1,,2026-03-01 00:00:00,g1\nm2,login,Login,u2,,2026-03-01 00:00:00,\n"
            "m4,visit,Visit,,x,2026-03-01 00:00:00,\n",
        },
        "product_events",
        "event_id, account_id, user_id, lower(event_name), occurred_at::varchar",
        [
            ("m1", "g1", "u1", "login", "2026-03-01 00:00:00"),
            ("m2", "u2", "u2", "login", "2026-03-01 00:00:00"),
        ],
    ),
    "segment identify": Case(
        "segment/identify",
        {
            "calls.jsonl": shapes.lines(
                [
                    {"type": "identify", "userId": "u2", "traits": {"email": "bob@beta.io"}},
                    {
                        "type": "identify",
                        "userId": "u3",
                        "traits": {"email": "x@gmail.com", "company": {"id": "g1"}},
                    },
                    {"type": "track", "userId": "u3", "event": "Login"},
                ]
            ),
            "users.csv": "id,email,company_id\nu2,bob@beta.io,\nu3,x@gmail.com,g1\n",
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [("product", "u2", shapes.mail_id("bob@beta.io")), ("product", "u3", "g1")],
    ),
    "segment group": Case(
        "segment/group",
        {
            "calls.jsonl": shapes.lines(
                [
                    {"type": "group", "groupId": "g1", "traits": {"name": "Acme", "crm_id": "a1"}},
                    {"type": "group", "groupId": "g2", "traits": {"website": "https://www.beta.io"}},
                ]
            ),
            "groups.csv": "id,name,crm_id,website\ng1,Acme,a1,\ng2,,,beta.io\n",
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [("product", "g1", "a1"), ("product", "g2", "beta.io")],
    ),
    "salesforce account": Case(
        "salesforce/account",
        {
            "api.json": shapes.pages([{"attributes": {"type": "Account"}, **SF_ACCOUNT}], "records"),
            "loader.csv": shapes.table([{name.upper(): value for name, value in SF_ACCOUNT.items()}]),
            "fivetran.csv": "id,name,website,owner_id,type,created_date,system_modstamp,is_deleted,"
            "master_record_id\n"
            "0015500000Xyy06AAB,Acme,acme.com,0051G00000600MlQAI,Customer,"
            "2025-01-02 03:04:05,2026-03-01,false,\n",
            "report.csv": '"Account ID","Account Name","Website","Owner ID","Type","Created Date",'
            '"Last Modified Date"\n'
            '"0015500000Xyy06","Acme","acme.com","0051G00000600Ml","Customer","2025-01-02","2026-03-01"\n',
        },
        "crm_accounts",
        "account_id, name, domain, owner_id, lifecycle_stage, created_at::date::varchar, "
        "updated_at::date::varchar",
        [
            (
                "0015500000Xyy06AAB",
                "Acme",
                "acme.com",
                "0051G00000600MlQAI",
                "Customer",
                "2025-01-02",
                "2026-03-01",
            )
        ],
    ),
    "salesforce ids and merged accounts": Case(
        "salesforce/account",
        {
            "api.json": shapes.pages(
                [
                    SF_ACCOUNT,
                    {
                        **SF_ACCOUNT,
                        "Id": "0015500000Ygpq1AAB",
                        "IsDeleted": True,
                        "MasterRecordId": "0015500000Xyy06AAB",
                    },
                ],
                "records",
            ),
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [
            ("crm", "0015500000Xyy06", "0015500000Xyy06AAB"),
            ("crm", "0015500000Ygpq1AAB", "0015500000Xyy06AAB"),
        ],
    ),
    "salesforce contact": Case(
        "salesforce/contact",
        {
            "api.json": shapes.pages(
                [
                    {
                        "Id": "0031G00000abcdEQAQ",
                        "AccountId": "0015500000Xyy06AAB",
                        "Email": "ann@acme.com",
                        "Name": "Ann Ace",
                        "Role__c": "Executive Sponsor",
                        "HasOptedOutOfEmail": False,
                        "CreatedDate": "2025-01-02T00:00:00.000+0000",
                    },
                    {"Id": "0031G00000abcdFQAQ", "AccountId": None, "Email": "x@x.io"},
                ],
                "records",
            ),
            "report.csv": "Contact ID,Account ID,Email,Full Name,Role__c,Created Date\n"
            "0031G00000abcdE,0015500000Xyy06,ann@acme.com,Ann Ace,sponsor,2025-01-02\n",
        },
        "crm_contacts",
        "left(contact_id, 15), account_id, email, full_name, role",
        [("0031G00000abcdE", "0015500000Xyy06AAB", "ann@acme.com", "Ann Ace", "sponsor")],
    ),
    "salesforce user": Case(
        "salesforce/user",
        {
            "api.json": shapes.pages(
                [
                    {
                        "Id": "0051G00000600MlQAI",
                        "Name": "Olga",
                        "Email": "o@us.io",
                        "IsActive": True,
                        "SystemModstamp": "2026-03-01T00:00:00.000+0000",
                    }
                ],
                "records",
            ),
            "fivetran.csv": "id,name,email,is_active,system_modstamp\n"
            "0051G00000600MlQAI,Olga,o@us.io,true,2026-03-01\n",
        },
        "crm_owners",
        "owner_id, name, email, is_active, updated_at::date::varchar",
        [("0051G00000600MlQAI", "Olga", "o@us.io", True, "2026-03-01")],
    ),
    "salesforce task": Case(
        "salesforce/task",
        {
            "api.json": shapes.pages(
                [
                    {
                        "Id": f"00T1G0000000{n}aaQAA",
                        "AccountId": "0015500000Xyy06AAB",
                        "WhoId": "0031G00000abcdEQAQ",
                        "IsClosed": True,
                        "ActivityDate": "2026-02-01",
                        **more,
                    }
                    for n, more in enumerate(
                        [
                            {"TaskSubtype": "Call", "CallType": "Inbound"},
                            {"TaskSubtype": "Email", "Subject": "Email: << Re: offer"},
                            {"TaskSubtype": "ListEmail"},
                            {"TaskSubtype": "Task", "Subject": "Call Ann"},
                            {"TaskSubtype": "Task", "Subject": "Send invoice"},
                            {"TaskSubtype": "Call", "IsClosed": False},
                        ]
                    )
                ],
                "records",
            ),
        },
        "crm_touchpoints",
        "touchpoint_id[13:13], channel, direction, is_automated",
        [
            ("0", "call", "inbound", False),
            ("1", "email", "inbound", False),
            ("2", "email", "outbound", True),
            ("3", "call", "outbound", False),
        ],
    ),
    "salesforce event": Case(
        "salesforce/event",
        {
            "api.json": shapes.pages(
                [
                    {
                        "Id": "00U1G00000abcdEUAQ",
                        "AccountId": "0015500000Xyy06AAB",
                        "StartDateTime": "2026-02-01T10:00:00.000Z",
                        "IsChild": False,
                    },
                    {
                        "Id": "00U1G00000abcdFUAQ",
                        "AccountId": "0015500000Xyy06AAB",
                        "StartDateTime": "2026-02-01T10:00:00.000Z",
                        "IsChild": True,
                    },
                ],
                "records",
            ),
        },
        "crm_touchpoints",
        "channel, account_id, occurred_at::varchar",
        [("meeting", "0015500000Xyy06AAB", "2026-02-01 10:00:00")],
    ),
    "salesforce case": Case(
        "salesforce/case",
        {
            "api.json": shapes.pages(
                [
                    {
                        "Id": "5001G00000abcdEQAQ",
                        "AccountId": "0015500000Xyy06AAB",
                        "Status": "Escalated",
                        "Priority": "Critical",
                        "IsClosed": False,
                        "Subject": "Help",
                        "CreatedDate": "2026-02-01T10:00:00.000+0000",
                        "SystemModstamp": "2026-02-02T10:00:00.000+0000",
                    }
                ],
                "records",
            ),
            "fivetran.csv": "id,account_id,status,priority,is_closed,subject,created_date,system_modstamp\n"
            "5001G00000abcdEQAQ,0015500000Xyy06AAB,Escalated,Critical,false,Help,"
            "2026-02-01 10:00:00,2026-02-02 10:00:00\n",
        },
        "support_tickets",
        TICKET_COLUMNS,
        [
            (
                "5001G00000abcdEQAQ",
                "0015500000Xyy06AAB",
                "escalated",
                "urgent",
                "Help",
                "2026-02-01 10:00:00",
                "2026-02-02 10:00:00",
            )
        ],
    ),
    "intercom conversations": Case(
        "intercom/conversations",
        {
            "api.json": json.dumps(
                {"type": "conversation.list", "conversations": [CONVERSATION], "pages": {}}
            ),
            "airbyte.jsonl": shapes.airbyte_lines([CONVERSATION]),
        },
        "support_tickets",
        "ticket_id, account_id, status, priority, resolved_at::varchar",
        [("c1", "u9", "closed", "high", "2026-03-01 01:00:00")],
    ),
    "intercom ratings": Case(
        "intercom/conversations",
        {"api.json": json.dumps({"type": "conversation.list", "conversations": [CONVERSATION]})},
        "feedback_surveys",
        "response_id, account_id, kind, score::int, comment",
        [("c1", "u9", "csat", 4, "Good")],
    ),
    "intercom contacts": Case(
        "intercom/contacts",
        {
            "api.json": shapes.pages(
                [
                    {"id": "u9", "email": "x@gmail.com", "companies": {"data": [{"id": "k1"}]}},
                    {"id": "u8", "email": "bob@beta.io", "companies": {"data": []}},
                ]
            )
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [("support", "u8", shapes.mail_id("bob@beta.io")), ("support", "u9", "k1")],
    ),
    "intercom companies": Case(
        "intercom/companies",
        {
            "api.json": shapes.pages([{"id": "k1", "company_id": "a1"}]),
            "fivetran.csv": "id,company_id,website\nk1,a1,\n",
        },
        "crm_identities",
        "source, source_account_id, account_id",
        [("support", "k1", "a1")],
    ),
    "chargebee subscriptions": Case(
        "chargebee/subscriptions",
        {
            "api.json": json.dumps({"list": [CHARGEBEE], "next_offset": "x"}),
            "event.jsonl": shapes.lines([{"id": "ev", "occurred_at": 1772323200, "content": CHARGEBEE}]),
            "table.csv": shapes.table(
                [
                    {
                        **CHARGEBEE["subscription"],
                        "subscription_items": json.dumps(CHARGEBEE["subscription"]["subscription_items"]),
                    }
                ]
            ),
        },
        "billing_subscriptions",
        "subscription_id, account_id, plan_id, status, seats, mrr_usd::double, cancel_at_period_end, "
        "canceled_at",
        [("s1", "c1", "pro-USD-Yearly", "active", 5, 123.45, True, None)],
    ),
    "chargebee customers": Case(
        "chargebee/customers",
        {"api.json": json.dumps({"list": [{"customer": CHARGEBEE["customer"]}]})},
        "crm_identities",
        "source, source_account_id, account_id",
        [("billing", "c1", "a1")],
    ),
    "chargebee invoices": Case(
        "chargebee/invoices",
        {
            "api.json": json.dumps(
                {
                    "list": [
                        {
                            "invoice": {
                                "id": "i1",
                                "customer_id": "c1",
                                "subscription_id": "s1",
                                "status": "payment_due",
                                "total": 5000,
                                "currency_code": "USD",
                                "date": 1772323200,
                                "due_date": 1772409600,
                                "updated_at": 1772323200,
                            }
                        }
                    ]
                }
            )
        },
        "billing_invoices",
        "invoice_id, account_id, amount_usd::double, status, due_at::varchar",
        [("i1", "c1", 50.0, "open", "2026-03-02 00:00:00")],
    ),
    "chargebee transactions": Case(
        "chargebee/transactions",
        {
            "api.json": json.dumps(
                {
                    "list": [
                        {
                            "transaction": {
                                "id": f"t{number}",
                                "customer_id": "c1",
                                "type": kind,
                                "status": status,
                                "amount": 5000,
                                "currency_code": "USD",
                                "date": 1772323200,
                                "linked_invoices": [{"invoice_id": "i1"}],
                            }
                        }
                        for number, (kind, status) in enumerate(
                            [
                                ("payment", "success"),
                                ("payment", "failure"),
                                ("refund", "success"),
                                ("payment", "voided"),
                            ]
                        )
                    ]
                }
            )
        },
        "billing_payments",
        "payment_id, invoice_id, status, amount_usd::double",
        [("t0", "i1", "succeeded", 50.0), ("t1", "i1", "failed", 50.0)],
    ),
    "keap companies": Case(
        "keap/companies",
        {
            "api.json": shapes.pages(
                [
                    {
                        "id": "3",
                        "company_name": "Acme",
                        "website": "https://www.acme.com",
                        "owner_id": "7",
                        "address": {"country_code": "USA"},
                        "create_time": "2025-01-02T03:04:05Z",
                        "update_time": "2026-03-01T00:00:00Z",
                    }
                ],
                "companies",
            ),
            "export.csv": "Id,Company,Website,Owner Id,Country,Date Created,Last Updated\n"
            "3,Acme,www.acme.com,7,USA,2025-01-02 03:04,2026-03-01 00:00\n",
        },
        "crm_accounts",
        "account_id, name, domain, owner_id, country, updated_at::date::varchar",
        [("3", "Acme", "acme.com", "7", "USA", "2026-03-01")],
    ),
    "keap contacts": Case(
        "keap/contacts",
        KEAP_CONTACTS,
        "crm_contacts",
        "contact_id, account_id, email, full_name",
        [("5", "3", "ann@acme.com", "Ann Lee")],
    ),
    "keap contacts as payers": Case(
        "keap/contacts",
        KEAP_CONTACTS,
        "crm_identities",
        "source, source_account_id, account_id",
        [("billing", "5", "3"), ("billing", "6", shapes.mail_id("bob@b.example"))],
    ),
    "keap orders": Case(
        "keap/orders",
        {
            "v2.json": shapes.pages(
                [
                    {
                        "id": str(number),
                        "status": status,
                        "contact": {"id": "5", "email": "ann@acme.com"},
                        "total": {"amount": 120.5, "currency_code": "USD"},
                        "total_paid": {"amount": paid, "currency_code": "USD"},
                        "order_time": "2026-01-02T00:00:00Z",
                        "modification_time": "2026-01-05T00:00:00Z",
                    }
                    for number, (status, paid) in enumerate(
                        [("DRAFT", 0), ("SENT", 20), ("VIEWED", 120.5), ("PAID", 120.5)]
                    )
                ],
                "orders",
            ),
        },
        "billing_invoices",
        "invoice_id, account_id, amount_usd::double, status, paid_at::date::varchar",
        [
            ("0", "5", 120.5, "draft", None),
            ("1", "5", 120.5, "open", None),
            ("2", "5", 120.5, "paid", "2026-01-05"),
            ("3", "5", 120.5, "paid", "2026-01-05"),
        ],
    ),
    "keap transactions": Case(
        "keap/transactions",
        {
            "v1.json": shapes.pages(
                [
                    {
                        "id": number,
                        "contact_id": 5,
                        "status": status,
                        "type": kind,
                        "amount": 20.5,
                        "currency": "USD",
                        "errors": None,
                        "order_ids": "17,18",
                        "test": False,
                        "transaction_date": "2026-01-02T00:00:00.000+0000",
                    }
                    for number, (status, kind) in enumerate(
                        [("Approved", "Sale"), ("DECLINED", "Sale"), ("Approved", "Refund")]
                    )
                ],
                "transactions",
            ),
        },
        "billing_payments",
        "payment_id, invoice_id, status, amount_usd::double",
        [("0", "17", "succeeded", 20.5), ("1", "17", "failed", 20.5), ("2", "17", "refunded", 20.5)],
    ),
    "pipedrive organizations": Case(
        "pipedrive/organizations",
        {
            "v1.json": json.dumps(
                {
                    "success": True,
                    "data": [
                        {
                            "id": 3,
                            "name": "Acme",
                            "owner_id": {"id": 7, "name": "Olga", "value": 7},
                            "add_time": "2025-01-02 03:04:05",
                            "update_time": "2026-03-01 00:00:00",
                            "active_flag": True,
                        }
                    ],
                }
            ),
            "v2.json": json.dumps(
                {
                    "success": True,
                    "data": [
                        {
                            "id": 3,
                            "name": "Acme",
                            "owner_id": 7,
                            "add_time": "2025-01-02T03:04:05Z",
                            "update_time": "2026-03-01T00:00:00Z",
                            "is_deleted": False,
                        }
                    ],
                }
            ),
        },
        "crm_accounts",
        "account_id, name, owner_id, is_deleted, updated_at::date::varchar",
        [("3", "Acme", "7", False, "2026-03-01")],
    ),
    "pipedrive persons": Case(
        "pipedrive/persons",
        {
            "v1.json": json.dumps(
                {
                    "data": [
                        {
                            "id": 5,
                            "name": "Ann",
                            "org_id": {"name": "Acme", "value": 3},
                            "email": [{"value": "ann@acme.com", "primary": True}],
                            "active_flag": True,
                        }
                    ]
                }
            ),
            "v2.json": json.dumps(
                {
                    "data": [
                        {
                            "id": 5,
                            "name": "Ann",
                            "org_id": 3,
                            "emails": [{"value": "ann@acme.com", "primary": True}],
                        }
                    ]
                }
            ),
        },
        "crm_contacts",
        "contact_id, account_id, email, full_name, is_active",
        [("5", "3", "ann@acme.com", "Ann", True)],
    ),
    "pipedrive activities": Case(
        "pipedrive/activities",
        {
            "v1.json": json.dumps(
                {
                    "data": [
                        {
                            "id": 1,
                            "org_id": 3,
                            "person_id": 5,
                            "user_id": 7,
                            "type": "call",
                            "done": True,
                            "marked_as_done_time": "2026-02-01 10:00:00",
                        },
                        {
                            "id": 2,
                            "org_id": 3,
                            "type": "lunch",
                            "done": True,
                            "due_date": "2026-02-02",
                            "due_time": "12:00",
                        },
                        {"id": 3, "org_id": 3, "type": "task", "done": True, "due_date": "2026-02-02"},
                        {"id": 4, "org_id": 3, "type": "call", "done": False, "due_date": "2026-02-02"},
                    ]
                }
            ),
        },
        "crm_touchpoints",
        "touchpoint_id, account_id, channel, occurred_at::varchar",
        [("1", "3", "call", "2026-02-01 10:00:00"), ("2", "3", "meeting", "2026-02-02 12:00:00")],
    ),
    "pipedrive users": Case(
        "pipedrive/users",
        {
            "v1.json": json.dumps(
                {"data": [{"id": 7, "name": "Olga", "email": "o@us.io", "active_flag": True}]}
            )
        },
        "crm_owners",
        "owner_id, name, email, is_active",
        [("7", "Olga", "o@us.io", True)],
    ),
    "nps answers": Case(
        "survey/nps",
        {
            "delighted.csv": "Response ID,Email,Name,Score,Comment,Created At\n"
            "1,ann@acme.com,Ann,9,Nice,2026-02-01 10:00:00\n",
            "delighted.json": shapes.array(
                [
                    {
                        "id": "1",
                        "person": {"email": "ann@acme.com"},
                        "survey_type": "nps",
                        "score": 9,
                        "comment": "Nice",
                        "created_at": 1769940000,
                    }
                ]
            ),
            "typeform.csv": "#,How likely are you to recommend us to a friend or colleague?,"
            "What is the main reason for your score?,email,Submit Date (UTC)\n"
            "1,9,Nice,ann@acme.com,2026-02-01 10:00:00\n",
        },
        "feedback_surveys",
        "response_id, account_id, kind, score::int, comment, responded_at::varchar",
        [("1", shapes.mail_id("ann@acme.com"), "nps", 9, "Nice", "2026-02-01 10:00:00")],
    ),
}
FILES = [(case, name) for case in CASES for name in CASES[case].files]


@pytest.mark.parametrize(("case", "name"), FILES)
def test_a_vendors_object_becomes_the_same_rows_in_every_shape(inbox: Inbox, case: str, name: str) -> None:
    expected = CASES[case]
    if expected.table != "crm_accounts":
        inbox.put_accounts()
    inbox.put(f"{expected.folder}/{name}", expected.files[name])
    inbox.land()
    found = inbox.all(f"select {expected.columns} from raw.{expected.table} order by all")
    assert found == expected.rows
    assert inbox.rejected() == []


def test_every_object_has_an_example_here_or_among_stripes() -> None:
    objects = {folder for folder in load_adapters() if not folder.startswith("stripe/")}
    assert {case.folder for case in CASES.values()} == objects
