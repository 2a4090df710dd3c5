"""What a backtest found, as one page that needs nothing else: tables, and charts as inline SVG."""

from __future__ import annotations

from pathlib import Path

import jinja2

from radar.measurement.backtest import Backtest
from radar.measurement.report import sections, sentences

_TEMPLATE = Path(__file__).with_name("page.html")


def page(done: Backtest) -> str:
    """The page as HTML."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        rule_set=done.figures["rule_set"],
        last=done.figures["last"],
        sentences=sentences(done),
        sections=sections(done),
    )
