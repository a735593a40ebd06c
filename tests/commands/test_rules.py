"""`gitops-guard rules` and `gitops-guard explain`."""

import json
from pathlib import Path

import pytest

from gitops_guard import rules
from gitops_guard.check.catalog import ENGINE_RULES, HAZARD_RULES
from gitops_guard.commands.explain import plainly
from gitops_guard.policy.pack_rules import listed
from gitops_guard.rules import RULES

PAGES = Path(rules.__file__).parent
PLUGIN = """
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Severity


class Rule:
    id = "no-op-rule"
    severity = Severity.NOTE
    kinds = ("*",)
    summary = "Flags nothing."
    {extra}

    def check(self, resource, context):
        return iter(())


@hookimpl
def gitops_guard_rules():
    return [Rule()]
"""


def test_rules_then_every_built_in_rule_is_listed_sorted_with_severity_origin_and_summary(repo):
    lines = repo().run("rules").out.splitlines()
    assert sorted([*ENGINE_RULES, *(rule.id for rule in RULES), *listed()]) == [line.split()[0] for line in lines]
    row = next(line for line in lines if line.startswith("unknown-field"))
    assert "unknown-field error built-in A field that the kind does not have." == " ".join(row.split())


def test_rules_when_a_policy_comes_along_then_its_pack_is_named_and_whether_it_is_on(repo):
    on, off = "latest-image-tag", "missing-image-digest"
    config = {".gitops-guard.yaml": f"severity: {{{on}: off, {off}: warning}}\n"}
    sandbox = repo()
    for files, expected in (({}, ("error", "off")), (config, ("off", "warning"))):
        rows = {line.split()[0]: line.split()[1:3] for line in sandbox.write(files).run("rules").out.splitlines()}
        assert [[expected[0], "pack:images"], [expected[1], "pack:images"]] == [rows[on], rows[off]]


def test_rules_json_then_the_severity_in_force_stands_beside_the_default(repo):
    sandbox = repo({".gitops-guard.yaml": "severity: {unknown-field: warning, yaml-octal: off}\n"})
    listed = {rule["id"]: rule for rule in json.loads(sandbox.run("rules", "--format", "json").out)["rules"]}
    assert ("warning", "error") == (listed["unknown-field"]["severity"], listed["unknown-field"]["default_severity"])
    assert "off" == listed["yaml-octal"]["severity"]


def test_rules_when_a_plugin_brings_one_then_its_file_is_named(repo):
    sandbox = repo({"tools/ours.py": PLUGIN.format(extra="")})
    for outcome in (
        sandbox.run("rules", "-p", "tools/ours.py"),
        sandbox.write({".gitops-guard.yaml": "plugins: [tools/ours.py]\n"}).run("rules"),
    ):
        row = next(line for line in outcome.out.splitlines() if line.startswith("no-op-rule"))
        assert ["no-op-rule", "note", "tools/ours.py", "Flags", "nothing."] == row.split()


def test_rules_config_when_another_file_is_named_then_it_counts(repo):
    sandbox = repo({"other.yaml": "severity: {unknown-field: note}\n"})
    outcome = sandbox.run("rules", "--config", "other.yaml")
    row = next(line for line in outcome.out.splitlines() if line.startswith("unknown-field"))
    assert ["unknown-field", "note"] == row.split()[:2]


def test_rules_trusted_rev_then_the_plugin_of_that_revision_is_listed(repo):
    files = {"ours.py": PLUGIN.format(extra=""), ".gitops-guard.yaml": "plugins: [ours.py]\n"}
    sandbox = repo().commit(files).write({"ours.py": "raise SystemExit(9)\n"})
    outcome = sandbox.run("rules", "--trusted-rev", "HEAD")
    outcome.assert_code(0)
    assert "no-op-rule" in outcome.out


@pytest.mark.parametrize("rule", sorted([*ENGINE_RULES, *(rule.id for rule in RULES)]))
def test_explain_then_the_page_is_printed(repo, rule):
    outcome = repo().run("explain", rule)
    outcome.assert_code(0)
    assert (PAGES / f"{rule}.md").read_text(encoding="utf-8") == outcome.out


def test_explain_when_the_id_is_unknown_then_the_nearest_are_named(repo):
    outcome = repo().run("explain", "unknown-feild")
    outcome.assert_code(2)
    assert "there is no rule 'unknown-feild'; did you mean unknown-field" in outcome.err
    assert "" == outcome.out


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        pytest.param('documentation = "# no-op-rule\\n\\nA page."', "# no-op-rule\n\nA page.\n", id="documentation"),
        pytest.param("", "# no-op-rule\n\nFlags nothing.\n\n- severity: note\n- from: ours.py\n", id="summary"),
        pytest.param("documentation = None", "# no-op-rule\n\nFlags nothing.\n\n- severity: note\n- from: ours.py\n", id="none"),
    ],
)  # fmt: skip
def test_explain_when_the_rule_is_a_plugins_then_its_page_or_what_is_known(repo, extra, expected):
    sandbox = repo({"ours.py": PLUGIN.format(extra=extra)})
    assert expected == sandbox.run("explain", "no-op-rule", "-p", "ours.py").out


def test_plainly_then_marks_of_markdown_are_gone_and_code_is_indented():
    page = "# a-rule\n\nSee [the page](https://example.com).\n\n```yaml\na: 1\n```\n\n- reference: <https://example.com/b>\n"
    assert [
        "a-rule", "", "See the page (https://example.com).", "", "    a: 1", "", "- reference: https://example.com/b",
    ] == list(plainly(page, colour=False))  # fmt: skip


HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]


@pytest.mark.parametrize("rule", sorted(HAZARD_RULES))
def test_page_of_a_hazard_when_read_then_it_has_the_house_headings_and_its_severity(rule):
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    assert HEADINGS == [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert f"- severity: {HAZARD_RULES[rule].severity}\n" in text
