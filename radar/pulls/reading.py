"""Asks vendors and databases: the one module that needs dlt, of the extra `pull`.

Belongs here: requests, pages, retries, and what an answer means. What becomes of the records is `pulling`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"  # read when dlt is imported and used
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")  # what it logs may hold what a vendor answered

from dlt.common.exceptions import DltException
from dlt.sources.filesystem import filesystem
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
)
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.sql_database import sql_table
from requests.exceptions import HTTPError, RequestException
from sqlalchemy import DateTime
from sqlalchemy.exc import SQLAlchemyError

from radar.core.errors import RadarError, UsageError
from radar.core.masking import masked
from radar.pulls.definitions import REST, TABLE, Definition, checked_address, filled

ATTEMPTS = 6
BACKOFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 600
"""The longest pause before a request is repeated, also where the vendor's Retry-After asks for more."""
_REFUSED = (401, 403)
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_SHOWN = 200
_AUTH = {"bearer": BearerTokenAuth, "http_basic": HttpBasicAuth, "api_key": APIKeyAuth}


class Interrupted(Exception):  # noqa: N818  what a reader goes on after, not a fault
    """The pages cannot be followed further: a cursor that expired, or a page that comes again and again.

    `at_start`: the first request was refused, so it is not a page but the beginning that has expired.
    """

    def __init__(self, problem: str, *, at_start: bool) -> None:
        super().__init__(problem)
        self.at_start = at_start


class BrokenError(RadarError):
    """The vendor was not reached, or a connection broke."""


class _Requests:
    """The requests of one reading: to the vendor alone, in no circle, not faster than the vendor allows."""

    def __init__(self, definition: Definition, address: str) -> None:
        self._title, self._origin = definition.title, urlsplit(address)[:2]
        self._pause = 1 / definition.requests_per_second
        self._answers: dict[tuple[str | None, str | None, Any], bytes] = {}
        self._last = 0.0
        self.session = Client(
            raise_for_status=False,
            request_max_attempts=ATTEMPTS,
            request_backoff_factor=BACKOFF_SECONDS,
            request_max_retry_delay=LONGEST_WAIT_SECONDS,
        ).session
        self._send = self.session.send
        self.session.send = self._guarded  # type: ignore[method-assign]

    @property
    def is_first(self) -> bool:
        """Whether no more than one request was made."""
        return len(self._answers) <= 1

    def _guarded(self, request: Any, **options: Any) -> Any:
        origin = urlsplit(request.url)[:2]
        if origin != self._origin:
            raise RadarError(
                f"{self._title}: the vendor leads to another host, {'://'.join(origin)}",
                "the key is not sent there; correct the address in the pull's variables",
            )
        time.sleep(max(0.0, self._last + self._pause - time.monotonic()))
        self._last = time.monotonic()
        asked = (request.method, request.url, request.body)
        before = self._answers.setdefault(asked, b"")
        response = self._send(request, **options)
        if not options.get("stream"):
            self._answers[asked] = hashlib.blake2b(response.content).digest()
            if self._answers[asked] == before:
                raise Interrupted("the vendor leads to a page that came before", at_start=False)
        return response


class JSONLinkUntil(JSONLinkPaginator):  # type: ignore[misc]
    """Follows links until the answer says that it is the last: an end may have a link too.

    `end_path`: true at the end; or `more_path`: false at the end.
    """

    def __init__(self, next_url_path: str, end_path: str | None = None, more_path: str | None = None) -> None:
        super().__init__(next_url_path)
        self._path, self._last = end_path or more_path or "", end_path is not None

    def update_state(self, response: Any, data: list[Any] | None = None) -> None:
        """Take the next link from the answer."""
        super().update_state(response, data)
        value = response.json()
        for name in self._path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and bool(value) == self._last:
            self._has_next_page = False


