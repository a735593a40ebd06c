"""The examples of `docs/how-to/write-a-plugin.md` work as it says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md").read_text("utf-8")
RULES, OBJECTS, TESTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OPTIONS = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "floating-tag" in block)
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:latest  # finding: floating-tag
"""
LABEL_RULE = """
from gitops_guard.model import Severity


class LabelRule:
    severity, kinds, summary = Severity.NOTE, ("*",), "A label."

    def __init__(self, name):
        self.id = f"label-{name}"

    def check(self, resource, context):
        return iter(())
"""


def test_page_when_its_rule_is_a_plugin_then_it_finds_and_takes_its_option(repo: Callable[..., Any]) -> None:
    files = {"tools/guard_rules.py": RULES, "web.yaml": WEB, ".gitops-guard.yaml": "policies: []\n"}
    sandbox = repo(files)
    sandbox.run("check", "-p", "tools/guard_rules.py").assert_findings(("web.yaml", 12, "floating-tag"))
    config = f"policies: []\nplugins: [tools/guard_rules.py]\n{OPTIONS.replace('[dev]', '[latest]')}"
    sandbox.write({".gitops-guard.yaml": config}).run("check").assert_clean()


def test_page_when_its_tests_are_run_then_they_pass(
    repo: Callable[..., Any], run_rule: Callable[..., Any], run_policies: Callable[..., Any]
) -> None:
    space: dict[str, Any] = {"TEXT": WEB}
    exec(RULES + TESTS, space)
    space["test_floating_tag_when_the_tag_floats_then_it_is_found"](run_rule)
    given = lambda files: repo({**files, "tools/guard_rules.py": RULES})  # noqa: E731  # what the page's project has
    space["test_check_when_the_tag_floats_then_it_is_reported"](given)
    policies = Path(__file__).parents[2] / "policies" / "images"
    space["test_policies_when_run_on_their_examples_then_say_what_is_marked"](lambda _folder: run_policies(policies))


def test_page_when_rules_are_objects_then_the_hook_brings_them(repo: Callable[..., Any]) -> None:
    outcome = repo({"ours.py": LABEL_RULE + OBJECTS}).run("rules", "-p", "ours.py")
    assert (0, True, True) == (outcome.code, "label-team" in outcome.out, "label-tier" in outcome.out)
