"""Executes statements of standard input, one a line, on the Spark of the first argument; prints rows as JSON.

Runs in the environment of pyspark, which has nothing of Radar's.
"""

import json
import sys

from pyspark.sql import SparkSession

session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for statement in sys.stdin.read().splitlines():
    print(json.dumps([row.asDict() for row in session.sql(statement).collect()], default=str))
session.stop()
