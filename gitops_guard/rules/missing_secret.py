"""missing-secret: pods use a Secret that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget

_EFFECTS = {
    "environment": "pods wait in CreateContainerConfigError",
    "pull": "images are pulled without credentials",
}


class MissingSecret(MissingTarget):
    """Flags Secrets that pods cannot start without and that nothing makes."""

    id = "missing-secret"
    kinds = ("*",)
    summary = "A Secret that pods need and that is not there."
    targets = frozenset({"Secret"})

    def effect_of(self, use: Use) -> str:
        """Say what becomes of the pods."""
        return _EFFECTS.get(use.how, "pods wait in ContainerCreating")
