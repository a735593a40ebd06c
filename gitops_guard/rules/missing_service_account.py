"""missing-service-account: pods run as an account that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget


class MissingServiceAccount(MissingTarget):
    """Flags accounts of pods that nothing makes."""

    id = "missing-service-account"
    kinds = ("*",)
    summary = "A ServiceAccount that pods run as and that is not there."
    targets = frozenset({"ServiceAccount"})
    known = frozenset({"default"})
    effect = "every pod is refused (FailedCreate)"

    def is_known(self, use: Use) -> bool:
        """Leave the subjects of bindings to missing-subject."""
        return use.how != "account"
