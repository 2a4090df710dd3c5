"""What identifies a person or opens a door is taken out of what people write; ids and dates stay."""

from __future__ import annotations

import pytest

from radar.core.masking import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask jo.doe@acme.test today", "ask (e-mail) today"),
        ("call +49 (0)30 1234567 first", "call (phone) first"),
        ("call +4930123456789", "call (phone)"),
        ("0049 30 1234567", "(phone)"),
        ("her desk is 030 1234567.", "her desk is (phone)."),
        ("06 12 34 56 78", "(phone)"),
        ("(555) 123-4567, 555-123-4567, 1.555.123.4567", "(phone), (phone), (phone)"),
        ("tel: 5551234567", "tel: (phone)"),
        ("card 4111 1111 1111 1111 was refused", "card (card) was refused"),
        ("card 4111-1111-1111-1111", "card (card)"),
        ("card 4111111111111111", "card (card)"),
        ("3782 822463 10005", "(card)"),
        ("ssn 078-05-1120", "ssn (ssn)"),
        ("pays from DE89 3704 0044 0532 0130 00", "pays from (iban)"),
        ("pays from GB82WEST12345698765432.", "pays from (iban)."),
        ("key sk_live_51Habc123", "key ***"),
        ("xoxb-12-34-abc and ghp_0123456789abcdefABCDEF", "*** and ***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("the agent has radar_mcp_k3yOf-43_letters", "the agent has ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1", "***"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("password=hunter2&x=1", "password=***&x=1"),
        ("API key: 0123abcd", "API key: ***"),
        ("https://user:secret@host/path", "https://***@host/path"),
        ("see https://hooks.slack.com/services/T0/B0/abc", "see ***"),
    ],
)
def test_what_identifies_a_person_or_opens_a_door_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "renews on 2026-06-30, was 01/02/2026 10:30 and 30.06.2026",
        "2026-06-30T10:20:30.123456Z",
        "acc-000016 and inv_2026_000123, ticket 48213",
        "1,234,567.89 USD or 1 234 567",
        "order 1234567890123456, run 0123456789",
        "an id that passes the check: 1234567890123452",
        "4111 1111 1111 1112 is no card",
        "No login for 39 days (limit 14) (-20 points)",
        "DE12 is a postal region",
        "9f3c2b1a-58fe-4828-5a16-45d5a4439cda",
        "version 1.2.3, 10.0.0.127:8080",
        "hubspot_companies/2026-06-30_58fe4828-5a16-45d5-a443-9cdafac277ce",
    ],
)
def test_ids_dates_and_amounts_stay(text: str) -> None:
    assert masked(text) == text
