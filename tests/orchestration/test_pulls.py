"""Vendors that a run pulls before it lands are assets upstream of the feeds that they fill."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.landing import assets as landing
from orchestration.defs.pulls import assets as pulls
from orchestration.pulls import pull_key
from radar.core.errors import UsageError


def upstream(feed: str) -> set[dg.AssetKey]:
    (spec,) = [one for one in landing._specs() if one.key == landing.feed_key(feed)]
    return {dependency.asset_key for dependency in spec.deps}


def test_nothing_is_pulled_unless_it_is_asked_for(place: Path) -> None:
    assert list(pulls.pulls().assets or []) == []
    assert upstream("billing/invoices") == set()


def test_vendors_are_upstream_of_the_feeds_that_they_fill(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_PULL_VENDORS", "stripe, hubspot/companies")
    assert upstream("billing/invoices") == {pull_key("stripe")}
    assert upstream("crm/identities") == {pull_key("stripe"), pull_key("hubspot")}
    assert upstream("crm/contacts") == set()
    graph = pulls.pulls().resolve_asset_graph()
    assert graph.get_all_asset_keys() == {pull_key("stripe"), pull_key("hubspot")}
    for key in graph.get_all_asset_keys():
        assert graph.get(key).owners
        assert not graph.get(dg.AssetCheckKey(key, pulls.CHECK)).blocking


def test_an_unknown_vendor_is_refused_before_anything_runs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_PULL_VENDORS", "strpe")
    with pytest.raises(UsageError, match="no pull called strpe"):
        pulls.pulls()


def test_a_vendor_that_fails_fails_its_check_and_no_step(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_PULL_VENDORS", "stripe/charges")
    monkeypatch.delenv("RADAR_STRIPE_KEY", raising=False)
    result = dg.materialize(list(pulls.pulls().assets or []))
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "RADAR_STRIPE_KEY is not set" in str(check.description)
