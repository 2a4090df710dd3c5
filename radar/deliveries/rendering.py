"""Templates of messages, rendered in a sandbox: what a person edits can do no more than write text.

A template is found in the folder of `RADAR_TEMPLATES` first and then among those that ship, file by file.
Every value that comes out of data is escaped for where it goes and kept on one line; a name that a template
misspells is an error, never an empty place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from radar.core.dates import as_date, as_datetime, day, moment
from radar.core.errors import InputError
from radar.core.plural import counted
from radar.core.project import PROJECT

SHIPPED = PROJECT / "exports" / "templates"
ENGLISH = "en"
"""The language of the templates that are in no folder of a language."""
BARS = "▁▂▃▄▅▆▇█"
BUCKETS = {"healthy": "healthy", "watch": "on watch", "at_risk": "at risk"}
MOST_IN_BLOCK, MOST_BLOCKS = 2_900, 48
"""Slack takes 3,000 characters a block and 50 blocks a message; room is left for what is cut."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Controls of a terminal, line ends, and marks that turn the direction of what follows them."""
_INERT = re.compile(
    r"([*_~`])"  # bold, italic, struck, code
    r"|(:(?=[\w+'-]+:))"  # :emoji:
    r"|((?<=[A-Za-z]):(?=//))"  # http://
    r"|((?<=\w)[.](?=[A-Za-z]{2}))"  # www.example.com
    r"|((?<=\w)@(?=\w))"  # a mail address
    r"|(@(?=channel|here|everyone))"
)


class MissingValueError(InputError):
    """A template writes a value that is not known; the problem names it."""


class Missing(Undefined):
    """In place of a value that is not known: false in a condition, and an error where it would be written."""


def _known_line(value: object) -> str:
    if isinstance(value, Missing):
        raise MissingValueError(
            f"the template needs {value._undefined_name}, which is not known",
            "add the value at its source, or let the template go without it",
        )
    return "" if value is None else one_line(value)


class _Finished(str):
    """Text that is escaped already."""

    __slots__ = ()


def one_line(value: object) -> str:
    """A value as one line without control characters, so that no name can begin a new paragraph or header."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(_CONTROLS.sub(" ", text).split())


def shortened(text: str, most: int) -> str:
    """At most so many characters, cut after a word with … in place of the rest."""
    if len(text) <= most:
        return text
    return re.sub(r"\s+\S*$", "", text[: most - 1]) + "…"


def slack_escaped(value: object) -> str:
    """For Slack's mrkdwn: no mention, link or formatting comes out of data."""
    if value is None:
        return ""
    if isinstance(value, _Finished):
        return value
    text = one_line(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # a zero-width space keeps Slack from making of these what nobody wrote in a template
    return _INERT.sub("\u200b\\g<0>\u200b", text)


def is_slack_id(user_id: str | None) -> bool:
    """Whether Slack may know somebody by this id."""
    return re.fullmatch(r"[A-Z0-9]+", user_id or "") is not None


def slack_mention(user_id: str | None, name: str | None) -> str:
    """A mention of one of our own people; the name where Slack does not know the person, if there is one."""
    if is_slack_id(user_id):
        return _Finished(f"<@{user_id}>")
    return name or "no owner"


def sparkline(values: Sequence[float | None]) -> str:
    """Numbers as bars, oldest first: characters, which every mail client shows and no image blocker hides."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    top = max(known)
    return "".join(
        " " if value is None else BARS[round((len(BARS) - 1) * value / top) if top > 0 else 0]
        for value in values
    )


class Templates:
    """The templates of one installation."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: files that replace the shipped ones of the same name."""
        self._folders = [path for path in (folder, SHIPPED) if path is not None]
        self._slack = self._environment(finalize=slack_escaped)
        self._slack.filters |= {"link": _slack_link, "moment": _slack_moment}
        self._text = self._environment(finalize=_known_line)
        self._html = self._environment(autoescape=True)
        self._html.filters["linked"] = _linked
        self._checked: set[str] = set()

    def _environment(self, **options: Any) -> ImmutableSandboxedEnvironment:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            **options,
        )
        environment.filters |= {
            "bucket": _bucket, "known": _known, "sparkline": sparkline, "day": _day, "moment": moment,
            "counted": _counted, "number": _number, "sentence": sentence,
        }  # fmt: skip
        return environment

    def slack(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """A message of blocks: each paragraph of the template a section, `---` a divider, and a plain `text`.

        Raises InputError for a template that is broken or asks for what is not there.
        """
        paragraphs = _paragraphs(self._render(self._slack, name, values))
        blocks: list[dict[str, Any]] = [
            {"type": "divider"}
            if paragraph == "---"
            else {"type": "section", "text": {"type": "mrkdwn", "text": _cut(paragraph, MOST_IN_BLOCK)}}
            for paragraph in paragraphs[:MOST_BLOCKS]
        ]
        return {"text": _cut(paragraphs[0] if paragraphs else name, MOST_IN_BLOCK), "blocks": blocks}

    def text(self, name: str, values: Mapping[str, Any]) -> tuple[str, str]:
        """Subject and body.

        The template's first line and, after an empty one, the rest. Raises InputError.
        """
        subject, _, body = self._render(self._text, name, values).strip().partition("\n")
        return subject.strip(), _tidy(body)

    def html(self, name: str, values: Mapping[str, Any]) -> str:
        """HTML; what comes out of data is escaped. Raises InputError."""
        return self._render(self._html, name, values)

    def first(self, names: Iterable[str]) -> str:
        """The first of these templates that there is; the last of the names where there is none."""
        name = ""
        for name in names:
            if self._file(name) is not None:
                break
        return name

    def _file(self, name: str) -> Path | None:
        return next((folder / name for folder in self._folders if (folder / name).is_file()), None)

    def _render(
        self, environment: ImmutableSandboxedEnvironment, name: str, values: Mapping[str, Any]
    ) -> str:
        try:
            self._check_names(environment, name, values)
            return environment.get_template(name).render(values)
        except TemplateNotFound as error:
            raise InputError(
                f"there is no template {error.name}", "restore it, or correct its name"
            ) from error
        except TemplateSyntaxError as error:
            raise InputError(
                f"{error.message} (line {error.lineno})", "correct the template", file=self._file(name)
            ) from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, OverflowError) as error:
            raise InputError(
                f"the template cannot be filled in: {error}",
                "use the names of docs/crm.md, and nothing that reaches outside of them",
                file=self._file(name),
            ) from error

    def _check_names(
        self, environment: ImmutableSandboxedEnvironment, name: str, values: Mapping[str, Any]
    ) -> None:
        """Raise InputError where a template names what it is not given, in any of its branches."""
        file = self._file(name)
        if file is None or name in self._checked:
            return
        tree = environment.parse(file.read_text(encoding="utf-8"))
        unknown = meta.find_undeclared_variables(tree) - values.keys() - environment.globals.keys()
        for node in tree.find_all(nodes.Name):
            if node.name in unknown:
                near = ", ".join(get_close_matches(node.name, values, n=3)) or ", ".join(sorted(values))
                raise InputError(
                    f"there is no value {node.name} (line {node.lineno})", f"write one of {near}", file=file
                )
        self._checked.add(name)


