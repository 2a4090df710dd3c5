"""Which of the nodes that can be built comes first.

dbt takes those that lie least deep in the graph, and hands out all that can be built, however few threads
there are. The last models of a run then hang on one another while only one thread has work. Here a node is
handed out when a thread is free for it, and the one with the most models one after the other behind it comes
first: what nothing waits for fills the gaps.
"""

from typing import Any

import networkx as nx  # type: ignore[import-untyped]
from dbt.contracts.graph.nodes import GraphMemberNode
from dbt.graph import selector
from dbt.graph.queue import GraphQueue

THREADS = 2
"""Of a build. `profiles.yml` has the same for whoever calls dbt by hand."""


class LongestWayFirst(GraphQueue):
    """dbt's queue with another order. Lower scores come first; nodes of the same score by their name."""

    def _get_scores(self, graph: nx.DiGraph) -> dict[str, int]:
        behind: dict[str, int] = {}
        for node in reversed(list(nx.topological_sort(graph))):
            behind[node] = max(
                (behind[after] + after.startswith("model.") for after in graph.successors(node)), default=0
            )
        return {node: -models for node, models in behind.items()}

    def get(self, block: bool = True, timeout: float | None = None) -> GraphMemberNode:
        """The first node, as soon as a thread is free."""
        with self.some_task_done:
            while len(self.in_progress) >= THREADS:
                self.some_task_done.wait()
        return super().get(block, timeout)


def install() -> None:
    """Give the order to every build of this process."""
    module: Any = selector
    module.GraphQueue = LongestWayFirst
