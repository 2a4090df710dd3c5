"""Checks of the reference data in `seeds/` before anything is built: shape, types, and what refers to what.

Nothing here decides what a rule means. `seed_tables` reads the files; feeds and signals are checked in
`signal_checks`, rules in `rule_checks`, the risk model in `model_checks`, and here whatever else there is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from radar.exports.profiles import profile_names
from radar.rules import model_checks, rule_checks, signal_checks
from radar.rules.seed_tables import BUCKETS, Problem, Tables, numbered, read, shipped_seeds

CUSTOMER_CHANNELS = ("mail_draft", "in_app_guide", "survey")
CURRENCY = re.compile("[A-Z]{3}")
DOMAIN = re.compile(r"(?:[\w-]+[.])+[\w-]+")


def check(seeds: Path) -> list[Problem]:
    """Everything that is wrong with a whole folder of seeds, in the order of files and rows."""
    tables, problems = read(seeds)
    if problems:  # references can only be checked in files that can be read
        return problems
    return [problem for rule in _CROSS_CHECKS for problem in rule(tables)]


def _playbook(tables: Tables) -> Iterator[Problem]:
    flags = {row["flag"] for row in tables["rules"] if row["flag"]}
    for number, row in numbered(tables, "playbook"):
        if row["bucket"] and row["bucket"] not in BUCKETS:
            what, remedy = (
                f"there is no bucket '{row['bucket']}'",
                f"write one of {', '.join(BUCKETS)}, or nothing",
            )
            yield Problem("playbook.csv", number, "bucket", what, remedy)
        if row["flag"] and row["flag"] not in flags:
            what = f"no rule raises the flag '{row['flag']}'"
            yield Problem("playbook.csv", number, "flag", what, "name a flag of rules.csv, or nothing")
        if not row["bucket"] and not row["flag"]:
            yield Problem(
                "playbook.csv", number, "bucket", "the row is for no bucket and no flag", "fill one of them"
            )
        if row["channel"] in CUSTOMER_CHANNELS and row["mode"] == "automatic":
            what = f"{row['channel']} reaches the customer, and nothing goes to a customer by itself"
            yield Problem("playbook.csv", number, "mode", what, "write approve")
        for column in ("within_hours", "cooldown_days"):
            if row[column].startswith("-"):
                yield Problem("playbook.csv", number, column, "the number is below 0", "write 0 or more")
    yield from _holdouts(tables)
    covered = {row["bucket"] for row in tables["playbook"] if not row["flag"]}
    for bucket in BUCKETS:
        if bucket not in covered:
            yield Problem(
                "playbook.csv", None, "bucket", f"no row is for the bucket {bucket}", "add one without a flag"
            )


def _holdouts(tables: Tables) -> Iterator[Problem]:
    """A share, and none of calls to save a customer unless that is forced."""
    settings = {row["setting"]: row["value"] for row in tables["settings"]}
    for number, row in numbered(tables, "playbook"):
        share = int(row["holdout_pct"] or 0)
        if not 0 <= share <= 99:
            what, remedy = f"{share} % leaves nobody to compare with", "write 1 to 99, or nothing"
            yield Problem("playbook.csv", number, "holdout_pct", what, remedy)
        needs_sign_off = int(row["priority"]) <= int(settings["sign_off_priority"])
        if share > 0 and needs_sign_off and settings["holdout_save_calls"] != "1":
            what = f"{row['play']} is a call to save a customer, and its holdout would go without one"
            remedy = "leave the cell empty; the setting holdout_save_calls forces it with 1"
            yield Problem("playbook.csv", number, "holdout_pct", what, remedy)


def _destinations(tables: Tables) -> Iterator[Problem]:

    known = profile_names()
    for number, row in numbered(tables, "destinations"):
        if row["destination"] not in known:
            what, remedy = f"there is no profile '{row['destination']}'", f"write one of {', '.join(known)}"
            yield Problem("destinations.csv", number, "destination", what, remedy)


def _settings(tables: Tables) -> Iterator[Problem]:
    with (shipped_seeds() / "settings.csv").open(encoding="utf-8", newline="") as file:
        needed = {row["setting"] for row in csv.DictReader(file)}
    found = {row["setting"] for row in tables["settings"]}
    for setting in sorted(needed - found):
        yield Problem("settings.csv", None, "setting", f"the setting {setting} has no row", "restore its row")
    for number, row in numbered(tables, "settings"):
        if row["setting"] not in needed:
            yield Problem(
                "settings.csv", number, "setting", f"nothing reads '{row['setting']}'", "correct the name"
            )
        elif int(row["value"]) < 0:
            yield Problem("settings.csv", number, "value", "the number is below 0", "write 0 or more")


def _words(tables: Tables) -> Iterator[Problem]:
    """Words that are compared without case, blanks and hyphens: none may be empty then, or say two things."""
    open_by_word: dict[str, tuple[int, str]] = {}
    for number, row in numbered(tables, "ticket_statuses"):
        word = "".join(c for c in row["status"].lower() if c.isalnum())
        is_open = row["is_open"].lower()
        if not word:
            what = f"'{row['status']}' has no letter or digit"
            yield Problem("ticket_statuses.csv", number, "status", what, "write the status as it comes")
        elif open_by_word.setdefault(word, (number, is_open))[1] != is_open:
            what = f"row {open_by_word[word][0]} says otherwise of the same word"
            yield Problem("ticket_statuses.csv", number, "is_open", what, "keep one of the two rows")
    for number, row in numbered(tables, "not_customers"):
        if not any(c.isalpha() for c in row["lifecycle_stage"]):
            what = f"'{row['lifecycle_stage']}' has no letter"
            yield Problem("not_customers.csv", number, "lifecycle_stage", what, "write the stage in letters")
    for number, row in numbered(tables, "free_mail_domains"):
        if not DOMAIN.fullmatch(row["domain"]) or row["domain"] != row["domain"].lower():
            what = f"'{row['domain']}' is no domain in small letters"
            yield Problem("free_mail_domains.csv", number, "domain", what, "write one such as gmail.com")


def _excluded(tables: Tables) -> Iterator[Problem]:
    """Values that name whom they mean, and not every customer."""
    free_mail = [row["domain"] for row in tables["free_mail_domains"]]
    for number, row in numbered(tables, "excluded"):
        found = _wrong_value(row["kind"], row["value"].strip().lower(), free_mail)
        if found:
            yield Problem("excluded.csv", number, "value", *found)


def _wrong_value(kind: str, value: str, free_mail: list[str]) -> tuple[str, str] | None:
    """What is wrong with a value of excluded.csv, in small letters, and what to do."""
    if kind in ("domain", "email_domain") and not DOMAIN.fullmatch(value):
        return f"'{value}' is no domain", "write a domain such as example.com, without @"
    if kind == "email_domain":
        whose = next((domain for domain in free_mail if f".{domain}".endswith(f".{value}")), None)
        if whose:
            what = f"'{value}' leaves out every customer who has mail at {whose}"
            return what, "name single people with rows of the kind email"
    if kind == "email":
        local, _, domain = value.rpartition("@")
        if not local or re.search(r"[@\s]", local) or not DOMAIN.fullmatch(domain):
            return f"'{value}' is no e-mail address", "write one such as ann@example.com"
    if kind == "bot":
        return _wrong_pattern(value, free_mail)
    return None


def _wrong_pattern(pattern: str, free_mail: list[str]) -> tuple[str, str] | None:
    remedy = "write the part that bots alone have, such as bot-*"
    if not any(c.isalnum() for c in pattern):
        return f"'{pattern}' has no letter or digit, so it leaves out every user", remedy
    fits = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    whose = next((domain for domain in free_mail if fits.fullmatch(f"@{domain}")), None)
    if whose:
        return f"'{pattern}' leaves out every customer whose id is an address at {whose}", remedy
    return None


def _fx_rates(tables: Tables) -> Iterator[Problem]:
    """Rates of other currencies above 0, one for a currency and day."""
    rows: dict[tuple[str, str], int] = {}
    for number, row in numbered(tables, "fx_rates"):
        currency = row["currency"].upper()
        if not CURRENCY.fullmatch(currency) or currency == "XXX":
            what = f"'{row['currency']}' is no currency"
            yield Problem("fx_rates.csv", number, "currency", what, "write its three letters, such as EUR")
        elif currency == "USD":
            what = "amounts in USD need no rate"
            yield Problem("fx_rates.csv", number, "currency", what, "take the row out")
        first = rows.setdefault((currency, row["valid_from"]), number)
        if first != number:
            what = f"row {first} has a rate for {currency} from that day too"
            yield Problem("fx_rates.csv", number, "valid_from", what, "keep one of the two rows")
        if Decimal(row["usd_per_unit"]) <= 0:
            what = f"{row['usd_per_unit']} is not above 0"
            remedy = "write what one unit of the currency is worth in USD, such as 1.08"
            yield Problem("fx_rates.csv", number, "usd_per_unit", what, remedy)


def _families(tables: Tables) -> Iterator[Problem]:
    """Each family is shown by a signal of its own."""
    families = {row["signal"]: row["family"] for row in tables["signals"]}
    for number, row in numbered(tables, "families"):
        if row["signal"] not in families:
            what = f"there is no signal '{row['signal']}'"
            yield Problem("families.csv", number, "signal", what, "name one of signals.csv")
        elif families[row["signal"]] != row["family"]:
            what = f"{row['signal']} is a signal of {families[row['signal']]}"
            yield Problem("families.csv", number, "signal", what, f"name one of the family {row['family']}")


def _links(tables: Tables) -> Iterator[Problem]:
    """Addresses that a browser opens safely, with the id and no other placeholder; one of an object."""
    rows_in_use: dict[str, int] = {}
    for number, row in numbered(tables, "links"):
        pattern, example = row["pattern"], "write one such as https://crm.example.com/companies/{id}"
        unknown = re.search(r"{.*?}|[{}]", pattern.replace("{id}", ""))
        if not re.match(r"https?://[^/{}?#\s]+/", pattern) or re.search(r"[\s\"'<>\\^`|]", pattern):
            yield Problem("links.csv", number, "pattern", f"'{pattern}' is no http or https address", example)
        elif unknown:
            what = f"nothing fills {unknown[0]}"
            yield Problem("links.csv", number, "pattern", what, "the one placeholder is {id}")
        elif "{id}" not in pattern:
            yield Problem("links.csv", number, "pattern", "the address has no {id}", example)
        if row["is_used"].lower() == "true":
            if "YOUR-" in pattern:
                what = "the address still has a part that begins with YOUR-"
                yield Problem("links.csv", number, "pattern", what, "write your own in its place")
            if rows_in_use.setdefault(row["object"], number) != number:
                what = f"row {rows_in_use[row['object']]} is used for {row['object']} too"
                yield Problem("links.csv", number, "is_used", what, "write false in one of the two rows")


_CROSS_CHECKS: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    signal_checks.feed_problems,
    signal_checks.signal_problems,
    signal_checks.event_problems,
    rule_checks.rule_set_problems,
    rule_checks.rule_problems,
    rule_checks.effect_problems,
    rule_checks.condition_problems,
    model_checks.model_problems,
    model_checks.step_problems,
    _playbook,
    _destinations,
    _settings,
    _words,
    _excluded,
    _fx_rates,
    _families,
    _links,
)
