"""One tick of Flagger: what its loop does with a Canary whose target is a Deployment.

Rules from flagger, 1.44.0 (commit 15bd6ad5), pkg/controller/scheduler.go:advanceCanary; names in comments are of
that file unless another one is named. The target runs new versions beside `<target>-primary`, which serves meanwhile.
"""

from enum import Enum, StrEnum
from typing import NamedTuple

TOTAL_WEIGHT = 100
KUBERNETES_ITERATIONS = 10
"""What the provider kubernetes sets where analysis.iterations is absent: it cannot split traffic."""


class Phase(StrEnum):
    """status.phase, as far as a rollout passes through it."""

    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class FlaggerSpec(NamedTuple):
    """The fields of a Canary that decide its way."""

    interval_s: float = 60
    threshold: int = 1
    max_weight: int = TOTAL_WEIGHT
    step_weight: int = 0
    step_weights: tuple[int, ...] = ()
    step_weight_promotion: int = 0
    iterations: int = 0
    matches: bool = False
    mirror: bool = False
    plain: bool = False
    """Provider kubernetes: no traffic is split."""

    skip_analysis: bool = False
    deadline_s: int = 600
    primary_ready_percent: int = 100
    canary_ready_percent: int = 100
    autoscaled: bool = False
    suspended: bool = False
    confirms_rollout: bool = False
    confirms_increase: bool = False
    confirms_promotion: bool = False
    has_hooks: bool = False
    """Whether pre-rollout hooks are asked before any traffic."""

    has_checks: bool = False
    """Whether metrics or webhooks are asked while there is traffic."""

    @property
    def top_weight(self) -> int:
        """Return the weight at which the canary is promoted: maxWeight."""
        return min(TOTAL_WEIGHT, self.step_weights[-1]) if self.step_weights else self.max_weight

    def next_step(self, weight: int) -> int:
        """Return by how much the weight grows: nextStepWeight."""
        if self.step_weight > 0 or not self.step_weights:
            return self.step_weight
        rest = TOTAL_WEIGHT - weight
        if rest == 0:
            return 1
        if weight == 0:
            return min(rest, self.step_weights[0])
        for here, following in zip(self.step_weights, self.step_weights[1:], strict=False):
            if here == weight:
                return min(rest, following - weight)
        return rest


class FlaggerStatus(NamedTuple):
    """The stored status and the routes that go with it."""

    phase: Phase = Phase.INITIALIZED
    weight: int = 0
    """Share of the traffic that the target gets, in percent."""

    iterations: int = 0
    failed_checks: int = 0
    mirrored: bool = False


class Readiness(Enum):
    """deployment_ready.go:isDeploymentReady."""

    READY = "ready"
    WAITING = "waiting"
    STUCK = "stuck"
    """The error cannot be retried: a deadline has passed."""


class Seen(NamedTuple):
    """What a tick finds."""

    changed: bool = False
    """The target's template or configuration is another than the last applied one."""

    primary: Readiness = Readiness.READY
    canary: Readiness = Readiness.READY
    hooks_pass: bool = True
    checks_pass: bool = True
    confirmed: bool = True
    """Somebody opens the gates of the confirm hooks."""


class Act(Enum):
    """What a tick does to Deployments."""

    SCALE_UP = "scale up the target"
    SCALE_TO_ZERO = "scale the target to 0"
    PROMOTE = "copy the target to the primary"


class Tick(NamedTuple):
    """What one tick leaves behind."""

    status: FlaggerStatus
    acts: tuple[Act, ...] = ()


_RUNNING = frozenset({Phase.PROGRESSING, Phase.WAITING_PROMOTION, Phase.PROMOTING, Phase.FINALISING})


def tick(spec: FlaggerSpec, status: FlaggerStatus, seen: Seen) -> Tick:
    """Return what advanceCanary does."""
    if spec.suspended or not (status.phase in _RUNNING or status.phase is Phase.WAITING or seen.changed):
        return Tick(status)
    if not spec.skip_analysis and seen.primary is not Readiness.READY:
        return _primary_not_ready(status, seen)
    if status.phase not in _RUNNING:
        return _start(spec, status, seen)
    if seen.changed and status.phase in (Phase.PROGRESSING, Phase.WAITING_PROMOTION):
        return Tick(FlaggerStatus(Phase.PROGRESSING))  # hasCanaryRevisionChanged: all over again
    if seen.canary is not Readiness.READY:
        return _roll_back() if seen.canary is Readiness.STUCK else Tick(status)
    if spec.skip_analysis:
        return Tick(FlaggerStatus(Phase.SUCCEEDED), (Act.PROMOTE, Act.SCALE_TO_ZERO))
    if status.phase is Phase.PROMOTING:
        return _shift_back(spec, status)
    if status.phase is Phase.FINALISING:
        return Tick(status._replace(phase=Phase.SUCCEEDED), (Act.SCALE_TO_ZERO,))
    return _analyse(spec, status, seen)


