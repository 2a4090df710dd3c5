"""dbt, run inside this process: where it works, what it is asked to do, and what each node came to.

What dbt does here it does for anybody who calls it in `dbt_project/`: the same project and profile, and dbt's
documented `dbtRunner`. The project is not copied: `<state>/project` holds links to the parts of
`dbt_project/`, so that its `../seeds` is the folder of reference data in use. dbt takes relative seed paths
only: with one that is absolute, or climbs further, it writes its SQL over the seed files themselves. Nothing
here knows Dagster.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, cast

import duckdb
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from radar.core.errors import CheckError, RadarError, WarehouseError
from radar.core.masking import masked
from radar.core.project import PROJECT
from radar.core.terminal import inert_value
from radar.core.warehouse import MEMORY_LIMIT, connect, explain_duckdb_error, readable_os_errors, state_dir
from radar.rules.gathering import file_in_use, gather
from radar.rules.promotions import note_champion_of_seeds

OUTPUT = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "info", "--no-use-colors")
THREADS = 2
"""Of a build. `profiles.yml` has the same for whoever calls dbt by hand."""

NOT_PARSED = "*_unit_tests.yml\n"
"""Content of the project's `.dbtignore`: reading the unit tests, which no run uses, is a sixth of a parse."""

ON_DEMAND = "on_demand"
"""The tag of data tests that only dbt by hand runs: of the seeds, which are checked before, and the grain of
what a build computes from scratch."""

