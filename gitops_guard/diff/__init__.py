"""What differs between two sets of resources: compared as the API server would store them, Secrets masked.

Knows neither where resources come from nor how a report looks. What only a schema can know (keys of lists, defaults)
comes in as functions; without them the tables of the built-in kinds decide.
"""

from gitops_guard.diff.compare import Conventions, compare
from gitops_guard.diff.custom import CustomKinds

__all__ = ["Conventions", "CustomKinds", "compare"]
