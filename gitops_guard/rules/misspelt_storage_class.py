"""misspelt-storage-class: a claim names a storage class that is not there."""

from collections.abc import Iterator

from gitops_guard.links.outline import Outline
from gitops_guard.links.view import View
from gitops_guard.model import Problem
from gitops_guard.rules.reference import MissingTarget


class MisspeltStorageClass(MissingTarget):
    """Flags classes that a repository which makes its classes does not make; most come with the cluster."""

    id = "misspelt-storage-class"
    kinds = ("PersistentVolumeClaim", "StatefulSet.apps")
    summary = "A StorageClass that is a slip of the pen of one that is there."
    targets = frozenset({"StorageClass"})
    in_own_namespace = False
    effect = "the claim stays Pending"

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield only slips: a class that is not here is the cluster's own."""
        return (problem for problem in super().judge(one, view) if problem.hint)
