"""missing-volume-claim: pods mount a claim that is not there."""

from gitops_guard.rules.reference import MissingTarget


class MissingVolumeClaim(MissingTarget):
    """Flags PersistentVolumeClaims of pods that nothing makes."""

    id = "missing-volume-claim"
    kinds = ("*",)
    summary = "A PersistentVolumeClaim that pods mount and that is not there."
    targets = frozenset({"PersistentVolumeClaim"})
    effect = "pods stay Pending"
