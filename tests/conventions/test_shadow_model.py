"""The risk model is a shadow: what acts, and what people work by, does not read it."""

from __future__ import annotations

import re

from radar.core.project import PROJECT

OF_THE_MODEL = re.compile(r"\b(?:risk_model\w*|int_model_readings|rpt_model_\w+)\b")
ACTS = (
    "dbt_project/models/history",
    "dbt_project/models/marts",
    "dbt_project/models/outbound",
    "dbt_project/models/plays",
    "dbt_project/models/scoring",
    "exports",
    "radar/deliveries",
    "radar/exports",
    "radar/panel",
)


def test_nothing_that_acts_reads_the_risk_model() -> None:
    assert OF_THE_MODEL.search("from {{ ref('rpt_model_scores') }}")
    readers = [
        path.relative_to(PROJECT).as_posix()
        for folder in ACTS
        for path in (PROJECT / folder).rglob("*.*")
        if path.suffix in (".sql", ".yml", ".py", ".html", ".md", ".csv")
        and OF_THE_MODEL.search(path.read_text(encoding="utf-8"))
    ]
    assert readers == []
    assert all((PROJECT / folder).is_dir() for folder in ACTS)
