"""missing-workload: an autoscaler or a rollout works on a workload that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget


class MissingWorkload(MissingTarget):
    """Flags scaleTargetRef, targetRef and workloadRef that nothing answers to."""

    id = "missing-workload"
    kinds = (
        "HorizontalPodAutoscaler.autoscaling",
        "VerticalPodAutoscaler.autoscaling.k8s.io",
        "ScaledObject.keda.sh",
        "Rollout.argoproj.io",
        "Canary.flagger.app",
    )
    summary = "A workload that an autoscaler or a rollout works on and that is not there."
    targets = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout"})
    effect = "nothing is scaled or rolled out"

    def is_known(self, use: Use) -> bool:
        """Leave what is no workload reference."""
        return use.how != "workload"