def _bucket(value: str) -> str:
    return BUCKETS.get(value, value)


def _known(value: object) -> object:
    return "not known" if value is None else value


def sentence(text: object) -> object:
    """With a capital, as a sentence begins."""
    return text if isinstance(text, Undefined) else str(text)[:1].upper() + str(text)[1:]


def _locale(context: Context) -> Locale | None:
    """How the language of a mail writes numbers and days; None for what has no language."""
    language = context.get("language")
    if not isinstance(language, str):
        return None
    try:
        return Locale.parse("en_GB" if language == ENGLISH else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


@pass_context
def _day(context: Context, value: Any) -> Any:
    """`30 Jun 2026`; in a mail in full, as its language writes it."""
    locale = _locale(context)
    if locale is None or value is None or isinstance(value, Undefined):
        return value if isinstance(value, Undefined) else day(value)
    return format_date(as_date(value), "long", locale=locale)


@pass_context
def _number(context: Context, value: Any) -> Any:
    """`1,204`, with the separators of the mail's language."""
    locale = _locale(context)
    return value if locale is None or isinstance(value, Undefined) else format_decimal(value, locale=locale)


@pass_context
def _counted(context: Context, value: Any, one: str, other: str | None = None, **more: str) -> Any:
    """`1 day`, `2 days`; where a language has further forms, by the names of CLDR: `few`, `many`."""
    locale = _locale(context)
    if isinstance(value, Undefined):
        return value
    if locale is None:
        return counted(value, one, other)
    forms = {"one": one, "other": other or f"{one}s", **more}
    form = forms.get(locale.plural_form(value), forms["other"])
    return f"{format_decimal(value, locale=locale)} {form}"


def _linked(line: str, url: object) -> Markup:
    """A line of HTML in which this address is a link; no other address becomes one."""
    text = escape(line)
    if not isinstance(url, str) or not url:
        return text
    shown = escape(url)
    return text.replace(shown, Markup('<a href="{0}">{0}</a>').format(shown))


def _slack_moment(value: datetime | str) -> _Finished:
    """A moment that Slack shows in the zone of who reads it; as text, UTC."""
    at = as_datetime(value).replace(tzinfo=UTC)
    return _Finished(f"<!date^{at.timestamp():.0f}^{{date_short}}, {{time}}|{moment(value)}>")


def _slack_link(text: object, url: str | None) -> _Finished:
    """A link in mrkdwn; the text alone where there is no address."""
    shown = slack_escaped(text)
    if not url:
        return _Finished(shown)
    address, label = re.sub(r"[<>|\s]", "", url), shown.replace("|", "/")
    return _Finished(f"<{address}|{label}>")


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph.strip()]


def _tidy(body: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n"


def is_cut(payload: Mapping[str, Any]) -> bool:
    """Whether a message of blocks may show less than its template wrote."""
    blocks = payload["blocks"]
    return len(blocks) >= MOST_BLOCKS or any(
        len(block["text"]["text"]) >= MOST_IN_BLOCK for block in blocks if "text" in block
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