TABLES = ("table", "incremental", "seed", "snapshot")
STORAGE_TROUBLE = re.compile(
    r"[Cc]onflicting lock|Could not set lock|No space left|disk full|not a valid DuckDB"
)
MOST_LINES = 5
"""Lines of an error of dbt's that are shown; the log has all of them."""
_NAMED_FILE = re.compile(r"^\s*[\w ]+ Error in \w+ \S+ \(([^()]+)\)", re.MULTILINE)
_AROUND = re.compile(
    r"\s*(?:(?:Database|Compilation|Runtime|Parsing|Dependency) Error(?: in |\s*$)|compiled (?:code|SQL) at )"
)
_MAY_QUOTE_A_VALUE = re.compile(
    r"(?:Conversion|Invalid Input|Constraint|Out of Range|Mismatch Type|Serialization) Error"
)
_QUOTED = re.compile(r"(['\"]).*\1")
_SOURCE_LINE = re.compile(r"\s*(?:LINE \d+:|\^)")
_STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Workspace:
    """Where dbt works for one warehouse. Its target keeps what dbt has parsed (`partial_parse.msgpack`)."""

    warehouse: Path
    project: Path
    target: Path
    logs: Path

    @property
    def manifest(self) -> Path:
        """The manifest of the newest parse."""
        return self.target / "manifest.json"

    def paths(self) -> list[str]:
        """The options that name these folders."""
        return [
            "--project-dir", str(self.project),
            "--profiles-dir", str(self.project),
            "--target-path", str(self.target),
            "--log-path", str(self.logs),
            "--target", "in_process",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The variables that the profile reads, always the same for one warehouse."""
        return {
            "RADAR_WAREHOUSE": str(self.warehouse),
            "RADAR_SEEDS": str(self.project.with_name("seeds")),
            "RADAR_MEMORY_LIMIT": MEMORY_LIMIT,
            "RADAR_SPILL": str(state_dir(self.warehouse) / "spill"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


_parsed: dict[Workspace, tuple[str, Manifest]] = {}
"""What this process has parsed, and from which files, until a build takes it and changes it."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one node. `rows` is known of tables only; `failures` of tests only."""

    unique_id: str
    status: str
    seconds: float
    failures: int | None
    message: str
    rows: int | None

    @property
    def ok(self) -> bool:
        """Built, or passed."""
        return self.status in ("success", "pass")


@dataclass(frozen=True)
class Build:
    """What a build came to: every node in the order in which they ended, and the error of one that failed."""

    results: Sequence[NodeResult]
    error: RadarError | None


def prepare(warehouse: Path, seeds: Path, store: Path | None = None) -> Workspace:
    """Bring the reference data in use, the project's links and dbt's manifest up to date. Raises RadarError.

    dbt parses what has changed since it last did for this warehouse; it is asked once for the same files.
    `store`: where people decided about rule sets.
    """
    state = state_dir(warehouse)
    gather_seeds(warehouse, seeds, store)
    workspace = Workspace(warehouse, state / "project", state / "dbt", state / "logs")
    with readable_os_errors(state):
        _link_project(workspace.project)
        fingerprint = _fingerprint(workspace)
        if not workspace.manifest.exists() or _parsed.get(workspace, ("",))[0] != fingerprint:
            _parsed[workspace] = fingerprint, _parse(workspace)
    return workspace


def gather_seeds(warehouse: Path, seeds: Path, store: Path | None = None) -> Path:
    """The reference data in use, always at the same place for one warehouse, with what people decided."""
    folder = state_dir(warehouse) / "seeds"
    with readable_os_errors(folder):
        if store:
            note_champion_of_seeds(store, file_in_use(seeds, "rule_sets.csv"))
        return gather(seeds, folder, store)


def _link_project(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        path.name: path
        for path in (PROJECT / "dbt_project").iterdir()
        if path.name not in ("target", "logs", "dbt_packages") and not path.name.startswith(".")
    }
    for link in folder.iterdir():
        if link.is_symlink() and (link.name not in parts or link.readlink() != parts[link.name]):
            link.unlink()
    for name, path in parts.items():
        if not (folder / name).is_symlink():
            _remove(folder / name)  # a backup that followed links has a copy here
            (folder / name).symlink_to(path)
    (folder / ".dbtignore").write_text(NOT_PARSED, encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _fingerprint(workspace: Workspace) -> str:
    """Changes with every file that dbt parses."""
    digest = hashlib.sha256()
    for root in (workspace.project, workspace.project.with_name("seeds")):
        for folder, folders, names in os.walk(root, followlinks=True):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                path = Path(folder, name)
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(root.parent).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()


def _parse(workspace: Workspace) -> Manifest:
    done = _invoke(workspace, dbtRunner(), ["parse"])
    if not done.success:
        raise _explain_text(workspace, "dbt cannot read the project", str(done.exception))
    return cast(Manifest, done.result)


def _invoke(workspace: Workspace, runner: dbtRunner, arguments: Sequence[str]) -> dbtRunnerResult:
    """Call dbt. What ends a process, Ctrl-C above all, ends this call too: dbt only reports it."""
    with _environment(workspace), _stopped_by_signals():
        done = runner.invoke([*OUTPUT, *arguments, *workspace.paths()])
    if done.exception and not isinstance(done.exception, Exception):
        raise done.exception
    return done


def build_arguments(select: Sequence[str] = ()) -> list[str]:
    """dbt's command line.

    Left out are unit tests: they prove the code, not the day, and run in the tests; data tests with the tag
    on_demand, for their time: `dbt build` and `dbt test` by hand run them; exposures, which build nothing;
    and dbt's own reports as JSON: nobody reads them, and writing them keeps what follows waiting.

    `select` names nodes; empty means all. Of tests, only those whose every model is selected then run.
    """
    chosen = ["--indirect-selection", "buildable", "--select", *select] if select else []
    left_out = ["--no-write-json", "--exclude", f"tag:{ON_DEMAND}"]
    left_out += ["--exclude-resource-type", "exposure", "--exclude-resource-type", "unit_test"]
    return ["build", "--threads", str(THREADS), *left_out, *chosen]


def build(
    workspace: Workspace, select: Sequence[str] = (), on_node: Callable[[str], None] = lambda unique_id: None
) -> Build:
    """Run the build; where a node fails, those that depend on it are skipped.

    `on_node` is called as each node ends. Raises KeyboardInterrupt where Ctrl-C or SIGTERM ended the build:
    dbt cancels its queries itself. The warehouse is free again at the end. It stays open until then: opening
    it again for each of some hundred nodes costs 5 s.
    """
    _, manifest = _parsed.pop(workspace, ("", None))
    gc.freeze()  # the manifest stays to the end: no collection of garbage has to look through it
    runner = dbtRunner(manifest, callbacks=[lambda event: _tell(event, on_node)])
    with connect(workspace.warehouse) as con:
        done = _invoke(workspace, runner, build_arguments(select))
        relations = _tables(json.loads(workspace.manifest.read_bytes()))
        ended = done.result.results if isinstance(done.result, RunExecutionResult) else []
        results = [_result(con, result, relations) for result in ended]
    return Build(results, None if done.success else explain(workspace, results, done.exception))


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let both signals raise KeyboardInterrupt, on which dbt cancels its queries."""
    if current_thread() is not main_thread():  # signals are the main thread's
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(event: Any, on_node: Callable[[str], None]) -> None:
    """Called by dbt, in its threads, for everything that it logs."""
    if event.info.name == "NodeFinished":
        on_node(event.data.node_info.unique_id)


def _tables(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        unique_id: node["relation_name"]
        for unique_id, node in manifest["nodes"].items()
        if node["config"].get("materialized") in TABLES and node.get("relation_name")
    }


def _result(con: duckdb.DuckDBPyConnection, result: Any, relations: Mapping[str, str]) -> NodeResult:
    """Of a node, as dbt reports it; with the rows of its table."""
    unique_id, status = result.node.unique_id, str(result.status)
    rows = None
    if status == "success" and (relation := relations.get(unique_id)):
        (rows,) = con.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,)
    return NodeResult(unique_id, status, result.execution_time, result.failures, result.message or "", rows)


@contextmanager
def _environment(workspace: Workspace) -> Iterator[None]:
    """dbt copies the variables when it is called; the workspace's own are set only for that call."""
    before = {name: os.environ.get(name) for name in workspace.environment()}
    os.environ.update(workspace.environment())
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def explain(
    workspace: Workspace, results: Sequence[NodeResult], exception: BaseException | None
) -> RadarError:
    """The user's version of a build that failed: the first node that did, and how many others."""
    if exception is not None:
        return _explain_text(workspace, "dbt could not build", str(exception))
    broken = [result for result in results if result.status in ("error", "runtime error")]
    if broken:
        kind, name = _name(broken[0].unique_id)
        return _explain_text(workspace, f"the {kind} {name} could not be built", broken[0].message)
    failed = [_name(result.unique_id)[1] for result in results if result.status == "fail"]
    others = f" and {len(failed) - 1} others" if len(failed) > 1 else ""
    rows = next((result.failures for result in results if result.status == "fail"), 0)
    return CheckError(
        f"the check {failed[0] if failed else 'of a table'} failed ({rows} rows){others}",
        f"see the rows with its query in {workspace.target / 'compiled'}; nothing was published",
    )


def _name(unique_id: str) -> tuple[str, str]:
    kind, _, name = unique_id.split(".")[:3]
    return kind, name


def _explain_text(workspace: Workspace, problem: str, text: str) -> RadarError:
    if STORAGE_TROUBLE.search(text):
        return explain_duckdb_error(workspace.warehouse, text)
    if "Out of Memory" in text:
        return WarehouseError(
            f"{problem}: DuckDB needs more than its {MEMORY_LIMIT} of memory",
            "set RADAR_MEMORY_LIMIT (for example 4GB) and run again",
            file=workspace.warehouse,
        )
    file, lines = _lines_that_matter(text)
    where = f" ({file})" if file else ""
    return RadarError(
        f"{problem}{where}: {f'{chr(10)}    '.join(lines)}",
        f"the log says more: {workspace.logs / 'dbt.log'}",
    )


def _lines_that_matter(text: str) -> tuple[str, list[str]]:
    """The file that dbt names, and the first message of the database or dbt, without values of customers.

    dbt opens with the kind of error, the node and its file, and ends with where the compiled code is.
    """
    named = _NAMED_FILE.search(text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    wordy = [line for line in lines if not _AROUND.match(line)] or lines or ["no reason given"]
    if _MAY_QUOTE_A_VALUE.search(text):
        wordy = [_QUOTED.sub(r"\1***\1", line) for line in wordy if not _SOURCE_LINE.match(line)]
    first, *others = [inert_value(masked(line)) for line in wordy[:MOST_LINES]]
    file = (named[1] if named else "").removeprefix("../")
    if file and not file.startswith("seeds/"):
        file = f"dbt_project/{file}"
    return file, [first.strip(), *others]
