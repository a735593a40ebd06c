"""Every rule that the schema part decides has a page, and its examples are what they say."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.custom import CustomSchemas
from gitops_guard.schema.lifecycle import Standing, standing

RULES = Path(__file__).resolve().parents[2] / "gitops_guard" / "rules"
HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]
FACTS = ["severity", "kinds", "since", "auto-fix", "reference"]
WALKED = [
    "unknown-field",
    "wrong-type",
    "missing-field",
    "invalid-value",
    "unsupported-value",
    "duplicate-list-item",
    "invalid-crd",
    "non-structural-schema",
]
LOOKED_UP = ["removed-api", "deprecated-api", "unknown-kind", "missing-schema"]
KUBERNETES = "1.37"
RULE_OF = {
    Standing.SERVED: "",
    Standing.DEPRECATED: "deprecated-api",
    Standing.REMOVED: "removed-api",
    Standing.NOT_YET: "unknown-kind",
    Standing.UNKNOWN: "unknown-kind",
}


def _sections(rule: str) -> dict[str, str]:
    title, *parts = re.split(r"^## (.+)\n", (RULES / f"{rule}.md").read_text(), flags=re.MULTILINE)
    return {"title": title, **dict(zip(parts[::2], parts[1::2], strict=True))}


def _examples(rule: str, heading: str) -> list[dict[str, Any]]:
    (block,) = re.findall(r"```yaml\n(.*?)```", _sections(rule)[heading], flags=re.DOTALL)
    return list(yaml.safe_load_all(block))


def _rules_of(bodies: list[dict[str, Any]], cache_dir: tuple[str, bytes]) -> set[str]:
    """Return the ids that apply to a file, by what this part's public names answer."""
    custom, found = CustomSchemas.from_crds(bodies, cache=cache_dir), set()
    for body in bodies:
        group, _, version = body["apiVersion"].rpartition("/")
        key = (group, version, body["kind"])
        schema = BuiltinSchemas(KUBERNETES, cache_dir).find(*key) or custom.find(*key)
        stands = standing(*key, kubernetes=KUBERNETES)
        if stands is not Standing.FOREIGN:
            found |= {RULE_OF[stands]} - {""}
        elif schema is None:
            found.add("missing-schema")
        found |= {problem.rule for problem in (schema.problems(body) if schema else ())}
    return found


@pytest.mark.parametrize("rule", WALKED + LOOKED_UP)
def test_page_has_the_headings_and_facts_in_order(rule: str) -> None:
    sections = _sections(rule)
    assert ["title", *HEADINGS] == list(sections)
    assert re.fullmatch(rf"# {rule}\n\n\S.+\n\n", sections["title"])
    assert FACTS == re.findall(r"^- ([\w-]+): \S", sections["Facts"], flags=re.MULTILINE)
    assert all(sections[heading].strip() for heading in HEADINGS)


@pytest.mark.parametrize("rule", WALKED + LOOKED_UP)
def test_flagged_is_flagged_with_that_rule_alone_and_fixed_with_none(rule: str, cache_dir: tuple[str, bytes]) -> None:
    assert {rule} == _rules_of(_examples(rule, "Flagged"), cache_dir)
    assert set() == _rules_of(_examples(rule, "Fixed"), cache_dir)
