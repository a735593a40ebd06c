"""What the real controllers did, against what the simulators say.

The traces were recorded with kube-controller-manager, etcd and KWOK, over random rollouts. Of a Deployment they hold every
version of its ReplicaSets and of itself, in the order of the server's writes:

    ["set", version, spec, desired, max, revision, replicas, ready, available]
    ["deployment", version, replicas, paused, observed, progress, replicas, updated, ready, available]
    ["pods", version, version, ..]     (Recreate only) the version of every pod that exists
"""

import itertools
import json
from pathlib import Path

import pytest

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
