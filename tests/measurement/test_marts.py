"""The marts of a run are what `radar backtest` prints of its copy: both are the same models."""

from __future__ import annotations

import json

from radar.measurement.backtest import Question, backtest
from radar.publishing.file_set import COPY_NAME
from tests.runs.radar_run import Place


def test_the_marts_have_the_figures_of_the_command(demo_run: Place) -> None:
    figures = json.loads(backtest(demo_run.published / COPY_NAME, Question()).json())
    for days, accounts, observations, censored in demo_run.rows(
        "select horizon_days, accounts, observations, censored from marts.rpt_backtest_horizons"
    ):
        shown = figures["horizons"][str(days)]
        assert (shown["accounts"], shown["n"], shown["censored"]) == (accounts, observations, censored)
    assert demo_run.rows("select verdict, observations, grid_days from marts.rpt_backtest") == [
        (figures["verdict"], figures["observations"], figures["grid_days"])
    ]
    assert figures["grid_days"] == figures["scored_days"], "fewer than eight Mondays"
    assert figures["notes"], "eight days are too young to judge"


def test_outcomes_are_there_after_raw_events_are_purged(demo_run: Place) -> None:
    purged, outcomes = demo_run.rows(
        "select (select min(occurred_at)::date from raw.product_events) "
        "> (select min(activity_date) from intermediate.int_user_days), "
        "(select count(*) from marts.fct_outcomes where outcome = 'churn')"
    )[0]
    assert purged
    assert outcomes
