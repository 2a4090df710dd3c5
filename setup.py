"""What the wheel holds: the packages, and below `radar/project` the folders that they read."""

from setuptools import find_packages, setup

FOLDERS = ("dbt_project", "docs/deploy", "expectations", "exports", "feeds", "seeds")
"""Reference data, SQL and YAML that the engine reads; see `radar.core.project.PROJECT`."""

PACKAGES = {f"radar.project.{folder.replace('/', '.')}": folder for folder in FOLDERS}

setup(
    packages=[*find_packages(include=["radar*", "orchestration*"]), *PACKAGES],
    package_dir=PACKAGES,
)
