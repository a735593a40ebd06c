"""What the real controllers did, against what the simulators say.

The traces were recorded with kube-controller-manager, etcd and KWOK, over random rollouts. Of a Deployment they hold every
version of its ReplicaSets and of itself, in the order of the server's writes:

    ["set", version, spec, desired, max, revision, replicas, ready, available]
    ["deployment", version, replicas, paused, observed, progress, replicas, updated, ready, available]
    ["pods", version, version, ..]     (Recreate only) the version of every pod that exists

Of a StatefulSet and a DaemonSet they hold what happened to the pods, in the same order: `new web-2 created`.
"""

import itertools
import json
from pathlib import Path

import pytest

from gitops_guard.rollout.daemonset_case import daemonset_spec
from gitops_guard.rollout.daemonset_run import DaemonSetRun
from gitops_guard.rollout.deployment import (
    CreateSet,
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    OwnedSet,
    Progress,
    ScaleSet,
    sync,
)
from gitops_guard.rollout.deployment_run import DeploymentRun
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.statefulset_case import statefulset_spec
from gitops_guard.rollout.statefulset_run import StatefulSetRun
from gitops_guard.rollout.versions import kubernetes_model

TRACES = Path(__file__).parent / "traces"
LAG = 4
"""How many versions of an object the controller's cache may be behind."""


def load(name):
    cases = json.loads((TRACES / name).read_text())["cases"]
    return [pytest.param(case, id=str(number)) for number, case in enumerate(cases)]


