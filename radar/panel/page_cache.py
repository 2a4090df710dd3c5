"""Answers of the copy and rendered parts of pages, kept while that copy is the newest.

Belongs here: what is the same for everybody who may see the same accounts. Does not belong here: anything
with a form key or a name of the user in it, or a decision of today that is not part of what it is kept by.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from radar.panel.published_db import NoDataError, Row
from radar.panel.web import environment, labels_of, page, person_of

MOST_CHARACTERS = 32_000_000
"""Of all parts together, about; the one that was not asked for longest goes first."""

_OF_A_ROW = 500  # characters that a row of an answer counts as

Part = TypeVar("Part", str, list[Row])


class PageCache:
    """Parts by what they depend on. Whoever asks for one that is being made waits for it."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._version = ""
        self._parts: OrderedDict[Hashable, Any] = OrderedDict()
        self._characters = 0
        self._under_way: dict[Hashable, threading.Lock] = {}

    def get(self, version: str, key: Hashable, make: Callable[[], Part]) -> Part:
        """The part that `make` gives, made once for this version of the copy; nobody may change it."""
        whole = (version, key)
        with self._lock:
            part: Part | None = self._find(whole)
            if part is not None:
                return part
            turn = self._under_way.setdefault(whole, threading.Lock())
        with turn:
            with self._lock:
                part = self._find(whole)
                if part is not None:
                    return part
            try:
                part = make()
                with self._lock:
                    self._put(version, whole, part)
            finally:
                with self._lock:
                    self._under_way.pop(whole, None)
        return part

    def _find(self, whole: Hashable) -> Any:
        part = self._parts.get(whole)
        if part is not None:
            self._parts.move_to_end(whole)
        return part

    def _put(self, version: str, whole: Hashable, part: str | list[Row]) -> None:
        if (
            version > self._version
        ):  # sets are numbered: a reader of the old copy does not empty the new one's
            self._version, self._characters = version, 0
            self._parts.clear()
        if version != self._version:
            return
        self._parts[whole] = part
        self._characters += _size(part)
        while self._characters > self._most and self._parts:
            self._characters -= _size(self._parts.popitem(last=False)[1])


def _size(part: str | list[Row]) -> int:
    return len(part) if isinstance(part, str) else _OF_A_ROW * (len(part) + 1)


def cached_page(
    request: Request,
    title: str,
    template: str,
    view: Hashable,
    make: Callable[[], Mapping[str, Any]],
    **around: Any,
) -> Response:
    """The page around a part that is kept for everybody of this scope: see `cached_part`.

    `around` is for the page alone, which is made each time.
    """
    body = cached_part(request, title, template, view, make)
    return page(request, "cached.html", title=title, body=body, **around)


def cached_part(
    request: Request, title: str, template: str, view: Hashable, make: Callable[[], Mapping[str, Any]]
) -> Markup:
    """A part of a page that is kept for everybody of this scope.

    `view` is all of the address that the part depends on, `make` gives what its template needs.
    """
    about = request.state.about
    if about is None:
        raise NoDataError
    page_cache: PageCache = request.app.state.page_cache

    def render() -> str:
        shown = {"about": about, "title": title, "labels": labels_of(request)}
        return environment().get_template(template).render(**shown, **make())

    text = page_cache.get(about.version, (template, person_of(request).scope, view), render)
    return Markup(text)  # noqa: S704  rendered by a template
