"""How long a pod takes to become ready and to end: the kubelet's rules applied to a template and assumptions.

Rules from kubernetes v1.36.3: pkg/kubelet/prober/worker.go (probes), pkg/kubelet/kuberuntime/kuberuntime_container.go
(killing), kuberuntime_manager.go (order of containers).
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.pods import PodTiming

SERVED_GATES = (
    "target-health.elbv2.k8s.aws/",
    "target-health.alb.ingress.k8s.aws/",
    "cloud.google.com/load-balancer-neg-ready",
    "apps.kruise.io/",
    "kubernetes.io/",
)
"""Readiness gates that a known controller sets, by prefix."""

_KILL_GRACE_S = 2
"""What a container gets after a preStop hook that used up the grace period: minimumGracePeriodInSeconds."""


class PodEstimate(NamedTuple):
    """One version's pods in one scenario."""

    ready_s: float | None
    """Creation to Ready; None: never, and `never` says why."""

    gone_s: float
    """Deletion to the end of the last container."""

    starts: bool
    """Whether the containers run at all."""

    never: str
    used: frozenset[str]
    """Names of the assumptions that it rests on."""

    @property
    def timing(self) -> PodTiming:
        """Return the estimate in the queue's unit."""
        ready_ms = NEVER if self.ready_s is None else round(self.ready_s * 1000)
        return PodTiming(ready_ms, round(self.gone_s * 1000), self.starts)


class _Clock:
    """Adds up assumed times and remembers which."""

    def __init__(self, assumptions: Assumptions, scenario: Scenario) -> None:
        self.assumptions = assumptions
        self.scenario = scenario
        self.used: set[str] = set()

    def take(self, name: str, image: str = "") -> float:
        self.used.add(name)
        return self.assumptions.seconds(name, self.scenario, image)

    def between(self, low: float, high: float) -> float:
        """Something that no assumption names, such as the phase of a probe."""
        return (low, (low + high) / 2, high)[self.scenario]


def estimate_pod(template: Body, assumptions: Assumptions, scenario: Scenario) -> PodEstimate:
    """Return how long pods of a template take to become ready and to end."""
    spec = _struct(template.get("spec"))
    clock = _Clock(assumptions, scenario)
    at_s = clock.take("scheduling")
    at_s, ready_at, never = _init_phase(spec, clock, at_s)
    if not never:
        ready_at, never = _main_phase(spec, clock, at_s, ready_at)
    ready_at, gate = _gates(spec, clock, ready_at)
    never = never or gate
    ready_s = None if never else ready_at + clock.take("status_latency")
    gone_s = _end(spec, clock)
    return PodEstimate(ready_s, gone_s, starts=True, never=never, used=frozenset(clock.used))


def _init_phase(spec: Body, clock: _Clock, at_s: float) -> tuple[float, float, str]:
    """Return when the main containers may start, when all sidecars are ready, and why they never are."""
    ready_at, never = at_s, ""
    for container in _structs(spec.get("initContainers")):
        at_s = _start(container, clock, at_s)
        if container.get("restartPolicy") == "Always":
            probed = _probed(container, clock, at_s)
            never = never or probed.never
            ready_at = max(ready_at, probed.ready_at)
            at_s = probed.started_at
        else:
            at_s += clock.take("init_container", _image(container))
    return at_s, ready_at, never


def _main_phase(spec: Body, clock: _Clock, at_s: float, ready_at: float) -> tuple[float, str]:
    """Containers start one after the other, each after its own pull and postStart hook."""
    never = ""
    for container in _structs(spec.get("containers")):
        at_s = _start(container, clock, at_s)
        probed = _probed(container, clock, at_s)
        never = never or probed.never
        ready_at = max(ready_at, probed.ready_at)
    return ready_at, never


def _start(container: Body, clock: _Clock, at_s: float) -> float:
    """Return when a container runs: image pull (one at a time on a node), start, postStart hook."""
    image = _image(container)
    if container.get("imagePullPolicy") != "Never":
        at_s += clock.take("image_pull", image)
    at_s += clock.take("container_start", image)
    return at_s + _hook_s(_struct(_struct(container.get("lifecycle")).get("postStart")), clock, image)


class _Probed(NamedTuple):
    """When the probes of a container say what."""

    started_at: float
    ready_at: float
    never: str = ""


