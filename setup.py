"""What the wheel holds: the packages, and below `radar/project` the folders that they read."""

from setuptools import find_packages, setup

FOLDERS = ("dbt_project", "expectations", "exports", "feeds", "seeds")
"""Reference data, SQL and YAML that the engine reads; see `radar.core.project.PROJECT`."""

setup(
    packages=[
        *find_packages(include=["radar*", "orchestration*"]),
        *(f"radar.project.{folder}" for folder in FOLDERS),
    ],
    package_dir={f"radar.project.{folder}": folder for folder in FOLDERS},
)