def records(
    definition: Definition, read: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The records of an endpoint, page after page. Raises Interrupted and RadarError."""
    client, endpoint = filled(definition.client, values), filled(read, values)
    requests = _Requests(definition, checked_address(client["base_url"], definition.vendor))
    endpoints = {definition.name: endpoint}
    if "parent" in endpoint:
        endpoints = {"parent": endpoint.pop("parent"), **endpoints}
    resources = [{"name": name, "endpoint": _endpoint(definition, one)} for name, one in endpoints.items()]
    with _explained(definition, requests):
        try:
            *_, resource = rest_api_resources(
                {"client": {**client, "session": requests.session}, "resources": resources}
            )
        except (DltException, ValueError) as error:
            raise UsageError(
                f"dlt does not understand the pull: {_first_line(error)}",
                "its reference is dlt's REST API source; correct the endpoint or the client",
                file=definition.file,
            ) from error
        yield from resource


def _endpoint(definition: Definition, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint, with our own paginator where it asks for it, and a look whether an answer has records."""
    paginator = endpoint.get("paginator")
    if isinstance(paginator, dict) and paginator.get("type") == "json_link_until":
        ends = {name: value for name, value in paginator.items() if name != "type"}
        endpoint = {**endpoint, "paginator": JSONLinkUntil(**ends)}
    name = str(endpoint.get("data_selector", "$")).partition(".")[0]

    def require_records(response: Any, *_: Any, **__: Any) -> None:
        if response.ok and name != "$" and f'"{name}"'.encode() not in response.content:
            raise RadarError(
                f"{definition.title}: an answer of {urlsplit(response.url).path} has no {name}",
                "nothing was written; pull again later, or correct data_selector",
                file=definition.file,
            )

    return {**endpoint, "response_actions": [*endpoint.get("response_actions", ()), require_records]}


def download(definition: Definition, values: Mapping[str, Any], opened: BinaryIO) -> bool:
    """Write an export into the file; False where there is nothing. Raises RadarError."""
    client, export = filled(definition.client, values), filled(definition.read, values)
    requests = _Requests(definition, checked_address(client["base_url"], definition.vendor))
    auth = dict(client.get("auth", {}))
    if auth and auth.get("type") not in _AUTH:
        raise UsageError(
            f"an export knows no auth of type {auth.get('type')}",
            f"write one of {', '.join(_AUTH)}",
            file=definition.file,
        )
    with _explained(definition, requests):
        made = _AUTH[auth.pop("type")](**auth) if auth else None
        asking = RESTClient(client["base_url"], client.get("headers"), made, session=requests.session)
        response = asking.get(export["path"], params=export.get("params"), stream=True)
        if response.status_code in export.get("empty_statuses", ()):
            return False
        response.raise_for_status()
        for chunk in response.iter_content(1 << 20):
            opened.write(chunk)
    return opened.tell() > 0


def require_whole(path: Path, title: str) -> None:
    """Raise RadarError where an export ends in the middle."""
    if path.name.removesuffix(".part").endswith(".zip"):
        with path.open("rb") as opened:
            is_whole = zipfile.is_zipfile(opened) and zipfile.ZipFile(path).testzip() is None
    else:
        with path.open("rb") as opened:
            opened.seek(-1, os.SEEK_END)
            is_whole = opened.read() == b"\n" or _is_json(_last_line(path))
    if not is_whole:
        raise RadarError(f"{title}: what the vendor gave ends in the middle", "pull it again")


@dataclass(frozen=True)
class File:
    """A file of a bucket. `name`: its path there, as one name; `item`: dlt's."""

    name: str
    size: int
    changed_at: str
    item: Any


def files(definition: Definition, values: Mapping[str, str]) -> Iterator[File]:
    """The files of a bucket or folder that fit the pattern. Raises RadarError."""
    read = filled(definition.read, values)
    with _explained(definition, None):
        for item in filesystem(read["bucket_url"], file_glob=read.get("file_glob", "**")):
            name = str(item["relative_path"]).strip("/").replace("/", "__")
            yield File(name, int(item["size_in_bytes"]), str(item["modification_date"]), item)


def copy(definition: Definition, file: File, opened: BinaryIO) -> None:
    """Write a file's content. Raises RadarError where it is not whole."""
    with _explained(definition, None), file.item.open(compression="disable") as source:
        shutil.copyfileobj(source, opened)
    if opened.tell() != file.size:
        raise BrokenError(
            f"{definition.title}: {file.name} has {opened.tell():,} bytes of {file.size:,}", "pull again"
        )


def rows(definition: Definition, since: datetime | str | None, values: Mapping[str, str]) -> Iterator[Any]:
    """The rows of a table, those since then where it has a cursor. Raises RadarError."""
    table, cursor = definition.read, definition.cursor

    def query(select: Any, reflected: Any) -> Any:
        if cursor is None:
            return select
        if cursor.path not in reflected.c:
            raise UsageError(
                f"the table {table['name']} has no column {cursor.path}",
                f"its columns are {', '.join(reflected.c.keys())}",
                file=definition.file,
            )
        column = reflected.c[cursor.path]
        is_time = isinstance(column.type, DateTime)
        if is_time == (cursor.form == "value"):
            kind, form = ("a time", "time") if is_time else ("no time", "value")
            raise UsageError(f"{cursor.path} is {kind}", f"write `as: {form}`", file=definition.file)
        if since is None:
            return select
        value: Any = since
        if isinstance(since, datetime):
            value = since if column.type.timezone else since.astimezone(UTC).replace(tzinfo=None)
        elif column.type.python_type in (int, float):
            value = column.type.python_type(since)
        return select.where(column >= value)

    with _explained(definition, None):
        yield from sql_table(
            credentials=values[table["connection_env"]],
            table=table["name"],
            schema=table.get("schema"),
            query_adapter_callback=query,
            chunk_size=10_000,
        )


@contextmanager
def _explained(definition: Definition, requests: _Requests | None) -> Iterator[None]:
    """Errors as what they mean here; nothing that repeats a key or a record."""
    try:
        yield
    except (RequestException, DltException, SQLAlchemyError, OSError, RadarError, Interrupted) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise  # of the extracts folder
        causes = list(_causes(error))
        for known in (Interrupted, RadarError):
            found = next((one for one in causes if isinstance(one, known)), None)
            if found is not None:
                raise found from None
        answer = next((one for one in causes if isinstance(one, HTTPError)), None)
        if answer is not None and answer.response is not None and requests is not None:
            raise _refusal(definition, answer.response, is_first=requests.is_first) from None
        raise _failure(definition, causes[-1]) from None


def _refusal(definition: Definition, response: Any, *, is_first: bool) -> Exception:
    status, path = response.status_code, urlsplit(response.url).path
    answered = masked(" ".join(response.text.split()))[:_SHOWN] or "nothing more"
    if status in definition.expired_statuses and definition.kind == REST:
        return Interrupted(f"{path} answers {status}: {answered}", at_start=is_first)
    if status in _REFUSED:
        required = [one for one in definition.variables if one.default is None]
        names = ", ".join(one.name for one in required)
        return RadarError(
            f"{definition.title}: the vendor refuses what {names} has: {path} answers {status}",
            "; ".join(f"{one.name}: {one.where}" for one in required) or answered,
        )
    problem = f"{definition.title}: {path} answers {status}: {answered}"
    if status == 429 or status >= 500:
        return RadarError(problem, "the vendor has no time or is broken: pull again later")
    return RadarError(problem, f"correct {definition.file.name}, or the variables of {definition.vendor}")


def _failure(definition: Definition, cause: BaseException) -> RadarError:
    if definition.kind == TABLE:
        return RadarError(
            f"{definition.title}: the table cannot be read ({type(cause).__name__})",
            "look whether the database runs, the user may read the table, and its driver is installed",
        )
    if isinstance(cause, RequestException | OSError | HTTPException):
        problem = f"{definition.title}: the vendor is not reached, or the connection broke"
        return BrokenError(
            f"{problem} ({type(cause).__name__})", "look at the network, then pull again: nothing was written"
        )
    return RadarError(
        f"{definition.title}: {_first_line(cause)}", "pull again; what it means is in dlt's documentation"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _first_line(error: BaseException) -> str:
    """How a message of dlt's begins. It may go on with the answer, which is the customers' and not shown."""
    begin = re.split(r"[{\[]", str(error).strip().partition("\n")[0])[0]
    return masked(begin)[:_SHOWN].rstrip(" ,.:`") or type(error).__name__


def _last_line(path: Path) -> bytes:
    with path.open("rb") as opened:
        opened.seek(0, os.SEEK_END)
        opened.seek(max(0, opened.tell() - (1 << 20)))
        return opened.read().rstrip(b"\n").rpartition(b"\n")[2]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
