"""Forms and addresses with anything in them: an answer, and never a status of 500."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.panel.conftest import ClientAs

pytestmark = pytest.mark.slow

FIELDS = (
    "kind", "verdict", "bucket", "reason", "until_date", "action_id", "version", "form_token", "as_of_date",
    "back", "name", "password", "next", "q", "owner_id", "undoes",
)  # fmt: skip
PATHS = (
    "/",
    "/approvals",
    "/accounts",
    "/accounts/{}",
    "/portfolio",
    "/quality",
    "/links",
    "/rules",
    "/audit",
    "/sign-in",
)
TEXT = st.one_of(
    st.sampled_from(
        [
            "override",
            "snooze",
            "sign_off",
            "action",
            "call",
            "cover",
            "undo",
            "not_now",
            "agree",
            "watch",
            "2026-12-01",
            "0",
            "9" * 30,
            "-1",
            "/",
            "'",
            "\x00",
        ]
    ),
    st.text(max_size=60),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from(FIELDS), TEXT), keep=st.booleans())
def test_no_form_ends_in_an_error(client_as: ClientAs, fields: dict[str, str], keep: bool) -> None:
    client = client_as("admin")
    page = client.get("/").text
    key = re.findall(r'name="form_key" value="([^"]+)"', page)[0]
    target = unescape(re.findall(r'action="(/accounts/[^"]+/decide)"', page)[0])
    hidden = dict(re.findall(r'name="(form_token|version|as_of_date)" value="([^"]*)"', page))
    for path in (target, "/sign-in"):
        answer = client.post(path, data={"form_key": key, **(hidden if keep else {}), **fields})
        assert answer.status_code < 500


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "/",
            "/approvals",
            "/accounts",
            "/accounts/{}",
            "/portfolio",
            "/quality",
            "/rules",
            "/audit",
            "/sign-in",
        ]
    ),
    part=st.text(max_size=30),
    question=st.dictionaries(
        st.sampled_from(["q", "owner", "from", "to", "kept", "next", "page", "sort", "format", "bucket"]),
        TEXT,
    ),
)
@example(path="/portfolio", part="", question={"page": "0"})
@example(path="/rules", part="", question={"page": "0"})
def test_no_address_ends_in_an_error(
    client_as: ClientAs, path: str, part: str, question: dict[str, str]
) -> None:
    answer = client_as("admin").get(path.format(quote(part, safe="/")), params=question)
    assert answer.status_code < 500
