"""How many requests a second `radar receive` acknowledges, each one signed event on the disk."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from radar.receive.signatures import sign

RADAR = Path(sys.executable).with_name("radar")
SECRET = b"a-secret-for-the-benchmark"
PORT = 8_191


def send(seconds: float, sender: int, latencies: list[float]) -> None:
    """Post event after event on one connection; how long each answer took, in seconds."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
    until = time.monotonic() + seconds
    while (begun := time.monotonic()) < until:
        event = {
            "event_id": f"{os.getpid()}-{sender}-{len(latencies)}-{begun}",
            "account_id": "acc_1",
            "user_id": "user_1",
            "event_name": "login",
            "occurred_at": "2026-06-30T10:00:00Z",
        }
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "Radar-Signature": sign(SECRET, int(time.time()), body),
            "Idempotency-Key": event["event_id"],
        }
        connection.request("POST", "/ingest/product/events", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise SystemExit(f"answered {answer.status}")
        latencies.append(time.monotonic() - begun)


def sender(seconds: float, connections: int) -> None:
    """One client process: prints the latencies of all its connections."""
    latencies: list[list[float]] = [[] for _ in range(connections)]
    threads = [threading.Thread(target=send, args=(seconds, n, latencies[n])) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([value for one in latencies for value in one]))


def wait_for_server() -> None:
    """Until the receiver takes connections, a minute at the most."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            HTTPConnection("127.0.0.1", PORT, timeout=5).connect()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the receiver did not start")


def main() -> None:
    """Start the receiver and the senders, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--sender", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.sender:
        sender(arguments.seconds, arguments.connections)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "RADAR_RECEIVE_SECRETS": f"product={SECRET.decode()}",
            "RADAR_RECEIVE_REQUESTS_PER_SECOND": "100000",
            "RADAR_RECEIVE_FILE_SECONDS": "5",
        }
        command = [RADAR, "receive", "--extracts", folder, "--port", str(PORT)]
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            wait_for_server()
            client = [sys.executable, __file__, "--sender", "--seconds", str(arguments.seconds)]
            done = subprocess.run(
                [*client, "--connections", str(arguments.connections)],
                check=True,
                capture_output=True,
                text=True,
            )
        finally:
            server.terminate()
            server.wait(60)
        latencies = sorted(json.loads(done.stdout))
        lines = sum(
            path.read_text().count("\n") for path in Path(folder).glob("product/events/received-*.ndjson")
        )
    count = len(latencies)
    print(f"{count:,} requests acknowledged, {lines:,} records in files")
    print(f"{count / arguments.seconds:,.0f} a second on {arguments.connections} connections", end="; ")
    print(f"median {latencies[count // 2] * 1000:.0f} ms, p95 {latencies[count * 95 // 100] * 1000:.0f} ms")
    print("clients and server share this machine's processors")


if __name__ == "__main__":
    main()
