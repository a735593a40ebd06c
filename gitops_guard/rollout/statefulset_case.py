"""A change of a StatefulSet, read from its manifests."""

from gitops_guard.model import Body
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.case import OLD, Case, Facts, Supposed, int_or_percent, integer, struct, supposed_replicas
from gitops_guard.rollout.statefulset import StatefulSetSpec, UpdateStrategy
from gitops_guard.rollout.statefulset_run import StatefulSetRun
from gitops_guard.rollout.timeline import Timeline
from gitops_guard.rollout.versions import KubernetesModel

_STRATEGIES = {strategy.value: strategy for strategy in UpdateStrategy}


def statefulset_spec(body: Body, template: str, replicas: int) -> StatefulSetSpec:
    """Read what the controller reads, with the defaults of pkg/apis/apps/v1/defaults.go:SetDefaults_StatefulSet.

    Args:
        body: The StatefulSet.
        template: Name of its template.
        replicas: Where the manifest names none.
    """
    spec = struct(body.get("spec"))
    update = struct(spec.get("updateStrategy"))
    rolling = struct(update.get("rollingUpdate"))
    return StatefulSetSpec(
        replicas=integer(spec.get("replicas"), replicas),
        template=template,
        parallel=spec.get("podManagementPolicy") == "Parallel",
        strategy=_STRATEGIES.get(str(update.get("type")), UpdateStrategy.ROLLING),
        partition=integer(rolling.get("partition"), 0),
        max_unavailable=int_or_percent(rolling.get("maxUnavailable"), 1),
        min_ready_s=integer(spec.get("minReadySeconds"), 0),
        start=integer(struct(spec.get("ordinals")).get("start"), 0),
    )


class StatefulSetCase(Case):
    """A StatefulSet before and after a merge."""

    def __init__(self, before: Body | None, after: Body, assumptions: Assumptions, model: KubernetesModel) -> None:
        super().__init__(before, after, assumptions)
        replicas = 1 if assumptions.replicas is None else assumptions.replicas
        self.model = model
        self.new_spec = statefulset_spec(after, self.templates.new, replicas)
        self.old_spec = statefulset_spec(before, OLD, replicas) if before is not None else None

    @property
    def facts(self) -> Facts:
        """What is known before anything is simulated."""
        new, old = self.new_spec, self.old_spec
        window = new.unavailable if self.model.statefulset_max_unavailable else 1
        least = 0 if new.strategy is UpdateStrategy.RECREATE else max(0, new.replicas - window)
        return Facts(
            strategy=new.strategy.value,
            wanted=0 if old is None else min(least, old.replicas),
            no_op=self._no_op(),
            notes=self._notes(),
            keeps_history=integer(struct(self.after.get("spec")).get("revisionHistoryLimit"), 10) > 0,
            grows=old is None or old.replicas != new.replicas or old.start != new.start,
            may_be_empty=new.replicas == 0 or old is None or old.replicas == 0,
        )

    def _no_op(self) -> str:
        spec = self.new_spec
        if spec.strategy is UpdateStrategy.ON_DELETE:
            return "updateStrategy is OnDelete: pods keep the old version until somebody deletes them"
        if spec.strategy is UpdateStrategy.RECREATE and not self.model.statefulset_recreate:
            return "updateStrategy Recreate needs the feature gate StatefulSetRecreateStrategy"
        if spec.partition >= spec.replicas > 0:
            return f"partition {spec.partition} covers all {spec.replicas} pods: none is replaced"
        return ""

    def _notes(self) -> tuple[str, ...]:
        spec, notes = self.new_spec, []
        if not self.templates.rolls or self._no_op():
            return ()
        if spec.partition:
            notes.append(f"only pods from ordinal {spec.start + spec.partition} on are replaced (partition)")
        if spec.unavailable > 1 and not self.model.statefulset_max_unavailable:
            notes.append(f"{self.model.name} ignores maxUnavailable: one pod is replaced at a time")
        return tuple(notes)

    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the way with the times of a scenario; one controller alone acts, so there are no others."""
        run = StatefulSetRun(self.old_spec, self.timing(assumptions, scenario), self.model)
        run.edit(self.new_spec)
        return run.run()

    @property
    def pods_before(self) -> int:
        """Pods that ran before the merge."""
        return self.old_spec.replicas if self.old_spec is not None else 0

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        return (*super().counted, *supposed_replicas(self.before, self.after, self.assumptions))

    @property
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""
        return self.new_spec.min_ready_s

    @property
    def phases(self) -> tuple[int, int] | None:
        """One pod after the other; windows overlap in ways that only the simulation knows."""
        if self.old_spec is None or not self.templates.rolls:
            return (1 if self.new_spec.parallel else self.new_spec.replicas), 0
        rolled = max(0, self.new_spec.replicas - self.new_spec.partition)
        return rolled, rolled

    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for, and whether a revert gets it out."""
        last = timeline.moments[-1].step
        reason = f": {self.never_ready}" if self.never_ready else ""
        text = f"halts with {last.old} old and {last.new} new pods{reason}"
        if not self.new_spec.parallel:
            return f"{text}. Reverting does not help: the controller waits for the broken pod until somebody deletes it"
        if self.model.statefulset_max_unavailable and not self.model.statefulset_replaces_broken_pods:
            return f"{text}. Reverting does not help: the broken pod uses up maxUnavailable (kubernetes 137409)"
        return text
