"""A server that plays vendors' APIs: pages as their references describe them, and their faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


def nothing(_: Asked) -> Answer:
    return 404, {"message": "there is nothing here"}


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
                path = max((one for one in vendor.answers if asked.path.startswith(one)), key=len, default="")
                (status, value), headers = vendor.answers.get(path, nothing)(asked), {}
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
            with suppress(BrokenPipeError):  # whoever asked has been killed
                self.wfile.write(content)

        do_GET = do_POST = answer

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


def stripe_list(records: list[Record], page: int = PAGE) -> Callable[[Asked], Answer]:
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
        return 200, {"object": "list", "data": found[:page], "has_more": len(found) > page}

    return answer


def hubspot(
    kind: str, records: list[Record], field: str = "hs_lastmodifieddate", size: int = PAGE
) -> Callable[[Asked], Answer]:
    """Objects of HubSpot: the list, one by its id, and the search by the time of the last change."""
    base = f"/crm/v3/objects/{kind}"

    def page(found: list[Record], after: int) -> Answer:
        rest = {"paging": {"next": {"after": str(after + size)}}} if len(found) > after + size else {}
        return 200, {"results": found[after : after + size], **rest}

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


def zendesk(name: str, records: list[Record], next_name: str, size: int = PAGE) -> Callable[[Asked], Answer]:
    """An incremental export of Zendesk: what changed since `start_time`; its last page has a link too."""

    def answer(asked: Asked) -> Answer:
        if "cursor" in asked.query:
            since, after = (int(part) for part in asked.query["cursor"][0].split("-"))
        else:
            since, after = int(asked.query["start_time"][0]), 0
        found = [one for one in records if changed_at(one) >= since]
        end = min(after + size, len(found))
        link = f"http://{asked.headers['Host']}{asked.path}?cursor={since}-{end}"
        return 200, {name: found[after:end], next_name: link, "end_of_stream": end == len(found)}

    def changed_at(record: Record) -> int:
        time = record.get("generated_timestamp") or record.get("updated_at")
        return time if isinstance(time, int) else millis(time) // 1000 if time else 1_700_000_000

    return answer


def intercom_search(name: str, records: list[Record]) -> Callable[[Asked], Answer]:
    """A search of Intercom's: after a time, `starting_after` in the body."""

    def answer(asked: Asked) -> Answer:
        since, after = asked.body["query"]["value"], int(asked.body["pagination"].get("starting_after", 0))
        found = [one for one in records if one["updated_at"] > since]
        rest = {"next": {"starting_after": str(after + PAGE)}} if len(found) > after + PAGE else {}
        return 200, {"type": "list", name: found[after : after + PAGE], "pages": {"type": "pages", **rest}}

    return answer


def intercom_scroll(records: list[Record]) -> Callable[[Asked], Answer]:
    """The scroll over companies: one parameter for all pages; the last is empty."""
    left: list[Record] = []

    def answer(asked: Asked) -> Answer:
        if "scroll_param" not in asked.query:
            left[:] = records
        page = left[:PAGE]
        del left[:PAGE]
        return 200, {"type": "list", "data": page, "pages": None, "scroll_param": "one-for-all"}

    return answer


def mixpanel_export(days: dict[str, list[Record]]) -> Callable[[Asked], Answer]:
    """The raw export of a day, one event a line."""

    def answer(asked: Asked) -> Answer:
        assert asked.query["from_date"] == asked.query["to_date"]
        lines = [json.dumps(one) + "\n" for one in days.get(asked.query["from_date"][0], [])]
        return 200, "".join(lines).encode()

    return answer
