"""The pages of the rules about suppressions: headings in order, and examples that are true."""

import re
from collections.abc import Callable
from datetime import date
from importlib.resources import files

import pytest

from gitops_guard.check.suppress import RULES, suppress
from gitops_guard.config import Config
from gitops_guard.model import Resource

HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]
KNOWN = ("privileged-container", "deprecated-api", "unknown-field")


def _page(rule: str) -> str:
    return files("gitops_guard.rules").joinpath(f"{rule}.md").read_text("utf-8")


def _example(rule: str, heading: str) -> str:
    match = re.search(rf"^## {heading}\n\n```yaml\n(.*?)```\n", _page(rule), re.DOTALL | re.MULTILINE)
    assert match is not None
    return match[1]


@pytest.mark.parametrize("rule", RULES)
def test_page_when_read_then_has_its_headings_in_order(rule: str) -> None:
    page = _page(rule)
    assert page.startswith(f"# {rule}\n\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == HEADINGS
    assert page.count("```yaml") == 2


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("heading", "flagged"), [("Flagged", True), ("Fixed", False)])
def test_page_when_examples_are_checked_then_only_flagged_is_flagged(
    rule: str, heading: str, flagged: bool, resources_of: Callable[[str, str], list[Resource]]
) -> None:
    text = _example(rule, heading)
    result = suppress(
        (), sources={"a.yaml": text}, resources=resources_of("a.yaml", text), config=Config(), today=date(2026, 1, 1), known_rules=KNOWN
    )  # fmt: skip
    assert flagged == (rule in {found.rule for found in result.extra})
