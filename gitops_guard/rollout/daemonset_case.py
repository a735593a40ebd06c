"""A change of a DaemonSet, read from its manifests."""

from gitops_guard.model import Body
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.case import OLD, Case, Facts, Supposed, host_ports, int_or_percent, integer, struct
from gitops_guard.rollout.daemonset import DaemonSetSpec
from gitops_guard.rollout.daemonset_run import DaemonSetRun
from gitops_guard.rollout.podset_run import MAX_PODS
from gitops_guard.rollout.timeline import Timeline


def daemonset_spec(body: Body, template: str) -> DaemonSetSpec:
    """Read what the controller reads, with the defaults of pkg/apis/apps/v1/defaults.go:SetDefaults_DaemonSet.

    Args:
        body: The DaemonSet.
        template: Name of its template.
    """
    spec = struct(body.get("spec"))
    update = struct(spec.get("updateStrategy"))
    rolling = struct(update.get("rollingUpdate"))
    return DaemonSetSpec(
        template=template,
        on_delete=update.get("type") == "OnDelete",
        max_unavailable=int_or_percent(rolling.get("maxUnavailable"), 1),
        max_surge=int_or_percent(rolling.get("maxSurge"), 0),
        min_ready_s=integer(spec.get("minReadySeconds"), 0),
    )


class DaemonSetCase(Case):
    """A DaemonSet before and after a merge, on as many nodes as assumed."""

    def __init__(self, before: Body | None, after: Body, assumptions: Assumptions) -> None:
        super().__init__(before, after, assumptions)
        self.nodes = [f"node-{number}" for number in range(1, min(assumptions.nodes, MAX_PODS + 1) + 1)]
        self.new_spec = daemonset_spec(after, self.templates.new)
        self.old_spec = daemonset_spec(before, OLD) if before is not None else None
        shared = [set(host_ports(body)) for body in self.templates.bodies.values()]
        self.contested = sorted(set.intersection(*shared)) if len(shared) > 1 else []
        """Ports of the node that the old and the new pod both need."""

    @property
    def facts(self) -> Facts:
        """What is known before anything is simulated."""
        surge, unavailable = self.new_spec.limits(len(self.nodes))
        least = len(self.nodes) if surge else max(0, len(self.nodes) - unavailable)
        on_delete = self.new_spec.on_delete
        return Facts(
            strategy="OnDelete" if on_delete else "RollingUpdate",
            wanted=0 if self.old_spec is None else least,
            no_op="updateStrategy is OnDelete: pods keep the old version until somebody deletes them"
            if on_delete
            else "",
            notes=self._notes(),
            keeps_history=integer(struct(self.after.get("spec")).get("revisionHistoryLimit"), 10) > 0,
            grows=self.old_spec is None,
            may_be_empty=self.old_spec is None or not self.nodes,
        )

    def _notes(self) -> tuple[str, ...]:
        rolls = self.templates.rolls and not self.new_spec.on_delete
        if rolls and not self.new_spec.limits(len(self.nodes))[0]:
            return ("on each node no pod serves while it is replaced",)
        return ()

    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the way with the times of a scenario; one controller alone acts, so there are no others."""
        timing = self.timing(assumptions, scenario)
        run = DaemonSetRun(self.old_spec, self.nodes, timing, shares_node=not self.contested)
        run.edit(self.new_spec)
        return run.run()

    @property
    def pods_before(self) -> int:
        """Pods that ran before the merge."""
        return len(self.nodes) if self.old_spec is not None else 0

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        nodes = Supposed("nodes", "nodes", str(len(self.nodes)), "one pod each; duration and peak grow with them")
        return (*super().counted, nodes)

    @property
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""
        return self.new_spec.min_ready_s

    @property
    def phases(self) -> tuple[int, int] | None:
        """Waves of as many nodes as may be replaced at once."""
        if self.old_spec is None or not self.nodes:
            return 1, 0
        surge, unavailable = self.new_spec.limits(len(self.nodes))
        waves = -(-len(self.nodes) // (surge or unavailable))
        return waves, 0 if surge else waves

    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for."""
        last = timeline.moments[-1].step
        text = f"halts with {last.old} old and {last.new} new pods"
        if self.contested and self.new_spec.limits(len(self.nodes))[0]:
            port = self.contested[0]
            return f"{text}: maxSurge runs old and new pod side by side, but both need host port {port}"
        return f"{text}: {self.never_ready}" if self.never_ready else text