def _probed(container: Body, clock: _Clock, at_s: float) -> _Probed:
    """prober/worker.go:doProbe. Probes tick by the worker's start, which is not aligned to the container's."""
    startup, liveness = _probe(container, "startupProbe"), _probe(container, "livenessProbe")
    readiness = _probe(container, "readinessProbe")
    if startup is None and readiness is None and liveness is None:
        return _Probed(at_s, at_s)
    app_s = _app_start_s(clock, _image(container), startup or liveness)
    started_s = 0.0
    if startup is not None:
        if app_s > _budget_s(startup, clock):
            return _Probed(at_s, at_s, _too_slow(container, "startupProbe", _budget_s(startup, clock), app_s))
        started_s = max(startup.delay_s, app_s) + clock.between(0, startup.period_s)
    elif liveness is not None and app_s > _budget_s(liveness, clock):
        return _Probed(at_s, at_s, _too_slow(container, "livenessProbe", _budget_s(liveness, clock), app_s))
    ready_s = started_s
    if readiness is not None:
        first_s = max(started_s, readiness.delay_s, app_s)
        ready_s = first_s + (readiness.successes - 1) * readiness.period_s + clock.between(0, readiness.period_s)
    return _Probed(at_s + started_s, at_s + ready_s)


def _app_start_s(clock: _Clock, image: str, deadly: "_Probe | None") -> float:
    """Return when the application answers. One of which nothing is known is supposed to survive its own probes."""
    app_s = clock.take("app_start", image)
    if deadly is None or clock.assumptions.knows("app_start", image):
        return app_s
    return min(app_s, _budget_s(deadly, clock))


class _Probe(NamedTuple):
    """The numbers of a probe, with the API's defaults."""

    delay_s: float
    period_s: float
    failures: int
    successes: int


def _probe(container: Body, name: str) -> _Probe | None:
    probe = container.get(name)
    if not isinstance(probe, dict):
        return None
    return _Probe(
        _number(probe.get("initialDelaySeconds"), 0),
        _number(probe.get("periodSeconds"), 0) or 10,
        int(_number(probe.get("failureThreshold"), 0)) or 3,
        int(_number(probe.get("successThreshold"), 0)) or 1,
    )


def _budget_s(probe: _Probe, clock: _Clock) -> float:
    """Return how long a container may fail a probe before it is killed; the first tick may come a period late."""
    ticks = probe.failures - 1 if clock.scenario is Scenario.HIGH else probe.failures
    return probe.delay_s + probe.period_s * ticks


def _too_slow(container: Body, probe: str, budget_s: float, app_s: float) -> str:
    name = container.get("name")
    return f"container {name} needs {app_s:g} s to start, but its {probe} kills it after {budget_s:g} s, always again"


def _gates(spec: Body, clock: _Clock, ready_at: float) -> tuple[float, str]:
    gates = [gate.get("conditionType") for gate in _structs(spec.get("readinessGates"))]
    unknown = [gate for gate in gates if not str(gate).startswith(SERVED_GATES)]
    if unknown and not clock.assumptions.unknown_gates_met:
        return ready_at, f"no known controller sets readiness gate {unknown[0]}"
    return (ready_at + clock.take("readiness_gate") if gates else ready_at), ""


def _end(spec: Body, clock: _Clock) -> float:
    """Return the time from the deletion to the end of the last container; all containers get the signal together."""
    grace_s = _number(spec.get("terminationGracePeriodSeconds"), 30)
    longest = max((_stop_s(container, clock, grace_s) for container in _structs(spec.get("containers"))), default=0.0)
    return longest + clock.take("status_latency")


def _stop_s(container: Body, clock: _Clock, grace_s: float) -> float:
    """kuberuntime_container.go:killContainer: the hook runs inside the grace period, the signal gets the rest."""
    image = _image(container)
    hook_s = _hook_s(_struct(_struct(container.get("lifecycle")).get("preStop")), clock, image)
    if hook_s >= grace_s:
        return grace_s + _KILL_GRACE_S
    return min(hook_s + clock.take("app_stop", image), max(grace_s, hook_s + _KILL_GRACE_S))


def _hook_s(hook: Body, clock: _Clock, image: str) -> float:
    """Return how long a hook runs: as long as it sleeps, or an assumption for what it does otherwise."""
    if not hook:
        return 0.0
    sleep_s = hook_sleep_s(hook)
    return clock.take("app_stop", image) if sleep_s is None else sleep_s


def hook_sleep_s(hook: Body) -> float | None:
    """Return how long a hook sleeps, if sleeping is all that it does; None otherwise."""
    sleep = hook.get("sleep")
    if isinstance(sleep, dict):
        return _number(sleep.get("seconds"), 0)
    command = _struct(hook.get("exec")).get("command")
    words = " ".join(word for word in command if isinstance(word, str)) if isinstance(command, list) else ""
    match = re.search(r"(?:^|[\s/;&])sleep\s+([0-9]{1,6}(?:\.[0-9]{1,3})?)s?\s*['\";]?\s*$", words)
    return float(match.group(1)) if match else None


def _struct(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _structs(value: Json) -> Iterator[Mapping[str, Json]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _image(container: Body) -> str:
    image = container.get("image")
    return image if isinstance(image, str) else ""


def _number(value: Json, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
