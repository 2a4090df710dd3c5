"""These tests are those of `make test-spark`, which names the environment with dbt-spark and pyspark."""

from __future__ import annotations

import os

collect_ignore_glob = [] if "RADAR_SPARK_ENVIRONMENT" in os.environ else ["test_*.py"]
