"""The reference is what the code says: pages are current, and every rule, hook, command, format and key has its place."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from gitops_guard import report
from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.rules import RULES

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = ROOT / "gitops_guard" / "rules"
SEVERITIES = {rule.id: rule.severity for rule in (*ENGINE_RULES.values(), *RULES)}
HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool("reference")
EXPECTED = tool.pages()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_reference_page_when_generated_again_then_it_is_the_same(name):
    assert EXPECTED[name] == (REFERENCE / name).read_text(encoding="utf-8"), "run `make docs`"


def test_reference_folder_then_it_holds_no_page_that_nothing_writes():
    assert sorted([*EXPECTED, "rollout.md"]) == sorted(path.name for path in REFERENCE.iterdir())  # that one by hand


def test_rules_then_each_has_a_page_and_each_page_a_rule():
    assert sorted(SEVERITIES) == sorted(path.stem for path in PAGES.glob("*.md"))


@pytest.mark.parametrize("rule", sorted(SEVERITIES))
def test_rule_page_then_it_has_title_summary_headings_and_the_right_facts(rule):
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    assert re.match(rf"# {rule}\n\n[^#\n]", text)
    assert HEADINGS == re.findall(r"^## (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    severity = re.search(r"^- severity: (.+)$", text, re.MULTILINE | re.IGNORECASE)
    assert severity
    assert str(SEVERITIES[rule]) in severity[1]


def documented(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(tool.commands()))
def test_command_then_it_and_each_of_its_flags_is_documented(command):
    section = documented("command-line.md").split(f"## gitops-guard {command}\n")[1].split("\n## ")[0]
    parser = tool.commands()[command]
    flags = [flag for action in parser._actions for flag in action.option_strings if action.dest != "help"]
    assert [flag for flag in flags if f"`{flag}" not in section] == []
    assert all(action.help for action in parser._actions)


@pytest.mark.parametrize("hook", sorted(tool.hooks()))
def test_hook_then_it_is_documented_with_signature_and_when_it_is_called(hook):
    for page in (documented("hooks.md"), (ROOT / "docs/how-to/write-a-plugin.md").read_text(encoding="utf-8")):
        assert f"{hook}()" in page
    section = documented("hooks.md").split(f"## {hook}\n")[1].split("\n## ")[0]
    assert f"def {hook}() -> " in section
    assert "Called once a run" in section


@pytest.mark.parametrize("name", sorted(report.FORMATS))
def test_format_then_it_is_documented(name):
    assert f"## {name}\n" in documented("formats.md")
    for page in ("README.md", "docs/how-to/ci.md"):
        assert f"`{name}`" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "key", sorted(json.loads((ROOT / "gitops_guard/config.schema.json").read_text())["properties"])
)
def test_config_key_then_it_is_documented_with_a_meaning(key):
    row = next(line for line in documented("configuration.md").splitlines() if line.startswith(f"| `{key}` |"))
    assert len(row.split("|")[3].strip()) > 10


def test_picture_then_its_text_is_what_the_command_prints():
    picture = load_tool("terminal_picture")
    lines = picture.chosen(picture.printed())
    assert any("\x1b[" in line for line in lines)
    assert picture.text_of(picture.draw(lines)) == picture.text_of(picture.PICTURE.read_text(encoding="utf-8")), (
        "run `make docs`"
    )
    assert "![gitops-guard check in a terminal](docs/images/check.svg)" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )
