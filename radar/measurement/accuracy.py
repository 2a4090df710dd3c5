"""docs/accuracy.md: how right the scores were on companies that everybody can run again, limits first.

`make accuracy` runs the companies and calls this. Belongs here: what the page has of each. Does not belong
here: any figure; those are the backtest's. The limits are in `accuracy.md` next to this file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radar.core.state_files import replace_file
from radar.measurement.backtest import Backtest, Question, backtest, rule_sets
from radar.measurement.report import interval, main_horizon, number, percent, sections, sentences
from radar.publishing.file_set import COPY_NAME

SHOWN = ("rpt_backtest_capacity", "rpt_backtest_rates", "rpt_backtest_lead_times", "rpt_backtest_calibration")

HEAD = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
COMPANIES = {
    "demo": (
        "The demo company",
        "`radar demo` with its usual customers and a longer history, scored every day of its last year.",
    ),
    "saasguard": (
        "SaaSGuard",
        "600 customers of a public simulation (MIT licence) in the layout of our feeds, scored every day of "
        "their last year with the shipped seeds.",
    ),
}
MISSING = "Its data was not there when this page was written, so nothing is said of it.\n"


@dataclass(frozen=True)
class Company:
    """A company and the backtests of its rule sets; the first is that of the scores as they were recorded."""

    name: str
    backtests: Mapping[str, Backtest]


def page(companies: Sequence[Company]) -> str:
    """The page as Markdown: the same text for the same figures."""
    found = {company.name: company for company in companies}
    parts = [HEAD]
    for name, (title, intro) in COMPANIES.items():
        parts += [f"## {title}\n", f"{intro}\n"]
        parts += [*_company(found[name])] if name in found else [MISSING]
    return "\n".join(parts)


def _company(company: Company) -> Iterator[str]:
    recorded = next(iter(company.backtests.values()))
    for sentence in sentences(recorded):
        yield f"{sentence}\n"
    days = main_horizon(recorded.figures)
    yield f"Rule sets, churn within {days} days, accounts at risk:\n"
    yield _table(
        (
            *("rule set", "observations", "accounts that left", "base rate", "95 %", "auc", "95 %"),
            *("flagged", "right", "95 %", "of churners found", "lift", "95 %"),
        ),
        [_rule_set(name, done, days) for name, done in company.backtests.items()],
    )
    wanted = [section for section in sections(recorded) if section.mart in SHOWN]
    for section in wanted:
        yield f"### {section.title}\n"
        for sentence in section.sentences:
            yield f"{sentence}\n"
        yield _table(section.header, section.rows)


def _rule_set(name: str, done: Backtest, days: str) -> tuple[str, ...]:
    horizon = done.figures["horizons"][days]
    flagged = horizon["at_risk"]
    return (
        *(name, f"{horizon['n']:,}", f"{horizon['events']:,}"),
        *(percent(horizon["base_rate"]), interval(horizon["base_ci"])),
        *(number(horizon["auc"]), interval(horizon["auc_ci"], as_percent=False)),
        *(percent(flagged["share"]), percent(flagged["precision"]), interval(flagged["precision_ci"])),
        *(
            percent(flagged["recall"]),
            number(flagged["lift"]),
            interval(flagged["lift_ci"], as_percent=False),
        ),
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def measure(name: str, published_db: Path) -> Company:
    """The backtest of the recorded scores, and of each other rule set that scores."""
    recorded = backtest(published_db, Question())
    others = [one for one in rule_sets(published_db) if one != recorded.figures["rule_set"]]
    return Company(
        name,
        {
            str(recorded.figures["rule_set"]): recorded,
            **{one: backtest(published_db, Question(rule_set=one)) for one in others},
        },
    )


def main(folder: Path, file: Path) -> None:
    """Write the page of the companies whose published copies are in `folder`, each under its name."""
    there = {name: folder / name / "published" / COPY_NAME for name in COMPANIES}
    made = [measure(name, copy) for name, copy in there.items() if copy.exists()]
    replace_file(file, page(made))
    missing = [name for name, copy in there.items() if not copy.exists()]
    print(f"{file}: {', '.join(company.name for company in made) or 'no company'}")
    if missing:
        print(f"Without {', '.join(missing)}: the page says so.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