class Replay:
    """A Deployment's trace, version by version."""

    def __init__(self, case):
        self.case = case
        self.sets = {}
        self.deployments = []
        self.pods = []
        self.unexplained = []
        self.explained = 0

    def run(self):
        for number, (kind, *row) in enumerate(self.case["rows"]):
            if kind == "pods":
                self.pods = row
            elif kind == "deployment":
                self.deployments.append(row)
            else:
                self._see_set(number, row)
        return self

    def _see_set(self, number, row):
        version, spec = row[:2]
        before = self.sets.get(version)
        if self.deployments and (before is None or before[-1][0] != spec):
            wanted = ("scale" if before else "create", str(version), spec)
            if any(wanted in writes for writes in self.possible()):
                self.explained += 1
            else:
                self.unexplained.append((number, wanted))
        self.sets.setdefault(version, []).append(row[1:])

    def possible(self):
        """What one sync writes, for every way in which the caches may lag behind."""
        for deployment, order in itertools.product(reversed(self.deployments[-3:]), self.orders()):
            for seen in itertools.product(*(reversed(self.sets[version][-LAG:]) for version in order)):
                yield self.sizes(deployment, list(zip(order, seen, strict=True)))

    def orders(self):
        """Sets by age; the API's timestamps have whole seconds, within which the names decide, which are hashes."""
        born = self.case["born"]
        return sorted(
            order
            for order in itertools.permutations(self.sets)
            if [born[str(version)] for version in order] == sorted(born[str(version)] for version in order)
        )

    def sizes(self, deployment, sets):
        version, replicas, paused, observed, progress, *counts = deployment
        state = Deployment(
            self.spec(version, replicas, paused),
            DeploymentStatus(observed, *counts, Progress(progress), 0),
            tuple(self.owned(rank, name, seen) for rank, (name, seen) in enumerate(sets)),
        )
        found = []
        for write in sync(state, 0):
            if isinstance(write, CreateSet):
                found.append(("create", write.template, write.replicas))
            elif isinstance(write, ScaleSet):
                found.append(("scale", write.name, write.replicas))
        return found

    def owned(self, rank, version, seen):
        spec, desired, maximum, revision, replicas, ready, available = seen
        min_ready_s = self.case["spec"].get("minReadySeconds", 0)
        existing = self.pods.count(version)
        counts = (replicas, ready, available, existing)
        return OwnedSet(str(version), rank, str(version), spec, desired, maximum, revision, min_ready_s, *counts)

    def spec(self, version, replicas, paused):
        strategy = self.case["spec"]["strategy"]
        rolling = strategy.get("rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0})
        return DeploymentSpec(
            replicas,
            str(version),
            recreate=strategy["type"] == "Recreate",
            max_surge=rolling["maxSurge"],
            max_unavailable=rolling["maxUnavailable"],
            paused=paused,
            min_ready_s=self.case["spec"].get("minReadySeconds", 0),
        )


@pytest.mark.parametrize("case", load("deployments.json"))
def test_deployment_when_the_real_controller_wrote_a_size_then_sync_writes_it_too(case):
    replay = Replay(case).run()
    assert replay.unexplained == []


@pytest.mark.parametrize("case", load("deployments.json"))
def test_deployment_when_the_real_controller_came_to_rest_then_sync_writes_nothing(case):
    replay = Replay(case).run()
    order = replay.orders()[0]
    last = [(version, replay.sets[version][-1]) for version in order]
    assert replay.sizes(replay.deployments[-1], last) == []


def test_deployment_traces_then_hundreds_of_writes_are_compared():
    replays = [Replay(param.values[0]).run() for param in load("deployments.json")]
    assert sum(replay.explained for replay in replays) > 400


WINDOW = 12
"""How many writes of the server a controller may be behind."""


def seen_in_order(case):
    """Whether every size is what sync writes on caches that all show one moment, each moment no earlier than the last."""
    replay, moments, cut = Replay(case), [], 0
    sets, deployment = {}, None
    for number, (kind, *row) in enumerate(case["rows"]):
        if kind == "set":
            before = sets.get(row[0])
            if deployment and (before is None or before[0] != row[1]):
                wanted = ("scale" if before else "create", str(row[0]), row[1])
                since = max(cut, number - WINDOW)
                cut = next((at for at in range(since, number) if wanted in writes_at(replay, moments[at])), None)
                if cut is None:
                    return False
            sets = {**sets, row[0]: row[1:]}
        elif kind == "deployment":
            deployment = row
        else:
            replay.pods = row
        moments.append((deployment, sets, replay.pods))
    return True


def writes_at(replay, moment):
    deployment, sets, replay.pods = moment
    if deployment is None:
        return []
    return replay.sizes(deployment, sorted(sets.items(), key=lambda one: (replay.case["born"][str(one[0])], one[0])))


def test_deployments_when_controllers_see_everything_in_order_then_they_go_the_likely_way():
    cases = [param.values[0] for param in load("deployments.json")]
    likely = sum(seen_in_order(case) for case in cases)
    print(f"\n{likely} of {len(cases)} went the likely way, the others by a stale status")
    assert len(cases) >= 200
    assert likely >= 0.98 * len(cases)


class Acts:
    """Notes what the controller does to pods."""

    acts = ()

    def create(self, name, revision):
        self.acts = (*self.acts, f"{revision} {self.label(name)} created")
        super().create(name, revision)

    def delete(self, name):
        self.acts = (*self.acts, f"{self.pods[name].revision} {self.label(name)} terminating")
        super().delete(name)


class StatefulActs(Acts, StatefulSetRun):
    def label(self, name):
        return f"web-{name}"


class DaemonActs(Acts, DaemonSetRun):
    def label(self, name):
        return "pod"


BY_HAND = {name: PodTiming(NEVER, NEVER) for name in ("old", "new")}


def drive(run, path):
    """Let happen what the kubelets did, in their order; the controller's part is up to the simulator."""
    for event in path:
        revision, label, what = event.split()
        if what not in ("ready", "gone"):
            continue
        alike = [pod for pod in run.pods.values() if (pod.revision, run.label(pod.name)) == (revision, label)]
        if what == "ready":
            run.become_ready(next(pod for pod in alike if pod.ready_since_ms is None and not pod.terminating))
        else:
            run.end(next(pod for pod in alike if pod.terminating).name)
        run.settle()
    return list(run.acts)


def controller_acts(path):
    return [event for event in path if event.split()[2] in ("created", "terminating")]


def whole(name):
    """Cases whose recording did not end while minReadySeconds were waited for."""
    return [param for param in load(name) if "minReadySeconds" not in param.values[0]["after"]]


def stateful_run(case):
    run = StatefulActs(statefulset_spec({"spec": case["before"]}, "old", 1), BY_HAND, kubernetes_model("1.36.3"))
    run.edit(statefulset_spec({"spec": case["after"]}, "new", 1))
    return run


def daemon_run(case):
    run = DaemonActs(daemonset_spec({"spec": case["before"]}, "old"), ["a", "b", "c"], BY_HAND)
    run.edit(daemonset_spec({"spec": case["after"]}, "new"))
    return run


@pytest.mark.parametrize("case", whole("statefulsets.json"))
def test_statefulset_when_kubelets_act_as_recorded_then_the_controller_does_too(case):
    assert drive(stateful_run(case), case["path"]) == controller_acts(case["path"])


@pytest.mark.parametrize("case", whole("daemonsets.json"))
def test_daemonset_when_kubelets_act_as_recorded_then_the_controller_does_too(case):
    # What is done in one sync has no order among nodes: the tally at the end tells whether any act was too many.
    assert sorted(drive(daemon_run(case), case["path"])) == sorted(controller_acts(case["path"]))


def timed(run, before, after, case):
    never = PodTiming(NEVER if case["never_ready"] else 100, 100)
    run = run({"old": PodTiming(100, 100), "new": never}, before)
    run.edit(after)
    steps = [moment.step for moment in run.run().moments]
    last = steps[-1]
    return {
        "min_ready": min(step.ready for step in steps),
        "max_pods": max(step.old + step.new for step in steps),
        "end": {"old": last.old, "new": last.new, "ready": last.ready, "terminating": last.terminating},
    }


@pytest.mark.parametrize("case", whole("statefulsets.json"))
def test_statefulset_when_timed_then_bounds_and_end_as_recorded(case):
    specs = [statefulset_spec({"spec": case[when]}, name, 1) for when, name in (("before", "old"), ("after", "new"))]
    found = timed(lambda timing, before: StatefulSetRun(before, timing, kubernetes_model("1.36.3")), *specs, case)
    assert found["end"] == case["bounds"]["end"]
    assert found["min_ready"] == case["bounds"]["min_ready"]


@pytest.mark.parametrize("case", whole("daemonsets.json"))
def test_daemonset_when_timed_then_bounds_and_end_as_recorded(case):
    specs = [daemonset_spec({"spec": case[when]}, name) for when, name in (("before", "old"), ("after", "new"))]
    found = timed(lambda timing, before: DaemonSetRun(before, ["a", "b", "c"], timing), *specs, case)
    assert found == case["bounds"]


def settled_deployments():
    """Cases of one change whose pods become ready, without a change of replicas."""
    for param in load("deployments.json"):
        case = param.values[0]
        [[_, replicas, paused, never], *more] = case["steps"]
        if not more and not never and not paused and replicas == case["spec"]["replicas"]:
            yield param


@pytest.mark.parametrize("case", list(settled_deployments()))
def test_deployment_when_one_change_then_as_few_are_ready_and_as_many_are_wanted_as_recorded(case):
    spec = Replay(case).spec(2, case["spec"]["replicas"], False)
    least, most = spec.replicas - spec.budget.unavailable, spec.replicas + spec.budget.surge
    if spec.recreate:
        least = 0
    # More than promised where the first new pods are ready before the old ones are deleted.
    assert case["least_ready"] >= least
    # Of pods there may be more for milliseconds: new ones are created before those that were retired are deleted.
    assert most_wanted(case) <= most


def most_wanted(case):
    """The largest sum of the sizes of all ReplicaSets."""
    sizes, most = {}, 0
    for kind, *row in case["rows"]:
        if kind == "set":
            sizes[row[0]] = row[1]
            most = max(most, sum(sizes.values()))
    return most


LATENCY_S = 1.0
"""What one wave may cost beside the pods' own times: the upper end of the assumption `status_latency`."""


def took(case, ready_s, gone_s, early_ms):
    """Seconds that a simulated rollout of a recorded case takes."""
    replay = Replay(case)
    replicas = case["steps"][0][1]
    before, after = replay.spec(1, case["spec"]["replicas"], False), replay.spec(2, replicas, False)
    timing = PodTiming(round(ready_s * 1000), round(gone_s * 1000), early_ms=early_ms)
    run = DeploymentRun(before, {"1": timing, "2": timing})
    run.edit(after)
    run.run()
    return run.completed_ms / 1000


def test_deployments_when_pods_take_as_long_as_recorded_then_so_do_the_rollouts():
    cases = [param.values[0] for param in load("deployments.json") if "took_s" in param.values[0]]
    held = 0
    for case in cases:
        low = took(case, case["ready_s"][0], case["gone_s"][0], early_ms=999)
        high = took(case, case["ready_s"][1] + LATENCY_S, case["gone_s"][1] + LATENCY_S, early_ms=0)
        held += low <= case["took_s"] <= high
    print(f"\n{held} of {len(cases)} durations are within the prediction")
    assert len(cases) > 60
    # A recording machine that hangs for a second is no fault of the prediction.
    assert held >= 0.95 * len(cases)


def stage_ms(case, name):
    return int(case["stages"][f"stage.test/{name}"].removesuffix("ms"))


def end_s(case, make, late_ms):
    """When the simulated rollout changes the last time, with pods as slow as their stages, or so much slower."""
    timing = PodTiming(stage_ms(case, "ready-delay") + late_ms, stage_ms(case, "termination-delay") + late_ms)
    never = timing._replace(ready_ms=NEVER) if case["never_ready"] else timing
    steps = make({"old": timing, "new": never}).run().steps
    return steps[-1].t_s


def stateful(case):
    specs = [statefulset_spec({"spec": case[when]}, name, 1) for when, name in (("before", "old"), ("after", "new"))]

    def make(timing):
        run = StatefulSetRun(specs[0], timing, kubernetes_model("1.36.3"))
        run.edit(specs[1])
        return run

    return make


def daemons(case):
    specs = [daemonset_spec({"spec": case[when]}, name) for when, name in (("before", "old"), ("after", "new"))]

    def make(timing):
        run = DaemonSetRun(specs[0], ["a", "b", "c"], timing)
        run.edit(specs[1])
        return run

    return make


@pytest.mark.parametrize(("name", "make"), [("statefulsets.json", stateful), ("daemonsets.json", daemons)])
def test_pods_when_they_take_as_long_as_their_stages_then_rollouts_last_as_predicted(name, make):
    cases = [param.values[0] for param in load(name)]
    ends = [
        (end_s(case, make(case), 0), case["took_s"], end_s(case, make(case), int(LATENCY_S * 1000))) for case in cases
    ]
    held = sum(low <= took <= high + LATENCY_S for low, took, high in ends)
    print(f"\n{name}: {held} of {len(cases)} durations are within the prediction")
    assert len(cases) >= 60
    assert held >= 0.95 * len(cases)
