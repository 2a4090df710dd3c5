"""Writes the folder of a company: extracts, seeds, settings, and what runs it every day.

The folder appears whole or not at all, and nothing that is there is overwritten. Settings, units and the
compose file are those of docs/deploy with this folder's paths in them.
"""

from __future__ import annotations

import getpass
import grp
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import radar
from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.core.warehouse import readable_os_errors
from radar.onboarding.recognition import Recognised
from radar.onboarding.words import Seed, to_confirm

DEPLOY = PROJECT / "docs" / "deploy"
DAGSTER = Path(radar.__file__).parents[1] / "orchestration" / "dagster.yaml"
SEEDS, EXTRACTS, CONFIRM, SETTINGS = "seeds", "extracts", "CONFIRM.md", ".env.example"

_SHIPPED_FOLDER = "/var/lib/radar/production"
_WORKSPACE = "# Where Dagster finds Radar's jobs.\nload_from:\n  - python_module: orchestration.definitions\n"
_IGNORED = ".env\nwarehouse.*\npanel.*\npublished/\nexports/\nextracts/\ndagster/*\n!dagster/dagster.yaml\n"


def require_new(folder: Path) -> None:
    """Raise UsageError where something is there already."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError("there is something already", "name a folder that is new or empty", file=folder)


def copy_extracts(files: Iterable[Recognised], extracts: Path) -> None:
    """Copy what was recognised into the folders where a run looks for it."""
    extracts.mkdir(parents=True)
    for file in files:
        if file.folder:
            target = extracts / file.folder / file.path.name
            if target.exists():  # another folder's file of this name
                target = target.with_name(re.sub(r"[\\/]", "-", file.name))
            with readable_os_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.path, target)


def write(draft: Path, company: Path, seeds: Sequence[Seed], left_out: Sequence[Recognised]) -> None:
    """Write everything but the extracts into `draft`, with the paths that it has once it is `company`."""
    files = {
        **{f"{SEEDS}/{seed.name}": seed.text() for seed in seeds},
        CONFIRM: _confirm(company, seeds, left_out),
        SETTINGS: _settings(company),
        ".gitignore": _IGNORED,
        "workspace.yaml": _WORKSPACE,
        "dagster/dagster.yaml": DAGSTER.read_text(encoding="utf-8"),
        "compose.yaml": _compose(company),
        **{
            f"systemd/{_unit_name(unit, company)}": _unit(unit, company)
            for unit in (DEPLOY / "systemd").iterdir()
        },
    }
    for name, text in files.items():
        path = draft / name
        with readable_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _confirm(company: Path, seeds: Sequence[Seed], left_out: Sequence[Recognised]) -> str:
    lines = [
        "# To be confirmed",
        "",
        "`radar init` guessed from the files what these words mean. Correct what is wrong in the files of"
        f" `seeds/`, check them with `radar rules check --seeds {company / SEEDS}`, and delete this page.",
        *to_confirm(seeds),
    ]
    if left_out:
        lines += [
            "",
            "## Files that were not taken",
            "",
            *(f"- {one.name}: {one.reason}" for one in left_out),
        ]
    return "\n".join([*lines, ""])


def _settings(company: Path) -> str:
    text = (DEPLOY / "radar.env").read_text(encoding="utf-8")
    text = re.sub(  # quoted where a shell needs it; systemd and compose read the same quotes
        rf"(?<==){_SHIPPED_FOLDER}(\S*)", lambda match: shlex.quote(f"{company}{match[1]}"), text
    )
    heading = (
        f"# Copy this file to {company / '.env'}, readable by you alone: secrets belong into the copy.\n"
        "# Read it into a shell with: set -a; . ./.env; set +a\n"
    )
    return heading + "".join(text.splitlines(keepends=True)[1:])


def _compose(company: Path) -> str:
    """The shipped compose file for this folder; built from the checkout where there is one."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    services = text[text.index("x-service:") :]
    volume = "volumes:\n    - ${RADAR_HOME}:${RADAR_HOME}\n"
    mount = f"volumes:\n    - type: bind\n      source: {_yaml(company)}\n      target: {_yaml(company)}\n"
    services = services.replace("${RADAR_HOME}/radar.env", ".env").replace(volume, mount)
    if (PROJECT / "requirements.lock").exists():
        services = services.replace("context: ../..", f"context: {_yaml(PROJECT)}")
    else:
        services = re.sub(r"  build:\n(?:    .*\n)+", "", services)
    return (
        "# Webserver, daemon and panel in containers, on the host's network: all listen on 127.0.0.1 alone.\n"
        "# The folder has to belong to the user id 1000 of the image; docs/operating.md has the rest.\n"
        f"name: radar-{_slug(company)}\n\n{services}"
    )


def _yaml(path: Path) -> str:
    """The path as a value of a compose file, in which $ begins a variable."""
    text = str(path).replace("$", "$$")
    return text if re.fullmatch(r"[\w./$+-]+", text) else json.dumps(text, ensure_ascii=False)


def _unit_name(unit: Path, company: Path) -> str:
    return unit.name.replace("@", f"-{_slug(company)}")


def _unit(unit: Path, company: Path) -> str:
    """A unit for this folder, its user and the programs that run now."""
    group = grp.getgrgid(os.getegid()).gr_name
    folder, programs = (str(path).replace("%", "%%") for path in (company, Path(sys.executable).parent))
    changes: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
        (r" %i names the environment.*", ""),
        (r"\(%i\)", f"({_slug(company)})"),
        (r"(?m)^User=.*", f"User={getpass.getuser()}"),
        (r"(?m)^Group=.*", f"Group={group}"),
        (r"(?m)^WorkingDirectory=.*", f"WorkingDirectory={folder}"),
        (r"(?m)^EnvironmentFile=.*", f"EnvironmentFile={folder}/.env"),
        (r"/opt/radar/%i/\.venv/bin/(\S+)", lambda match: _word(f"{programs}/{match[1]}")),
    )
    text = unit.read_text(encoding="utf-8")
    for pattern, value in changes:
        text = re.sub(pattern, value if callable(value) else value.replace("\\", r"\\"), text)
    return text


def _word(program: str) -> str:
    """The program as the first word of a unit's command."""
    return f'"{program}"' if re.search(r"\s", program) else program


def _slug(company: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", company.name.lower()).strip("-") or "company"
