import pytest

from gitops_guard.config import Config, MissingSchema, Override, Suppression, load
from gitops_guard.errors import ConfigError
from gitops_guard.model import Severity

PATH = ".gitops-guard.yaml"

WHOLE = """\
kubernetes-versions: ["1.36", v1.37, 1.30]
include: [apps/, "*.json"]
exclude:
  - legacy/**
crds: [crds/]
schemas: ["schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"]
missing-schema: error
severity:
  deprecated-api: warning
  unknown-field: off
fail-on: note
overrides:
  - paths: [legacy/]
    kubernetes-versions: ["1.35.4"]
    severity: {deprecated-api: note}
    exclude-rules: [wrong-type]
suppressions:
  - rule: unknown-field
    kind: Deployment
    name: web-*
    namespace: dev-?
    path: apps/**
    field: spec.template
    reason: the vendor's chart
    until: 2027-01-31
policies: [policies]
plugins: [ours.rules, tools/more.py]
plugin-options:
  ours: {limit: 3, words: [yes, 1.5, ~], since: 2026-01-01}
rules:
  wrong-type: {strict: true}
"""


def test_load_when_file_has_every_key_then_reads_all() -> None:
    expected = Config(
        path=PATH,
        kubernetes_versions=("1.36", "1.37", "1.30"),
        include=("apps/", "*.json"),
        exclude=("legacy/**",),
        crds=("crds/",),
        schemas=("schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json",),
        missing_schema=MissingSchema.ERROR,
        severity={"deprecated-api": Severity.WARNING, "unknown-field": None},
        fail_on=Severity.NOTE,
        overrides=(
            Override(
                paths=("legacy/",),
                kubernetes_versions=("1.35",),
                severity={"deprecated-api": Severity.NOTE},
                exclude_rules=("wrong-type",),
            ),
        ),
        suppressions=(
            Suppression(
                rule="unknown-field",
                kind="Deployment",
                name="web-*",
                namespace="dev-?",
                path="apps/**",
                field="spec.template",
                reason="the vendor's chart",
                until="2027-01-31",
                line=18,
            ),
        ),
        policies=("policies",),
        plugins=("ours.rules", "tools/more.py"),
        plugin_options={"ours": {"limit": 3, "words": [True, 1.5, None], "since": "2026-01-01"}},
        rules={"wrong-type": {"strict": True}},
    )
    assert expected == load(WHOLE, PATH)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "{}\n"])
def test_load_when_file_says_nothing_then_gives_defaults(text: str) -> None:
    assert Config(path=PATH) == load(text, PATH)


def test_load_when_anchors_and_merge_keys_are_used_then_follows_them() -> None:
    text = """\
include: &all [apps/]
crds: *all
overrides:
  - &first {paths: [a/], exclude-rules: [wrong-type]}
  - {<<: *first, paths: [b/]}
"""
    config = load(text, PATH)
    assert config.crds == ("apps/",)
    assert (
        Override(paths=("a/",), exclude_rules=("wrong-type",)),
        Override(paths=("b/",), exclude_rules=("wrong-type",)),
    ) == config.overrides


