"""What dbt has parsed, kept where the next warehouse finds it: parsing takes seconds, reading a tenth of one.

It lies in the user's folder of caches, named for a fingerprint of everything that it was parsed from. Nothing
depends on it: where it is missing, damaged or cannot be written, dbt parses.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import SeedNode
from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

from radar.core.state_files import put_in_place, replace_file

KEPT = 6
"""Manifests of other projects, seeds and names of a warehouse; a megabyte each."""

_MANIFEST, _JSON = "manifest.msgpack", "manifest.json"


def folder() -> Path:
    """Where the platform wants caches. Raises RuntimeError for a user without a home."""
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "radar" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "radar"
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "radar"


def load(fingerprint: str, project: Path) -> Manifest | None:
    """The manifest of this fingerprint, for a project that lies in `project`; None where there is none."""
    try:
        content = _content(fingerprint, _MANIFEST)
        manifest = Manifest.from_msgpack(content, decoder=extended_mashumuro_decoder)
    except Exception:  # whatever is wrong with it, parsing puts it right
        return None
    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):
            node.root_path = str(project)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def write_json(fingerprint: str, project: Path, target: Path) -> bool:
    """Write it as dbt's `manifest.json`; whether there is one."""
    try:
        content = json.loads(_content(fingerprint, _JSON))
        for node in content["nodes"].values():
            if "root_path" in node:  # of seeds: the only thing in it that knows where it was parsed
                node["root_path"] = str(project)
    except Exception:  # as above
        return False
    replace_file(target, json.dumps(content))
    return True


def keep(fingerprint: str, manifest: Manifest, written: Path) -> None:
    """Keep it, beside the newest few, with the `manifest.json` that dbt has `written`.

    Another process never sees half of it.
    """
    with suppress(OSError, RuntimeError):
        path = _path(fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False)  # noqa: SIM115 see below
        try:
            with part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
                kept.writestr(_MANIFEST, manifest.to_msgpack(encoder=extended_mashumaro_encoder))
                kept.write(written, _JSON)
            put_in_place(Path(part.name), path)
        finally:
            with suppress(OSError):
                os.unlink(part.name)
        for old in sorted(path.parent.glob("manifest-*.zip"), key=_age, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)


def _content(fingerprint: str, member: str) -> bytes:
    """One of the two, if both are whole: they have checksums."""
    path = _path(fingerprint)
    with zipfile.ZipFile(path) as kept:
        if kept.testzip():
            raise zipfile.BadZipFile
        content = kept.read(member)
    with suppress(OSError):
        os.utime(path)
    return content


def _age(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _path(fingerprint: str) -> Path:
    return folder() / f"manifest-{fingerprint}.zip"
