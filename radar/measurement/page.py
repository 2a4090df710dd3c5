"""What a backtest found, as one page."""

from __future__ import annotations

from radar.measurement.backtest import Backtest


def page(done: Backtest) -> str:
    return ""