BOMB = (
    "rules: {r: {a: &a [x,x,x,x,x,x,x,x,x,x]"
    + "".join(f", {chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]" for i in range(8))
    + "}}"
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("include: []\nexcludes: []\n", 2, 'unknown key "excludes"; did you mean "exclude"?', id="unknown-key"),
        pytest.param("zzz: 1\n", 1, 'unknown key "zzz"', id="unknown-key-far"),
        pytest.param("overrides:\n- path: [a]\n", 2, 'unknown key "path" in overrides[0]; did you mean "paths"?', id="unknown-inner-key"),
        pytest.param("include: [a]\nexclude: [b]\ninclude: [c]\n", 3, 'duplicate key "include" (first on line 1)', id="duplicate"),
        pytest.param("severity:\n  a-b: note\n  a-b: error\n", 3, 'duplicate key "a-b" (first on line 2)', id="duplicate-inner"),
        pytest.param("- a\n", 1, "the configuration must be a mapping, not a list", id="list"),
        pytest.param("text\n", 1, "the configuration must be a mapping, not text", id="text"),
        pytest.param("include: apps/\n", 1, "include must be a list, not text", id="scalar-for-list"),
        pytest.param("include: [3]\n", 1, "include[0] must be text, not the number 3; put it in quotes", id="number-for-text"),
        pytest.param("include: [yes]\n", 1, "include[0] must be text, not a truth value; put it in quotes", id="bool-for-text"),
        pytest.param("include: [~]\n", 1, "include[0] must be text, not nothing", id="null-for-text"),
        pytest.param("include: ['']\n", 1, "include[0] must not be empty", id="empty-text"),
        pytest.param("include: ['a[']\n", 1, "include[0]: the pattern 'a[' has an unclosed bracket; write \\[ for the character", id="bad-glob"),
        pytest.param("kubernetes-versions: [latest]\n", 1, "kubernetes-versions[0] must be a Kubernetes version such as \"1.36\", not 'latest'", id="bad-version"),
        pytest.param("kubernetes-versions: []\n", 1, "kubernetes-versions must name at least one version; leave it out for the newest one", id="no-version"),
        pytest.param("fail-on: errors\n", 1, "fail-on must be one of error, warning, note, not 'errors'; did you mean \"error\"?", id="bad-word"),
        pytest.param("fail-on: off\n", 1, "fail-on must be one of error, warning, note, not 'off'", id="off-is-no-gate"),
        pytest.param("missing-schema: [x]\n", 1, "missing-schema must be one of ignore, error, not a list", id="list-for-word"),
        pytest.param("severity: {Bad_Rule: error}\n", 1, "severity: 'Bad_Rule' is no rule id; ids look like unknown-field", id="bad-rule-id"),
        pytest.param("suppressions:\n- rule: unknown-field\n", 2, 'suppressions[0] must have "reason"', id="no-reason"),
        pytest.param("suppressions:\n- rule: a-b\n  reason: '  '\n", 3, "suppressions[0].reason must not be empty", id="blank-reason"),
        pytest.param("suppressions:\n- rule: a-b\n  reason: x\n  until: 2027-02-30\n", 4, "suppressions[0].until must be a day such as 2027-01-31, not '2027-02-30'", id="no-such-day"),
        pytest.param("suppressions:\n- rule: a-b\n  reason: x\n  until: 20270230\n", 4, "suppressions[0].until must be a day such as 2027-01-31, not '20270230'", id="compact-day"),
        pytest.param("overrides:\n- severity: {}\n", 2, 'overrides[0] must have "paths" with at least one glob', id="override-without-paths"),
        pytest.param("rules: {a-b: 3}\n", 1, "rules.a-b must be a mapping of options", id="options-not-mapping"),
        pytest.param("rules: {a-b: {x: .inf}}\n", 1, "rules.a-b.x: '.inf' is no number that JSON has; write it in decimal or put it in quotes", id="infinity"),
        pytest.param("rules: {a-b: {x: 017}}\n", 1, "rules.a-b.x: '017' is no number that JSON has", id="octal"),
        pytest.param("? [a]\n: b\n", 1, "a key must be text", id="complex-key"),
        pytest.param("include: [a\n", 2, "not readable as YAML: did not find expected ',' or ']'", id="syntax"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "not readable as YAML: but found another document", id="two-documents"),
        pytest.param("a: *nope\n", 1, "not readable as YAML: found undefined alias", id="undefined-alias"),
        pytest.param("a: \x00\n", 0, "not readable as YAML", id="nul"),
        pytest.param("x: " + "[" * 60 + "]" * 60, 1, "nested more than 50 deep", id="deep"),
        pytest.param("# " + "x" * 1_100_000, 0, "longer than 1048576 characters", id="long"),
        pytest.param(BOMB, 1, "too many values; aliases (`*name`) multiply them", id="bomb"),
        pytest.param("rules: {r: &x {a: *x}}\n", 1, "rules.r", id="cycle"),
    ],
)  # fmt: skip
def test_load_when_text_is_wrong_then_names_line_and_what_is_allowed(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, PATH)
    assert line == caught.value.line
    assert caught.value.message.startswith(message)
    assert str(caught.value).startswith(PATH)


def test_load_when_nesting_is_absurd_then_refuses_at_its_line() -> None:
    # libyaml has a limit of its own; which of the two speaks first depends on its version.
    with pytest.raises(ConfigError, match="nest") as caught:
        load("x: " + "[" * 100_000, PATH)
    assert caught.value.line == 1


def test_load_when_rule_is_unknown_then_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match='there is no rule "unknown-feild"; did you mean "unknown-field"?'):
        load("severity: {unknown-feild: note}", PATH, known_rules={"unknown-field"})


SECTION = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("plugin-options:\n  ours:\n    limit: hunter2\n", 3, "plugin-options.ours.limit must satisfy type: integer", id="type"),
        pytest.param("plugin-options:\n  ours:\n    more: 1\n", 3, "plugin-options.ours must satisfy additionalProperties: False", id="key"),
        pytest.param("plugin-options:\n  our: {}\n", 2, 'plugin-options: no loaded plugin named "our" takes options; did you mean "ours"?', id="name"),
    ],
)  # fmt: skip
def test_load_when_plugin_options_break_their_schema_then_names_the_place(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, PATH, plugin_sections={"ours": SECTION})
    assert (line, message) == (caught.value.line, caught.value.message)


def test_load_when_plugin_options_fit_then_keeps_them() -> None:
    config = load("plugin-options: {ours: {limit: 3}}", PATH, plugin_sections={"ours": SECTION})
    assert config.plugin_options == {"ours": {"limit": 3}}


def test_load_when_clusters_are_given_then_scalars_stay_as_written() -> None:
    text = "clusters:\n  live:\n    context: live\n    kubernetes-version: 1.30\n    variables: {port: 080, on: yes}\n"
    cluster = load(text, "x").clusters["live"]
    assert ("live", "1.30", {"port": "080", "on": "yes"}) == (
        cluster.context,
        cluster.kubernetes_version,
        cluster.variables,
    )
