"""A server that stands for Slack, HubSpot, Salesforce and a webhook, and can fail as they do.

It keeps what was committed, so that a test counts side effects and not calls. `fail` names what happens to
the next calls of a path: a status, `lose` (it commits and closes the connection without an answer), or `half`
(every other record of the batch is refused).
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Vendors:
    """What was committed, what was called, and what is to go wrong."""

    url: str = ""
    calls: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    hubspot_tasks: list[dict[str, Any]] = field(default_factory=list)
    salesforce_tasks: list[dict[str, Any]] = field(default_factory=list)
    companies: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    sign_ins: dict[str, str] = field(default_factory=dict)
    """Authorization of Salesforce's token endpoint -> the access token that it is given."""
    updates: list[dict[str, Any]] = field(default_factory=list)
    whispers: list[dict[str, Any]] = field(default_factory=list)
    """What one person alone sees in Slack."""
    removed: set[str] = field(default_factory=set)
    """Messages in Slack that somebody deleted, by `ts`."""
    refuse: str | None = None
    """A call whose body holds this is answered with 400."""
    _faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def fail(self, path: str, *faults: str) -> None:
        """What happens to the next calls of a path that holds this text; `ok` lets one pass."""
        self._faults[path] += faults

    def forgive(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def posted(self) -> list[dict[str, Any]]:
        """Slack's messages as it shows them, the first has the `ts` 1.0; those of threads name theirs."""
        return [
            {"ts": f"{n}.0", "metadata": post.get("metadata")}
            | ({"thread_ts": post["thread_ts"]} if "thread_ts" in post else {})
            for n, post in enumerate(self.posts, 1)
        ]

    def posted_in_channel(self) -> list[str]:
        """The `ts` of messages that a thread may begin with."""
        return [post["ts"] for post in self.posted() if "thread_ts" not in post]

    def next_fault(self, path: str) -> str:
        for part, faults in self._faults.items():
            if part in path and faults:
                return faults.pop(0)
        return "ok"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, *, is_half: bool) -> Any:
        """Commit, and what is said of it."""
        if path == "/teams/workflow":
            self.posts.append(body)
            return ""
        if path == "/slack/hook":
            self.posts.append(body)
            return "ok"
        if path == "/slack/api/chat.postMessage":
            thread = body.get("thread_ts")
            if thread and (thread not in self.posted_in_channel() or thread in self.removed):
                return {"ok": False, "error": "thread_not_found"}
            self.posts.append(body)
            return {"ok": True, "ts": f"{len(self.posts)}.0", "message": self.posted()[-1]}
        if path == "/slack/api/chat.update":
            self.updates.append(body)
            return {"ok": True, "ts": body["ts"]}
        if path == "/slack/api/chat.postEphemeral":
            self.whispers.append(body)
            return {"ok": True, "message_ts": "9.9"}
        if path == "/slack/api/conversations.history":
            return {"ok": True, "messages": [post for post in self.posted() if "thread_ts" not in post]}
        if path == "/slack/api/conversations.replies":
            (thread,) = query["ts"]
            if thread not in self.posted_in_channel() or thread in self.removed:
                return {"ok": False, "error": "thread_not_found"}
            found = [post for post in self.posted() if thread in (post["ts"], post.get("thread_ts"))]
            return {"ok": True, "messages": found}
        if path == "/make":
            self.hooks.append(body)
            return {}
        if path.startswith("/crm/v3/objects/"):
            return self._hubspot(path, body, is_half=is_half)
        if path.endswith("/query/"):
            return self._soql(query["q"][0])
        if path.endswith("/composite/sobjects"):
            return [
                self._salesforce_task(record, is_half and n % 2) for n, record in enumerate(body["records"])
            ]
        assert method == "PATCH", path
        for record in body["records"]:
            self.accounts.setdefault(record["Radar_Account_Id__c"], {}).update(record)
        return [{"id": f"001{n}", "success": True, "errors": []} for n, _ in enumerate(body["records"])]

    def _hubspot(self, path: str, body: Any, *, is_half: bool) -> Any:
        if path.endswith("tasks/batch/read"):
            wanted = {entry["id"] for entry in body["inputs"]}
            return {"results": [task for task in self.hubspot_tasks if task["key"] in wanted]}
        if path.endswith("companies/batch/read"):
            found = [
                {"id": company["id"], "properties": {"radar_account_id": key}}
                for key, company in self.companies.items()
                if key in {entry["id"] for entry in body["inputs"]}
            ]
            return {"results": found}
        results, errors = [], []
        for number, entry in enumerate(body["inputs"]):
            if is_half and number % 2:
                context = {"objectWriteTraceId": [entry["objectWriteTraceId"]]}
                errors.append({"message": "not today", "context": context})
            elif path.endswith("tasks/batch/create"):
                key = entry["properties"]["radar_action_id"]
                task = {"id": f"t{len(self.hubspot_tasks)}", "key": key, **entry}
                self.hubspot_tasks.append(task)
                results.append(task)
            else:
                company = self.companies.setdefault(entry["id"], {"id": f"c{len(self.companies)}"})
                company.update(entry["properties"])
                results.append({"id": company["id"], "objectWriteTraceId": entry["objectWriteTraceId"]})
        return {"status": "COMPLETE", "results": results, "errors": errors}

    def _soql(self, soql: str) -> Any:
        wanted = set(re.findall(r"'([^']*)'", soql))
        if "FROM Task" in soql:
            rows = [
                {"Id": task["Id"], "Radar_Action_Id__c": task["Radar_Action_Id__c"]}
                for task in self.salesforce_tasks
                if task["Radar_Action_Id__c"] in wanted
            ]
        else:
            rows = [{"Id": f"001{key}", "Radar_Account_Id__c": key} for key in self.accounts if key in wanted]
        return {"totalSize": len(rows), "done": True, "records": rows}

    def _salesforce_task(self, record: dict[str, Any], is_refused: bool | int) -> dict[str, Any]:
        if is_refused:
            return {"success": False, "errors": [{"statusCode": "LOCKED", "message": "not today"}]}
        self.salesforce_tasks.append({"Id": f"00T{len(self.salesforce_tasks)}", **record})
        return {"id": self.salesforce_tasks[-1]["Id"], "success": True, "errors": []}


