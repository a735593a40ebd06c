"""Change pairs with what they are known to do: those that hurt must all be found, their look-alikes left in peace."""

import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.model.snapshot import Snapshot
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.all import DETECTORS, find_hazards
from gitops_guard.rollout.predict_change import predict_change
from gitops_guard.rollout.snapshot_file import read_snapshot

CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(path.parent for path in CORPUS.glob("*/*/expected.yaml"))
HURTS = [case for case in CASES if case.parent.name == "hurts"]
LOOK_ALIKES = [case for case in CASES if case.parent.name == "look-alikes"]
HARMLESS = {"ok"}


def read(path: Path) -> list[Resource]:
    bodies = [body for body in yaml.safe_load_all(path.read_text(encoding="utf-8")) if body]
    return [
        Resource(id=resource_id(body), body=body, origin=Origin(path=path.name, document=number, line=1))
        for number, body in enumerate(bodies)
    ]


def snapshot_of(case: Path) -> Snapshot | None:
    """What the cluster holds, where the case has one."""
    path = case / "snapshot.yaml"
    return read_snapshot(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))) if path.exists() else None


@cache
def outcome(case: Path) -> tuple[dict[str, str], list[str]]:
    """Verdicts by workload, and the rules of the hazards."""
    given = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8")).get("assume", {})
    assumptions = Assumptions.from_mapping(given)
    change = Change.between(read(case / "before.yaml"), read(case / "after.yaml"), assumptions, snapshot_of(case))
    predictions = predict_change(change, assumptions, "1.36")
    assert () == predictions.errors
    verdicts = {f"{one.resource.kind}/{one.resource.name}": one.verdict.value for one in predictions.rollouts}
    return verdicts, sorted({hazard.problem.rule for hazard in find_hazards(change)})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_corpus_when_simulated_then_verdicts_and_hazards_are_the_known_ones(case):
    expected = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8"))
    assert (expected["verdicts"], expected["hazards"]) == outcome(case), expected["why"]


def test_corpus_when_counted_then_all_that_hurts_is_found_and_few_others_are():
    """An alarm is what a reader would stop at: a verdict beyond the known one, or a hazard that is no hazard."""
    found = [case.name for case in HURTS if is_alarm(case)]
    false = [case.name for case in LOOK_ALIKES if is_alarm(case)]
    recall, alarms = len(found) / len(HURTS), len(false) / len(LOOK_ALIKES)
    print(f"\n{len(HURTS)} that hurt: recall {recall:.1%}; {len(LOOK_ALIKES)} look-alikes: false alarms {alarms:.1%}")
    assert len(HURTS) >= 30
    assert len(LOOK_ALIKES) >= 30
    assert [] == sorted({case.name for case in HURTS} - set(found))
    assert alarms <= 0.05, false


def is_alarm(case: Path) -> bool:
    verdicts, hazards = outcome(case)
    merely_unchanged = case.parent.name == "look-alikes" and set(verdicts.values()) == {"no-op"}
    return bool(hazards) or not (set(verdicts.values()) <= HARMLESS or merely_unchanged)


def test_corpus_when_read_then_every_detector_is_tried_by_a_case_that_hurts():
    tried = {rule for case in HURTS for rule in yaml.safe_load((case / "expected.yaml").read_text())["hazards"]}
    assert sorted(detector.__module__.rpartition(".")[2].replace("_", "-") for detector in DETECTORS) == sorted(tried)
