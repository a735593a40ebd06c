"""Whatever a manifest holds, predictions and hazards end in a result: never in an exception that is no ValueError."""

import copy
import random
from pathlib import Path

import pytest
import yaml

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.all import find_hazards
from gitops_guard.rollout.predict_change import predict_change

CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(path.parent for path in CORPUS.glob("*/*/expected.yaml"))
ODD = [
    None,
    True,
    0,
    -1,
    1 << 40,
    0.5,
    "",
    "x",
    "%",
    "150%",
    "1e99",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"a": [1]},
    [1, "a"],
]


def places(node, at=()):
    """Every path of a tree."""
    yield at
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


def spoil(bodies, chance):
    """Put something odd into one place of one object, or take it away."""
    bodies = copy.deepcopy(bodies)
    body = chance.choice(bodies)
    path = chance.choice([path for path in places(body) if path])
    node = body
    for key in path[:-1]:
        node = node[key]
    if chance.random() < 0.2:
        del node[path[-1]]
    else:
        node[path[-1]] = copy.deepcopy(chance.choice(ODD))
    return bodies


def resources(bodies):
    return [
        Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=number, line=1))
        for number, body in enumerate(bodies)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_change_when_a_value_is_odd_then_there_is_a_result(case):
    before, after = (list(yaml.safe_load_all((case / f"{side}.yaml").read_text())) for side in ("before", "after"))
    chance = random.Random(case.name)
    for _ in range(6):
        sides = (spoil(before, chance), after) if chance.random() < 0.3 else (before, spoil(after, chance))
        change = Change.between(*(resources(side) for side in sides), Assumptions())
        predict_change(change, Assumptions(), "1.36")
        assert all(hazard.problem.message for hazard in find_hazards(change))
