"""References judged on a few documents, without files: what a table's row needs."""

import pytest
import yaml

from gitops_guard.check.references import Group, follow, scene_of
from gitops_guard.links.outline import packed, unpacked
from gitops_guard.rules import REFERENCE_RULES


def documents(text: str):
    return [(index, (), body) for index, body in enumerate(yaml.safe_load_all(text)) if body]


@pytest.fixture(scope="session")
def judge():
    """Return (severity, rule, object) of all that is wrong with the first text; the others only answer.

    Each text is a unit of its own.
    """

    def run(text: str, *others: str, listed=()):
        groups = [
            Group(
                unit=f"unit {number}",
                path=f"{number}.yaml",
                outlines=unpacked(packed(documents(one))),
                judged=not number,
            )
            for number, one in enumerate([text, *others])
        ]
        found = follow(groups, scene_of(groups), REFERENCE_RULES, listed=listed).suspects
        return [(str(one.problem.severity or one.rule.severity), one.rule.id, one.outline.name) for one in found]

    return run
