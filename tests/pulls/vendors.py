"""A server that plays vendors' APIs: pages of records that were written from their references, and their faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

Record = dict[str, Any]
Answer = tuple[int, Any]
PAGE = 3
"""Records of a page, whatever is asked for: a vendor may always give fewer."""


@dataclass
class Asked:
    """One request. `query`: every value of each parameter."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Record
    headers: dict[str, str]


@dataclass
class Vendor:
    """Answers by path. `faults`: what the next requests get in place of an answer, None for the answer.

    A fault is `(status, headers)`, or "broken": half of the body, and the connection is closed;
    "stall": nothing for half a minute.
    """

    url: str = ""
    answers: dict[str, Callable[[Asked], Answer]] = field(default_factory=dict)
    faults: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@contextmanager
def serving() -> Iterator[Vendor]:
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size)) if size else {}
            asked = Asked(self.command, parts.path, parse_qs(parts.query), body, dict(self.headers))
            vendor.asked.append(asked)
            fault = vendor.faults.pop(0) if vendor.faults else None
            if fault == "stall":
                time.sleep(30)
            if isinstance(fault, tuple):
                status, headers, content = fault[0], dict(fault[1]), b'{"error": "not now"}'
            else:
                path = max((one for one in vendor.answers if asked.path.startswith(one)), key=len)
                (status, value), headers = vendor.answers[path](asked), {}
                content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if fault == "broken":
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vendor
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def stripe_list(records: list[Record]) -> Callable[[Asked], Answer]:
    """A list of Stripe's: the newest first, `starting_after` an id, `created[gte]`, `types[]` of events."""

    def answer(asked: Asked) -> Answer:
        found = list(records)
        if since := asked.query.get("created[gte]"):
            found = [one for one in found if one["created"] >= int(since[0])]
        if types := asked.query.get("types[]"):
            found = [one for one in found if one["type"] in types]
        if after := asked.query.get("starting_after"):
            ids = [one["id"] for one in found]
            if after[0] not in ids:
                return 400, {"error": {"message": f"No such object: {after[0]}"}}
            found = found[ids.index(after[0]) + 1 :]
        return 200, {"object": "list", "data": found[:PAGE], "has_more": len(found) > PAGE}

    return answer


def hubspot(kind: str, records: list[Record], field: str = "hs_lastmodifieddate") -> Callable[[Asked], Answer]:
    """Objects of HubSpot: the list, one by its id, and the search by the time of the last change."""
    base = f"/crm/v3/objects/{kind}"

    def page(found: list[Record], after: int) -> Answer:
        rest = {"paging": {"next": {"after": str(after + PAGE)}}} if len(found) > after + PAGE else {}
        return 200, {"results": found[after : after + PAGE], **rest}

    def answer(asked: Asked) -> Answer:
        if asked.path == base:
            return page(records, int(asked.query.get("after", ["0"])[0]))
        if asked.path == f"{base}/search":
            since = int(asked.body["filterGroups"][0]["filters"][0]["value"])
            found = [one for one in records if millis(one["properties"][field]) >= since]
            found.sort(key=lambda one: one["properties"][field])
            after = int(asked.body.get("after", 0))
            if after + PAGE > 9:  # 10,000 at HubSpot
                return 400, {"message": "no more than 10000 results"}
            bare = [{name: value for name, value in one.items() if name != "associations"} for one in found]
            return page(bare, after)
        wanted = asked.path.removeprefix(f"{base}/")
        one = next((one for one in records if one["id"] == wanted), None)
        return (200, one) if one else (404, {"message": "resource not found"})

    return answer


def millis(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)
