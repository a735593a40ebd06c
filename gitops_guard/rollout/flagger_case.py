"""A change of a Deployment that Flagger rolls out, read from its manifest and the Canary's."""

import re

from gitops_guard.model import Body, Json
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.case import OLD, Case, Facts, Supposed, integer, struct, structs, supposed_replicas
from gitops_guard.rollout.deployment_case import deployment_spec
from gitops_guard.rollout.flagger import TOTAL_WEIGHT, FlaggerSpec
from gitops_guard.rollout.flagger_run import FlaggerRun, Loop
from gitops_guard.rollout.timeline import Timeline

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_GATES = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion")


def interval_s(value: Json) -> float:
    """Return analysis.interval: 60 s where it is absent or none, at least 10 s: canary.go:GetAnalysisInterval."""
    text = value if isinstance(value, str) and len(value) < 30 else ""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return 60
    return max(10.0, sum(float(number) * _UNITS_S[unit] for number, unit in parts))


def flagger_spec(canary: Body) -> FlaggerSpec:
    """Read what the loop reads, with the defaults of pkg/apis/flagger/v1beta1/canary.go."""
    spec = struct(canary.get("spec"))
    given = spec.get("analysis") if spec.get("analysis") is not None else spec.get("canaryAnalysis")
    analysis = struct(given)
    hooks = [hook.get("type") or "rollout" for hook in structs(analysis.get("webhooks"))]
    weights = analysis.get("stepWeights")
    weights = weights if isinstance(weights, list) else []
    return FlaggerSpec(
        interval_s=interval_s(analysis.get("interval")),
        threshold=integer(analysis.get("threshold"), 1) or 1,
        max_weight=integer(analysis.get("maxWeight"), 0) or TOTAL_WEIGHT,
        step_weight=integer(analysis.get("stepWeight"), 0),
        step_weights=tuple(integer(weight, 0) for weight in weights),
        step_weight_promotion=integer(analysis.get("stepWeightPromotion"), 0),
        iterations=integer(analysis.get("iterations"), 0),
        matches=bool(analysis.get("match")),
        mirror=analysis.get("mirror") is True,
        plain=spec.get("provider") == "kubernetes",
        skip_analysis=given is None or spec.get("skipAnalysis") is True,
        deadline_s=integer(spec.get("progressDeadlineSeconds"), 600),
        primary_ready_percent=integer(analysis.get("primaryReadyThreshold"), 100),
        canary_ready_percent=integer(analysis.get("canaryReadyThreshold"), 100),
        autoscaled=spec.get("autoscalerRef") is not None,
        suspended=spec.get("suspend") is True,
        confirms_rollout=_GATES[0] in hooks,
        confirms_increase=_GATES[1] in hooks,
        confirms_promotion=_GATES[2] in hooks,
        has_hooks="pre-rollout" in hooks,
        has_checks=bool(structs(analysis.get("metrics"))) or "rollout" in hooks,
    )


class FlaggerCase(Case):
    """The target of a Canary before and after a merge; the Canary is at rest before it."""

    def __init__(self, canary: Body, before: Body, after: Body, assumptions: Assumptions) -> None:
        super().__init__(before, after, assumptions)
        self.canary = flagger_spec(canary)
        replicas = 1 if assumptions.replicas is None else assumptions.replicas
        self.old_spec = deployment_spec(before, OLD, replicas)
        self.old_spec = self.old_spec._replace(replicas=self.old_spec.replicas or 1)
        self.new_spec = deployment_spec(after, self.templates.new, 0)

    @property
    def facts(self) -> Facts:
        """What is known before anything is simulated."""
        paused = "the Canary is suspended: Flagger does nothing until somebody lets it go on"
        return Facts(
            strategy="flagger",
            wanted=self.old_spec.replicas - self.old_spec.budget.unavailable,
            no_op=paused if self.canary.suspended else "",
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        if struct(self.after.get("spec")).get("replicas") is None:
            return ()
        return ("spec.replicas is in Git, but Flagger sets it to 0 between rollouts: leave it out",)

    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the way with the times of a scenario; when the next tick comes is not known."""
        first_s = {Scenario.LOW: 0.0, Scenario.LIKELY: 0.5, Scenario.HIGH: 1.0}[scenario] * self.canary.interval_s
        promotes = assumptions.promotes_after
        loop = Loop(
            first_ms=round(first_s * 1000),
            checks_pass=assumptions.analysis_succeeds,
            confirmed_ms=None if promotes is None else round(promotes.at(scenario) * 1000),
        )
        timing = self.timing(assumptions, scenario)
        return FlaggerRun(self.canary, self.old_spec, self.new_spec, timing, loop).run()

    @property
    def pods_before(self) -> int:
        """Pods that ran before the merge: the primary's."""
        return self.old_spec.replicas

    @property
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""
        return self.new_spec.min_ready_s

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        found = [*super().counted, *supposed_replicas(self.before, self.after, self.assumptions)]
        if self.canary.has_checks or self.canary.has_hooks:
            result = "pass" if self.assumptions.analysis_succeeds else "fail"
            found.append(Supposed("analysis_succeeds", "checks", result, "decide between promotion and rollback"))
        return tuple(found)

    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for."""
        return f"{timeline.ending}: {self.never_ready}" if self.never_ready else timeline.ending
