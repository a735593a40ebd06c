"""Every id of the loader has a page, whose examples are true."""

import re
from pathlib import Path

import pytest

import gitops_guard.rules
from gitops_guard.manifest.issue import SEVERITIES
from gitops_guard.manifest.loader import load

PAGES = Path(gitops_guard.rules.__file__).parent
HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]
# Bytes that are no text, and a file too long to print: written escaped or shortened, loaded by test_hostile instead.
NOT_AS_TEXT = {"yaml-encoding", "yaml-too-large"}


def page(rule: str) -> str:
    return (PAGES / f"{rule}.md").read_text(encoding="utf-8")


def example(rule: str, heading: str) -> bytes:
    section = page(rule).split(f"## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 1
    return blocks[0].encode()


def test_pages_when_listed_then_are_those_of_the_loader():
    assert {path.stem for path in PAGES.glob("yaml-*.md")} - {"yaml-wrong-scalar"} == set(SEVERITIES)


@pytest.mark.parametrize("rule", sorted(SEVERITIES))
def test_page_when_read_then_has_the_headings_in_order(rule: str):
    text = page(rule)
    assert text.startswith(f"# {rule}\n\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert SEVERITIES[rule][0].value in text.split("- Severity: ")[1].split("\n")[0]


@pytest.mark.parametrize("rule", sorted(set(SEVERITIES) - NOT_AS_TEXT))
def test_flagged_example_when_loaded_then_has_that_problem_alone(rule: str):
    problems = load(example(rule, "Flagged")).problems
    assert {rule} == {problem.rule for problem in problems}


@pytest.mark.parametrize("rule", sorted(SEVERITIES))
def test_fixed_example_when_loaded_then_has_no_problem(rule: str):
    assert load(example(rule, "Fixed")).problems == ()
