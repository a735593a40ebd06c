"""A change of an Argo Rollout, read from its manifests."""

import re

from gitops_guard.model import Body, Json
from gitops_guard.rollout.argo_rollout import CanaryStep, RolloutSpec, StepKind
from gitops_guard.rollout.argo_run import ArgoRun, Outside
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.case import (
    OLD,
    Case,
    Facts,
    Supposed,
    int_or_percent,
    integer,
    struct,
    structs,
    supposed_replicas,
)
from gitops_guard.rollout.timeline import Timeline

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def duration_ms(value: Json) -> int | None:
    """Return a pause's duration: a number of seconds, such a number as text, or Go's `1h30m`; None when absent.

    Raises:
        ValueError: It is neither; the controller would refuse the Rollout.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    text = value if isinstance(value, str) else ""
    if text.isascii() and text.isdecimal():
        return int(text) * 1000
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{value!r} is no duration of a pause")
    return round(sum(float(number) * _UNITS_MS[unit] for number, unit in parts))


def rollout_spec(body: Body, template: str, replicas: int) -> RolloutSpec:
    """Read what the controller reads, with the defaults of argo-rollouts v1.9.0, utils/defaults/defaults.go.

    Args:
        body: The Rollout.
        template: Name of its template.
        replicas: Where the manifest names none.
    """
    spec = struct(body.get("spec"))
    strategy = struct(spec.get("strategy"))
    common = RolloutSpec(
        replicas=integer(spec.get("replicas"), replicas),
        template=template,
        blue_green="blueGreen" in strategy,
        paused=spec.get("paused") is True,
        min_ready_s=integer(spec.get("minReadySeconds"), 0),
    )
    if common.blue_green:
        return _blue_green(_delayed(common, struct(strategy.get("blueGreen"))), struct(strategy.get("blueGreen")))
    return _canary(_delayed(common, struct(strategy.get("canary"))), struct(strategy.get("canary")))


def _canary(common: RolloutSpec, canary: Body) -> RolloutSpec:
    routing = struct(canary.get("trafficRouting"))
    analysis = canary.get("analysis")
    return common._replace(
        steps=tuple(_step(step) for step in structs(canary.get("steps"))),
        routed=canary.get("trafficRouting") is not None,
        max_surge=int_or_percent(canary.get("maxSurge"), "25%"),
        max_unavailable=int_or_percent(canary.get("maxUnavailable"), "25%"),
        max_weight=integer(routing.get("maxTrafficWeight"), 100) or 100,
        dynamic_stable=canary.get("dynamicStableScale") is True,
        min_pods=integer(canary.get("minPodsPerReplicaSet"), 0),
        background_analysis_from=integer(struct(analysis).get("startingStep"), 0) if analysis is not None else None,
    )


def _blue_green(common: RolloutSpec, blue_green: Body) -> RolloutSpec:
    preview = blue_green.get("previewReplicaCount")
    return common._replace(
        auto_promotion=blue_green.get("autoPromotionEnabled") is not False,
        auto_promotion_ms=integer(blue_green.get("autoPromotionSeconds"), 0) * 1000,
        preview_replicas=None if preview is None else integer(preview, 1),
        pre_promotion_analysis=blue_green.get("prePromotionAnalysis") is not None,
        post_promotion_analysis=blue_green.get("postPromotionAnalysis") is not None,
        scale_down_delay_given=blue_green.get("scaleDownDelaySeconds") is not None,
    )


def _delayed(common: RolloutSpec, strategy: Body) -> RolloutSpec:
    """Both strategies keep what they replaced for a while; 0 on abort means for ever."""
    abort = strategy.get("abortScaleDownDelaySeconds")
    return common._replace(
        scale_down_limit=integer(strategy.get("scaleDownDelayRevisionLimit"), 1 << 31),
        scale_down_delay_ms=integer(strategy.get("scaleDownDelaySeconds"), 30) * 1000,
        abort_scale_down_delay_ms=None if abort == 0 else integer(abort, 30) * 1000,
        abort_delay_given=abort is not None,
    )


def _step(step: Body) -> CanaryStep:
    if "setWeight" in step:
        return CanaryStep(StepKind.SET_WEIGHT, weight=integer(step.get("setWeight"), 0))
    if "pause" in step:
        return CanaryStep(StepKind.PAUSE, duration_ms=duration_ms(struct(step.get("pause")).get("duration")))
    if "setCanaryScale" in step:
        scale = struct(step.get("setCanaryScale"))
        weight, replicas = scale.get("weight"), scale.get("replicas")
        return CanaryStep(
            StepKind.SET_SCALE,
            weight=None if weight is None else integer(weight, 0),
            replicas=None if replicas is None else integer(replicas, 0),
            matches_traffic=scale.get("matchTrafficWeight") is True,
        )
    if "analysis" in step or "experiment" in step:
        return CanaryStep(StepKind.ANALYSIS)
    return CanaryStep(StepKind.OTHER)


class RolloutCase(Case):
    """An Argo Rollout before and after a merge."""

    def __init__(self, before: Body | None, after: Body, assumptions: Assumptions) -> None:
        """Take the bodies.

        Raises:
            ValueError: The template stands in another object (workloadRef), or a duration is none.
        """
        if struct(after.get("spec")).get("workloadRef") is not None:
            raise ValueError(
                "a Rollout with spec.workloadRef cannot be simulated: its template stands in another object"
            )
        super().__init__(before, after, assumptions)
        replicas = 1 if assumptions.replicas is None else assumptions.replicas
        self.new_spec = rollout_spec(after, self.templates.new, replicas)
        self.old_spec = rollout_spec(before, OLD, replicas) if before is not None else None

    @property
    def facts(self) -> Facts:
        """What is known before anything is simulated."""
        new, old = self.new_spec, self.old_spec
        kept = new.replicas if new.blue_green or new.routed else new.replicas - new.budget.unavailable
        return Facts(
            strategy="blueGreen" if new.blue_green else "canary",
            wanted=0 if old is None else min(kept, old.replicas),
            no_op="spec.paused is true: the change waits until somebody resumes the Rollout" if new.paused else "",
            notes=self._notes(),
            keeps_history=integer(struct(self.after.get("spec")).get("revisionHistoryLimit"), 10) > 0,
            grows=old is None or old.replicas != new.replicas,
            may_be_empty=new.replicas == 0 or old is None or old.replicas == 0,
        )

    def _notes(self) -> tuple[str, ...]:
        spec = self.new_spec
        ignored = not spec.routed and any(step.kind is StepKind.SET_SCALE for step in spec.steps)
        return ("setCanaryScale is ignored: the canary has no trafficRouting",) if ignored else ()

    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the way with the times of a scenario."""
        promotes = assumptions.promotes_after
        outside = Outside(
            round(assumptions.seconds("analysis", scenario) * 1000),
            assumptions.analysis_succeeds,
            None if promotes is None else round(promotes.at(scenario) * 1000),
        )
        run = ArgoRun(self.old_spec, self.timing(assumptions, scenario), outside)
        run.edit(self.new_spec)
        return run.run()

    @property
    def waits(self) -> frozenset[str]:
        """Names of the times that the controller itself waits for."""
        spec = self.new_spec
        steps = any(step.kind is StepKind.ANALYSIS for step in spec.steps) or spec.background_analysis_from is not None
        analysed = steps or spec.pre_promotion_analysis or spec.post_promotion_analysis
        return frozenset({"analysis"}) if analysed and self.templates.rolls else frozenset()

    @property
    def pods_before(self) -> int:
        """Pods that ran before the merge."""
        return self.old_spec.replicas if self.old_spec is not None else 0

    @property
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""
        return self.new_spec.min_ready_s

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        found = [*super().counted, *supposed_replicas(self.before, self.after, self.assumptions)]
        if self.waits:
            result = "succeed" if self.assumptions.analysis_succeeds else "fail"
            found.append(Supposed("analysis_succeeds", "analyses", result, "decide between promotion and abort"))
        return tuple(found)

    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for."""
        last = timeline.moments[-1].step
        share = f"{100 * (last.traffic or 0):.0f} % of the traffic on the new version"
        if timeline.ending:
            return f"{timeline.ending}, with {share}"
        text = f"halts with {last.old} old and {last.new} new pods, {share}"
        return f"{text}: {self.never_ready}" if self.never_ready else text
