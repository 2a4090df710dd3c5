"""What nobody uses is not imported, and is there for whoever does."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def test_what_great_expectations_does_not_use_here_is_imported_on_use() -> None:
    script = """
        import sys
        from radar.quality import validate
        from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as kl

        assert not {"scipy", "scipy.stats", "altair"} & set(sys.modules)
        assert kl.stats.entropy([1, 1], base=2) == 1
        assert kl.alt.Chart
        import altair, scipy
        from scipy import stats
        assert scipy.__version__ and altair.__version__ and stats.entropy is kl.stats.entropy
        assert sys.modules["scipy.stats"] is stats and stats.__file__
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
