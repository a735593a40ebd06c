"""What a running Flagger did, against what its simulator says.

Recorded with flagger (its Ingress router for canaries and A/B, Services alone for blue/green), kube-controller-manager and KWOK; the
checks are webhooks that pass so many times. A trace holds what the Canary and both Deployments said, with the seconds:

    [t, "canary", phase, weight, iterations, failed checks]
    [t, "web" or "web-primary", version, replicas wanted, replicas, updated, available]
"""

import json
from pathlib import Path

import pytest

from gitops_guard.rollout.deployment import DeploymentSpec
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.flagger import Phase
from gitops_guard.rollout.flagger_case import flagger_spec
from gitops_guard.rollout.flagger_run import FlaggerRun, Loop
from gitops_guard.rollout.pods import PodTiming

CASES = json.loads((Path(__file__).parent / "traces" / "flagger.json").read_text())["cases"]
LATE_MS = 1000
"""What pods may take beyond their stages: the upper end of the assumption `status_latency`."""


class Told(FlaggerRun):
    """Notes every status, and lets checks pass as often as the recorded ones did."""

    def __init__(self, *args, passes):
        super().__init__(*args)
        self.passes, self.asked = passes, 0
        self.statuses = [(0.0, self.status)]

    def _tick(self):
        status = self.status
        started = status.weight > 0 or status.iterations > 0
        if started and status.phase is Phase.PROGRESSING and status.failed_checks < self.spec.threshold:
            self.asked += 1
        self.loop = self.loop._replace(checks_pass=self.passes is None or self.asked <= self.passes)
        super()._tick()
        self.statuses.append((self.now_ms / 1000, self.status))


def stage_ms(case, name):
    return int(case["stages"][f"stage.test/{name}"].removesuffix("ms"))


def run(case, late_ms=0, first_s=0.0, early_ms=999):
    """Simulate a case."""
    canary = case["canary"]
    spec = flagger_spec({"spec": canary})._replace(has_checks=True)
    before = DeploymentSpec(canary["replicas"], "old", deadline_s=60)
    after = before._replace(template="new", replicas=canary["replicas"] if canary["replicas_in_git"] else 0)
    ready_ms, gone_ms = (stage_ms(case, name) + late_ms for name in ("ready-delay", "termination-delay"))
    old = PodTiming(ready_ms, gone_ms, early_ms=early_ms)
    timing = {"old": old, "new": old._replace(ready_ms=NEVER if case["never_ready"] else ready_ms)}
    found = Told(spec, before, after, timing, Loop(round(first_s * 1000)), passes=case["fails_from"])
    found.run()
    return found


def statuses(case):
    return [(row[0], *row[2:]) for row in case["rows"] if row[1] == "canary"]


def shown(status, *, weighted):
    """What status holds: the weight only while a canary progresses; the routes know it otherwise."""
    progressing = status[0] == Phase.PROGRESSING.value
    return (
        status[0],
        status[1] if progressing and weighted else None,
        *((status[2], status[3]) if progressing else ()),
    )


def reduced(found):
    return [one for number, one in enumerate(found) if number == 0 or one != found[number - 1]]


@pytest.mark.parametrize("case", [pytest.param(case, id=str(number)) for number, case in enumerate(CASES)])
def test_flagger_when_it_rolled_out_then_phases_weights_and_iterations_are_those_of_the_simulation(case):
    weighted = "iterations" not in case["canary"]["analysis"]
    simulated = [(one.phase.value, one.weight, one.iterations, one.failed_checks) for _, one in run(case).statuses]
    expected = reduced([shown(one[1:], weighted=weighted) for one in statuses(case)])
    assert reduced([shown(one, weighted=weighted) for one in simulated]) == expected


@pytest.mark.parametrize("case", [pytest.param(case, id=str(number)) for number, case in enumerate(CASES)])
def test_flagger_when_it_is_done_then_both_deployments_are_as_simulated(case):
    last = {row[1]: row[2:4] for row in case["rows"] if row[1] != "canary"}
    found = run(case)
    versions = {"old": 1, "new": 2}
    primary, target = found.primary.spec, found.target.spec
    assert [versions[primary.template], primary.replicas] == last["web-primary"]
    assert target.replicas == last["web"][1]


def test_flagger_when_pods_take_as_long_as_their_stages_then_rollouts_last_as_predicted():
    held = 0
    for case in CASES:
        # When the first look comes is not known: at once, or an interval after the change.
        low, high = (run(case, *way).statuses[-1][0] for way in ((0, 0.0, 999), (LATE_MS, 10.0, 0)))
        held += low <= statuses(case)[-1][0] <= high + LATE_MS / 1000
    print(f"\n{held} of {len(CASES)} durations are within the prediction")
    assert held >= 0.95 * len(CASES)


def test_flagger_traces_then_there_are_enough_of_each_kind():
    fails = [case for case in CASES if case["fails_from"] is not None or case["never_ready"]]
    rest = [case for case in CASES if case not in fails]
    green = [case for case in rest if "iterations" in case["canary"]["analysis"]]
    print(f"\n{len(rest) - len(green)} canaries, {len(green)} blue-greens, {len(fails)} that abort")
    assert min(len(rest) - len(green), len(green), len(fails)) >= 20
