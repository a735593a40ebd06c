"""What `docs/how-to/write-a-policy.md` shows works as it says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md"


def test_how_to_when_its_files_are_written_then_the_test_and_the_check_say_what_the_page_says(
    repo: Callable[..., Any],
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = dict(re.findall(r"```yaml\n# (policies/\S+)\n(.*?)```", page, re.DOTALL))
    example = files["policies/floating-tag/fail/latest.yaml"]
    sandbox = repo({**files, ".gitops-guard.yaml": "policies: [policies]\n", "web.yaml": example})
    outcome = sandbox.run("test", "policies")
    assert (0, True) == (outcome.code, outcome.out in page)
    sandbox.run("check", "--format", "json").assert_findings(("web.yaml", 11, "floating-tag"))
