"""A Canary of Flagger, its target and its primary together in virtual time."""

from collections.abc import Mapping
from typing import NamedTuple

from gitops_guard.model.rollout import Step
from gitops_guard.rollout.case import NEW
from gitops_guard.rollout.deployment import DeploymentSpec, Progress
from gitops_guard.rollout.deployment_run import DeploymentRun
from gitops_guard.rollout.flagger import Act, FlaggerSpec, FlaggerStatus, Phase, Readiness, Seen, tick
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.timeline import MAX_STEPS, Moment, Timeline

_MOST_TICKS = 5000
"""Ticks before a run is called capped: 14 hours at the shortest interval."""

_OVER = (Phase.SUCCEEDED, Phase.FAILED)


class Loop(NamedTuple):
    """What happens beside the Deployments."""

    first_ms: int
    """From the merge to the next tick."""

    checks_pass: bool = True
    confirmed_ms: int | None = None
    """When somebody opens the gates, after the merge; None: nobody does."""


class FlaggerRun:
    """One trajectory: the merge changes the target, which has no pods, and Flagger does the rest."""

    def __init__(
        self,
        spec: FlaggerSpec,
        before: DeploymentSpec,
        after: DeploymentSpec,
        timing: Mapping[str, PodTiming],
        loop: Loop,
    ) -> None:
        """Start at rest: the primary runs the old version, the target is scaled to 0.

        Args:
            spec: The Canary.
            before: The target before the merge; its replicas are those of the primary.
            after: The target after the merge; replicas as Git has them, 0 where it names none.
            timing: How long pods take, by name of template.
            loop: Ticks and checks.
        """
        self.spec = spec
        self.loop = loop
        self.status = FlaggerStatus()
        self.after = after
        self.primary = DeploymentRun(before, timing)
        self.target = DeploymentRun(before._replace(replicas=0), timing)
        self.moments: list[Moment] = []
        self.now_ms = 0
        self._changed_ms = {True: 0, False: 0}
        """When Flagger or the merge last changed the primary (True) and the target (False)."""
        self._change(self.target, after)
        self._applied = False
        self._waits = False
        self._idle_ticks = 0

    def run(self) -> Timeline:
        """Go on until the Canary is promoted or rolled back and all pods are at rest, or nothing changes any more."""
        capped = False
        self._record("the target changed")
        at_ms = self.loop.first_ms
        interval_ms = round(self.spec.interval_s * 1000)
        ticks = 0
        while not self._is_over():
            ticks += 1
            self._go_on(at_ms)
            self._tick()
            if self._stands_still():
                break
            if ticks >= _MOST_TICKS or len(self.moments) >= MAX_STEPS:
                capped = True
                break
            at_ms += interval_ms
        self._go_on(None)
        done = self.status.phase is Phase.SUCCEEDED and self.primary.completed_ms is not None
        return Timeline(tuple(self.moments), self.now_ms if done else None, capped, None, self._ending(), self._waits)

    def _is_over(self) -> bool:
        return self.status.phase in _OVER or self.spec.suspended

    def _stands_still(self) -> bool:
        """Whether ticks alone change nothing: no event is left and as many ticks passed as any deadline needs."""
        patience = self.spec.deadline_s / self.spec.interval_s + 3
        return self._idle_ticks > patience and not self._events()

    def _events(self) -> bool:
        later = self.loop.confirmed_ms is not None and self.now_ms < self.loop.confirmed_ms
        return later or any(len(run.queue) and not run.queue.only_idle for run in (self.primary, self.target))

    # Deployments

    def _go_on(self, until_ms: int | None) -> None:
        """Let both Deployments go on to a time, or until nothing is left to happen."""
        while (run := self._advanced(until_ms)) is not None:
            self.now_ms = max(self.now_ms, run.queue.now_ms)
            self._record(run.moments[-1].step.cause)
        if until_ms is not None:
            self.now_ms = max(self.now_ms, until_ms)

    def _advanced(self, until_ms: int | None) -> DeploymentRun | None:
        """Let the next thing happen, up to a time, and return to which Deployment; timers that are moot do not."""
        due = [
            (at_ms, index, run)
            for index, run in enumerate((self.primary, self.target))
            if (at_ms := run.queue.next_ms) is not None and (until_ms is None or at_ms <= until_ms)
        ]
        return next((run for _, _, run in sorted(due) if run.advance()), None)

    def _change(self, run: DeploymentRun, spec: DeploymentSpec) -> None:
        run.queue.now_ms = max(run.queue.now_ms, self.now_ms)
        self._changed_ms[run is self.primary] = self.now_ms
        run.edit(spec)

    # Flagger

    def _tick(self) -> None:
        confirmed = self.loop.confirmed_ms is not None and self.now_ms >= self.loop.confirmed_ms
        seen = Seen(
            changed=not self._applied,
            primary=self._readiness(self.primary, self.spec.primary_ready_percent),
            canary=self._readiness(self.target, self.spec.canary_ready_percent),
            hooks_pass=self.loop.checks_pass or not self.spec.has_hooks,
            checks_pass=self.loop.checks_pass or not self.spec.has_checks,
            confirmed=confirmed,
        )
        found = tick(self.spec, self.status, seen)
        self._waits = found == (self.status, ()) and not confirmed and self._at_gate()
        self._idle_ticks = self._idle_ticks + 1 if found == (self.status, ()) else 0
        self._applied = self._applied or Act.SCALE_UP in found.acts
        before, self.status = self.status, found.status
        for act in found.acts:
            self._act(act)
        if before != found.status or found.acts:
            self._record(_words(before, found.status))

    def _at_gate(self) -> bool:
        asks = self.spec.confirms_increase and self.status.phase is Phase.PROGRESSING
        return asks or self.status.phase in (Phase.WAITING, Phase.WAITING_PROMOTION)

    def _act(self, act: Act) -> None:
        if act is Act.SCALE_TO_ZERO:
            self._change(self.target, self.target.spec._replace(replicas=0))
        elif act is Act.SCALE_UP:
            wanted = self.target.spec.replicas or self._replicas_from_zero()
            self._change(self.target, self.target.spec._replace(replicas=wanted))
        else:
            kept = self.primary.spec.replicas if self.spec.autoscaled else self.target.spec.replicas
            self._change(self.primary, self.after._replace(replicas=kept))

    def _replicas_from_zero(self) -> int:
        """deployment_controller.go:ScaleFromZero: the primary's number, or one where an autoscaler knows better."""
        return 1 if self.spec.autoscaled else max(1, self.primary.spec.replicas)

    def _readiness(self, run: DeploymentRun, percent: int) -> Readiness:
        """deployment_ready.go:isDeploymentReady."""
        status = run.status
        if status.progress is Progress.TIMED_OUT:
            return Readiness.STUCK
        least = int(status.updated * percent / 100)
        ready = status.updated >= run.spec.replicas and status.replicas <= status.updated and status.available >= least
        if status.observed and ready:
            return Readiness.READY
        since_ms = self._unavailable_since(run)
        # The condition's time is cut to whole seconds: where a deadline is so many intervals long, that decides.
        early_ms = run.timing[run.spec.template].early_ms
        late = since_ms is not None and since_ms - early_ms + self.spec.deadline_s * 1000 < self.now_ms
        return Readiness.STUCK if late else Readiness.WAITING

    def _unavailable_since(self, run: DeploymentRun) -> int | None:
        """Return since when the Deployment's condition Available is False."""
        least = run.spec.replicas - run.spec.budget.unavailable
        since: int | None = None
        for moment in reversed(run.moments):
            if moment.step.available >= least:
                break
            since = round(moment.step.t_s * 1000)
        # Before the last change another number was wanted.
        return None if since is None else max(since, self._changed_ms[run is self.primary])

    # What is recorded

    def _record(self, cause: str) -> None:
        primary = self.primary.moments[-1] if self.primary.moments else None
        target = self.target.moments[-1].step
        old, new, ready, ready_new, available, ending = self._primary_counts(primary)
        weight = self.status.weight
        share = ready_new / ready if ready else 0.0
        serving = (available if weight < 100 else 0) + (target.available if weight > 0 else 0)
        step = Step(
            t_s=self.now_ms / 1000,
            old=old,
            new=new + target.new + target.old,
            ready=ready + target.ready,
            available=serving,
            terminating=ending + target.terminating,
            cause=cause,
            traffic=round((weight + (100 - weight) * share) / 100, 4),
        )
        self.moments.append(Moment(step, (), ready_new + target.ready))

    def _primary_counts(self, last: Moment | None) -> tuple[int, int, int, int, int, int]:
        if last is None:
            pods = self.primary.spec.replicas
            return pods, 0, pods, 0, pods, 0
        step = last.step
        if self.primary.spec.template != NEW:
            return step.old + step.new, 0, step.ready, 0, step.available, step.terminating
        return step.old, step.new, step.ready, last.ready_new, step.available, step.terminating

    def _ending(self) -> str:
        status = self.status
        if status.phase is Phase.FAILED and status.weight:
            return "the promoted primary does not become ready: Flagger sends all traffic to the target and stops"
        if status.phase is Phase.FAILED:
            return "Flagger rolls back: all traffic to the primary, which runs the old version"
        if self._waits:
            return f"waits in phase {status.phase} until somebody confirms"
        if status.phase is not Phase.SUCCEEDED:
            return f"stays in phase {status.phase}"
        return ""


def _words(before: FlaggerStatus, after: FlaggerStatus) -> str:
    if before.phase is not after.phase:
        return f"Flagger: {after.phase}"
    if before.weight != after.weight:
        return f"Flagger: weight {after.weight}"
    if before.failed_checks != after.failed_checks:
        return f"Flagger: {after.failed_checks} failed checks"
    return f"Flagger: iteration {after.iterations}"
