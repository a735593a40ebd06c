"""What the real controller of Argo Rollouts wrote, against what its simulator says.

Recorded with argo-rollouts, kube-controller-manager and KWOK over random canaries and blue-greens. A trace holds every version
of the ReplicaSets and of the Rollout, in the order of the server's writes:

    ["set", version, spec, replicas, available, has a scale-down deadline]
    ["rollout", version, replicas, stable, current, step, pause conditions, controller pause, aborted, active, checkpoint]

Versions are the numbers of the images' tags.
"""

import itertools
import json
from pathlib import Path

import pytest

from gitops_guard.rollout.argo_case import rollout_spec
from gitops_guard.rollout.argo_rollout import ArgoRollout, CreateSet, RolloutSet, RolloutStatus, ScaleSet, sync

CASES = json.loads((Path(__file__).parent / "traces" / "argo_rollouts.json").read_text())["cases"]
LAG = 4
"""How many versions of an object the controller's cache may be behind."""

NOW = 10_000_000
STATUS_FIELDS = {"stable": 2, "current": 3, "step_index": 4, "active": 8, "checkpoint": 9}
"""Columns of a Rollout's row that its controller writes."""


class Replay:
    """A trace, write by write."""

    def __init__(self, case):
        self.case = case
        self.sets = {}
        self.rollouts = []
        self.explained = 0
        self.unexplained = []

    def run(self):
        for number, (kind, *row) in enumerate(self.case["rows"]):
            if kind == "set":
                self._see_set(number, row)
            else:
                self._see_rollout(number, row)
        return self

    def _see_set(self, number, row):
        version, spec = row[:2]
        before = self.sets.get(version)
        if number > 1 and self.rollouts and (before is None or before[-1][1] != spec):
            wanted = ("scale", str(version), spec) if before else ("create", str(version))
            self._explain(number, wanted)
        self.sets.setdefault(version, []).append(row)

    def _see_rollout(self, number, row):
        if self.rollouts:
            for name, column in STATUS_FIELDS.items():
                value = row[column]
                if value != self.rollouts[-1][column] and value not in (None, 0):
                    self._explain(number, (name, value if name in ("step_index", "checkpoint") else str(value)))
        self.rollouts.append(row)

    def _explain(self, number, wanted):
        if any(wanted in told(writes) for writes in self.possible()):
            self.explained += 1
        else:
            self.unexplained.append((number, wanted))

    def possible(self):
        """What one reconcile writes, for every way in which the caches may lag behind and pauses may have passed."""
        for row in reversed(self.rollouts[-LAG:]):
            for seen in itertools.product(*(reversed(rows[-LAG:]) for rows in self.sets.values())):
                yield from self.writes(row, seen)

    def writes(self, row, seen):
        version, replicas, stable, current, step, pauses, controller_pause, aborted, active, checkpoint = row
        spec = rollout_spec({"spec": self.case["before"] | {"replicas": replicas}}, str(version), 1)
        # A deadline and the annotation desired-replicas are not recorded: passed or not, the same or another.
        deadlines = itertools.product(*((0, 2 * NOW) if one[-1] else (None,) for one in seen))
        for deadline, desired, since in itertools.product(
            deadlines, (replicas, replicas + 1), (NOW - 1, 0) if pauses else (None,)
        ):
            status = RolloutStatus(
                str(stable) if stable else "",
                str(current) if current else "",
                spec.steps,
                step or 0,
                since,
                controller_pause,
                aborted,
                active=str(active) if active else "",
                checkpoint=checkpoint,
            )
            sets = tuple(
                self.one(version, one, at, desired, rank)
                for rank, (one, at) in enumerate(zip(seen, deadline, strict=True))
            )
            yield sync(ArgoRollout(spec, status, sets), NOW)

    def one(self, current, row, deadline, desired, rank):
        version, spec, replicas, available, _ = row
        # A set that is reused gets the highest revision.
        return RolloutSet(str(version), rank + 100 * (version == current), spec, replicas, available, deadline, desired)


def told(writes):
    found = []
    for write in writes:
        if isinstance(write, CreateSet):
            found.append(("create", write.name))
        elif isinstance(write, ScaleSet):
            found.append(("scale", write.name, write.replicas))
        elif isinstance(write, RolloutStatus):
            found += [(name, getattr(write, name)) for name in STATUS_FIELDS]
    return found


@pytest.mark.parametrize("case", [pytest.param(case, id=str(number)) for number, case in enumerate(CASES)])
def test_argo_when_the_real_controller_wrote_something_then_sync_writes_it_too(case):
    assert Replay(case).run().unexplained == []


def test_argo_traces_then_hundreds_of_writes_are_compared():
    assert sum(Replay(case).run().explained for case in CASES) > 350


def test_argo_traces_then_there_are_enough_of_each_kind():
    aborts = [case for case in CASES if any(row[0] == "rollout" and row[8] for row in case["rows"])]
    rest = [case for case in CASES if case not in aborts]
    green = [case for case in rest if "blueGreen" in case["before"]["strategy"]]
    assert min(len(aborts), len(green), len(rest) - len(green)) >= 20