@contextmanager
def serving() -> Iterator[Vendors]:
    """A server on a free port of this machine."""
    vendors = Vendors()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._handle("GET")

        def do_POST(self) -> None:
            self._handle("POST")

        def do_PATCH(self) -> None:
            self._handle("PATCH")

        def _handle(self, method: str) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            vendors.calls.append(f"{method} {parts.path}")
            vendors.headers.append(dict(self.headers.items()))
            vendors.bodies.append(raw)
            fault = vendors.next_fault(parts.path)
            if parts.path == "/services/oauth2/token" and fault == "ok":
                token = vendors.sign_ins.get(self.headers["Authorization"])
                refusal = {"error": "invalid_client", "error_description": "invalid client credentials"}
                self._say(200 if token else 400, {"access_token": token} if token else refusal, {})
                return
            if vendors.refuse and parts.path.endswith("create") and vendors.refuse.encode() in raw:
                fault = "400"
            if fault.isdigit():
                self._say(int(fault), {"message": "no"}, {"Retry-After": "7"} if fault == "429" else {})
                return
            is_form = "urlencoded" in self.headers.get("Content-Type", "") and not raw.startswith(b"{")
            query = parse_qs(raw.decode() if is_form else parts.query)
            body = json.loads(raw) if raw and not is_form else None
            said = vendors.answer(method, parts.path, query, body, is_half=fault == "half")
            if fault == "lose":
                self.close_connection = True
                self.connection.close()
                return
            self._say(201 if parts.path.endswith("create") else 200, said, {})

        def _say(self, status: int, said: Any, headers: dict[str, str]) -> None:
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    vendors.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield vendors
    finally:
        server.shutdown()
        server.server_close()