def _primary_not_ready(status: FlaggerStatus, seen: Seen) -> Tick:
    """A primary that breaks while it is promoted gets no traffic: handleFailedPromotion."""
    if seen.primary is Readiness.WAITING:
        return Tick(status)
    if status.phase in (Phase.PROMOTING, Phase.FINALISING):
        return Tick(FlaggerStatus(Phase.FAILED, TOTAL_WEIGHT))
    return _roll_back()


def _start(spec: FlaggerSpec, status: FlaggerStatus, seen: Seen) -> Tick:
    """Notice a new revision: checkCanaryStatus."""
    if spec.confirms_rollout and not seen.confirmed:
        return Tick(status._replace(phase=Phase.WAITING))
    return Tick(FlaggerStatus(Phase.PROGRESSING), (Act.SCALE_UP,))


def _roll_back() -> Tick:
    """Send all traffic to the primary and end the target's pods: rollback."""
    return Tick(FlaggerStatus(Phase.FAILED), (Act.SCALE_TO_ZERO,))


def _shift_back(spec: FlaggerSpec, status: FlaggerStatus) -> Tick:
    """Send the traffic to the promoted primary, at once or in steps: runPromotionTrafficShift."""
    if spec.plain or not spec.step_weight_promotion:
        return Tick(status._replace(phase=Phase.FINALISING, weight=0))
    weight = max(0, status.weight - spec.step_weight_promotion)
    phase = Phase.FINALISING if weight == 0 else Phase.PROMOTING
    return Tick(status._replace(phase=phase, weight=weight))


def _analyse(spec: FlaggerSpec, status: FlaggerStatus, seen: Seen) -> Tick:
    if status.failed_checks >= spec.threshold:
        return _roll_back()
    started = status.weight > 0 or status.iterations > 0 or (spec.mirror and status.mirrored)
    if not (seen.checks_pass if started else seen.hooks_pass):
        return Tick(status._replace(failed_checks=status.failed_checks + 1))
    iterations = spec.iterations or (KUBERNETES_ITERATIONS if spec.plain else 0)
    if iterations:
        by_match = spec.matches and not spec.plain
        return _iterate(spec._replace(iterations=iterations), status, seen, by_match=by_match)
    if spec.next_step(status.weight) <= 0:
        return Tick(status)
    if spec.confirms_increase and not seen.confirmed and not status.mirrored:
        return Tick(status)
    return _advance(spec, status, seen)


def _iterate(spec: FlaggerSpec, status: FlaggerStatus, seen: Seen, *, by_match: bool) -> Tick:
    """Count iterations: runAB sends matching traffic to the target from the first, runBlueGreen all after the last."""
    if spec.iterations > status.iterations:
        weight = TOTAL_WEIGHT if by_match else status.weight
        mirrored = spec.mirror and not by_match and not spec.plain
        return Tick(status._replace(weight=weight, iterations=status.iterations + 1, mirrored=mirrored))
    if spec.confirms_promotion and not seen.confirmed:
        return _await_promotion(spec, status)
    if by_match or spec.iterations < status.iterations:
        return Tick(status._replace(phase=Phase.PROMOTING), (Act.PROMOTE,))
    weight = status.weight if spec.plain else TOTAL_WEIGHT
    return Tick(status._replace(weight=weight, iterations=status.iterations + 1, mirrored=False))


def _await_promotion(spec: FlaggerSpec, status: FlaggerStatus) -> Tick:
    """scheduler_hooks.go:runConfirmPromotionHooks."""
    if status.phase is not Phase.WAITING_PROMOTION:
        return Tick(status._replace(phase=Phase.WAITING_PROMOTION))
    return Tick(status._replace(iterations=spec.iterations - 1))


def _advance(spec: FlaggerSpec, status: FlaggerStatus, seen: Seen) -> Tick:
    """Give the target more traffic, or promote it: runCanary."""
    if status.weight < spec.top_weight:
        if spec.mirror and status.weight == 0 and not status.mirrored:
            return Tick(status._replace(mirrored=True))
        weight = min(TOTAL_WEIGHT, status.weight + spec.next_step(status.weight))
        return Tick(status._replace(weight=weight, mirrored=False))
    if spec.confirms_promotion and not seen.confirmed:
        return _await_promotion(spec, status)
    return Tick(status._replace(phase=Phase.PROMOTING), (Act.PROMOTE,))
