"""A change of a Deployment, read from its manifests."""

from gitops_guard.model import Body
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.case import OLD, Case, Facts, Supposed, int_or_percent, integer, struct, supposed_replicas
from gitops_guard.rollout.choices import Choices, Search
from gitops_guard.rollout.deployment import DeploymentSpec
from gitops_guard.rollout.deployment_fast import rolling_timeline
from gitops_guard.rollout.deployment_run import DeploymentRun
from gitops_guard.rollout.timeline import Timeline


def deployment_spec(body: Body, template: str, replicas: int) -> DeploymentSpec:
    """Read what the controller reads, with the defaults of pkg/apis/apps/v1/defaults.go:SetDefaults_Deployment.

    Args:
        body: The Deployment.
        template: Name of its template.
        replicas: Where the manifest names none.
    """
    spec = struct(body.get("spec"))
    strategy = struct(spec.get("strategy"))
    rolling = struct(strategy.get("rollingUpdate"))
    return DeploymentSpec(
        replicas=integer(spec.get("replicas"), replicas),
        template=template,
        recreate=strategy.get("type") == "Recreate",
        max_surge=int_or_percent(rolling.get("maxSurge"), "25%"),
        max_unavailable=int_or_percent(rolling.get("maxUnavailable"), "25%"),
        paused=spec.get("paused") is True,
        min_ready_s=integer(spec.get("minReadySeconds"), 0),
        deadline_s=integer(spec.get("progressDeadlineSeconds"), 600),
        history_limit=integer(spec.get("revisionHistoryLimit"), 10),
    )


class DeploymentCase(Case):
    """A Deployment before and after a merge."""

    def __init__(self, before: Body | None, after: Body, assumptions: Assumptions) -> None:
        super().__init__(before, after, assumptions)
        replicas = 1 if assumptions.replicas is None else assumptions.replicas
        self.new_spec = deployment_spec(after, self.templates.new, replicas)
        self.old_spec = deployment_spec(before, OLD, replicas) if before is not None else None

    @property
    def facts(self) -> Facts:
        """What is known before anything is simulated."""
        new, old = self.new_spec, self.old_spec
        sizes = [new, *(new._replace(replicas=replicas) for _, replicas in self.assumptions.scalings)]
        least = 0 if new.recreate else min(size.replicas - size.budget.unavailable for size in sizes)
        wanted = 0 if old is None else min(least, old.replicas)
        return Facts(
            strategy="Recreate" if new.recreate else "RollingUpdate",
            wanted=wanted,
            no_op="spec.paused is true: the change waits until somebody resumes the Deployment" if new.paused else "",
            notes=self._notes(),
            keeps_history=new.history_limit > 0,
            grows=old is None or old.replicas != new.replicas,
            may_be_empty=new.replicas == 0 or old is None or old.replicas == 0,
        )

    def _notes(self) -> tuple[str, ...]:
        spec, notes = self.new_spec, []
        if not spec.recreate and self.templates.rolls and spec.replicas and spec.budget.unavailable == 0:
            surge = "1 extra pod" if spec.budget.surge == 1 else f"{spec.budget.surge} extra pods"
            notes.append(f"the rollout moves only while {surge} can be scheduled: no pod may be missing")
        if not spec.recreate and spec.budget.unavailable >= spec.replicas > 0 and self.templates.rolls:
            notes.append("all pods may be missing at once: maxUnavailable is as large as replicas")
        if spec.replicas == 0 and self.old_spec is not None and self.old_spec.replicas:
            notes.append("replicas is 0: no pod runs after the merge")
        return tuple(notes)

    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the likely way with the times of a scenario."""
        return self._run(assumptions, scenario, Choices())

    def ways(self, assumptions: Assumptions, scenario: Scenario) -> tuple[Timeline, ...]:
        """Return the ways that controllers may take: as statuses are fresh or stale."""
        search = Search(lambda choices: self._run(assumptions, scenario, choices))
        first = self.run(assumptions, scenario)
        return (first, *search.runs(unlucky=True)) if assumptions.scalings else (first,)

    def _run(self, assumptions: Assumptions, scenario: Scenario, choices: Choices) -> Timeline:
        timing, quota = self.timing(assumptions, scenario), assumptions.quota_pods
        if self.old_spec is not None and quota is None and not assumptions.scalings:
            plain = rolling_timeline(self.old_spec, self.new_spec, timing)
            if plain is not None:
                return plain
        if self.old_spec is None:
            run = DeploymentRun.fresh(self.new_spec, timing, choices=choices, quota_pods=quota)
        else:
            run = DeploymentRun(self.old_spec, timing, choices=choices, quota_pods=quota)
        for after_s, replicas in assumptions.scalings:
            run.scale_later(round(after_s * 1000), replicas)
        run.edit(self.new_spec)
        run.run()
        return run.timeline

    @property
    def pods_before(self) -> int:
        """Pods that ran before the merge."""
        return self.old_spec.replicas if self.old_spec is not None else 0

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        return (*super().counted, *supposed_replicas(self.before, self.after, self.assumptions), *self._limits())

    def _limits(self) -> list[Supposed]:
        found, given = [], self.assumptions
        if given.quota_pods is not None:
            found.append(
                Supposed("quota_pods", "quota", f"{given.quota_pods} pods", "creation of more pods is refused")
            )
        for after_s, replicas in given.scalings:
            effect = "the worst way includes controllers acting on stale statuses"
            found.append(Supposed("scalings", "scaling", f"{replicas} replicas after {after_s:g} s", effect))
        return found

    @property
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""
        return self.new_spec.min_ready_s

    @property
    def phases(self) -> tuple[int, int] | None:
        """The closed form of a rolling update, and of the simple cases."""
        new, old = self.new_spec, self.old_spec
        if old is None or not new.replicas:
            return 1, 0
        if not self.templates.rolls:
            return None
        return (1, 1) if new.recreate else (-(-new.replicas // sum(new.budget)), 0)

    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for."""
        last = timeline.moments[-1].step
        if self.new_spec.paused:
            return "the Deployment is paused"
        if last.new < dict(timeline.moments[-1].sizes).get(self.templates.new, 0):
            return f"quota refuses pods beyond {self.assumptions.quota_pods}: new pods cannot be created"
        if self.never_ready:
            return f"halts with {last.old} old and {last.new} new pods: {self.never_ready}"
        return f"halts with {last.old} old and {last.new} new pods"
