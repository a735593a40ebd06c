"""`gitops-guard diff` from end to end: what is compared with what, what is said, how it ends."""

import json

import pytest

MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data:
  colour: {colour}
"""
BLUE, RED = MAP.format(name="settings", colour="blue"), MAP.format(name="settings", colour="red")
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: db
stringData:
  password: {value}
"""
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: web:1
"""


def diff(sandbox, *arguments):
    """Run `diff` and return its JSON."""
    outcome = sandbox.run("diff", "--format", "json", *arguments)
    assert outcome.code in (0, 1), outcome.err
    return json.loads(outcome.out)


def told(report):
    return [(change["action"], change["resource"]["name"]) for change in report["changes"]]


def test_diff_when_no_revision_is_given_then_head_is_compared_with_the_work_tree(repo):
    sandbox = repo({"a.yaml": BLUE}).commit().write({"a.yaml": RED, "new.yaml": MAP.format(name="x", colour="y")})
    report = diff(sandbox)
    assert [("configured", "settings"), ("created", "x")] == told(report)
    assert ["data[colour]"] == [field["field"] for field in report["changes"][0]["fields"]]
    assert ("a.yaml", 1) == (report["changes"][0]["path"], report["changes"][0]["line"])


def test_diff_when_from_is_a_branch_then_its_merge_base_counts(repo):
    sandbox = repo({"a.yaml": BLUE}).commit()
    sandbox.git("checkout", "--quiet", "-b", "topic")
    sandbox.commit({"b.yaml": MAP.format(name="b", colour="c")})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c.yaml": MAP.format(name="c", colour="c")})
    assert [("created", "b")] == told(diff(sandbox, "--from", "main", "--to", "topic"))


def test_diff_when_there_is_no_commit_yet_then_everything_is_created(repo):
    assert [("created", "settings")] == told(diff(repo({"a.yaml": BLUE})))


def test_diff_when_paths_are_given_then_only_they_count_though_one_side_lacks_them(repo):
    sandbox = repo({"a/x.yaml": BLUE}).commit().write({"b/x.yaml": MAP.format(name="b", colour="c"), "a/x.yaml": RED})
    assert [("created", "b")] == told(diff(sandbox, "b"))
    assert [("configured", "settings")] == told(diff(sandbox, "a/x.yaml"))


def test_diff_when_an_object_moves_to_another_file_then_it_is_folded(repo):
    sandbox = repo({"a.yaml": BLUE}).commit().write({"b.yaml": BLUE}).remove("a.yaml")
    report = diff(sandbox)
    assert [("unchanged", "settings")] == told(report)
    assert ("a.yaml", {"moved to another file": 1}) == (report["changes"][0]["moved_from"], report["folded"])


def test_diff_when_a_list_is_unfolded_then_its_items_are_compared(repo):
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {BLUE.strip().replace(chr(10), chr(10) + '  ')}\n"
    sandbox = repo({"a.yaml": listed}).commit().write({"a.yaml": listed.replace("blue", "red")})
    assert [("configured", "settings")] == told(diff(sandbox))


@pytest.mark.parametrize(
    ("after", "arguments", "expected"),
    [
        pytest.param(BLUE, [], 0, id="same"),
        pytest.param(BLUE, ["--exit-code"], 0, id="same-with-exit-code"),
        pytest.param(f"# note\n{BLUE}", ["--exit-code"], 0, id="comment-with-exit-code"),
        pytest.param(RED, [], 0, id="changed"),
        pytest.param(RED, ["--exit-code"], 1, id="changed-with-exit-code"),
        pytest.param(BLUE.replace("  name", "\tname"), [], 2, id="unreadable"),
    ],
)
def test_diff_when_it_ends_then_the_exit_code_says_how(repo, after, arguments, expected):
    repo({"a.yaml": BLUE}).commit().write({"a.yaml": after}).run("diff", *arguments).assert_code(expected)


def test_diff_when_a_file_cannot_be_read_then_the_others_are_compared_all_the_same(repo):
    sandbox = (
        repo({"a.yaml": BLUE, "b.yaml": BLUE})
        .commit()
        .write({"a.yaml": RED, "b.yaml": "apiVersion: v1\nkind: Pod\n\tx: y\n"})
    )
    outcome = sandbox.run("diff", "--format", "json")
    report = json.loads(outcome.out)
    assert (2, "b.yaml", 3) == (outcome.code, report["errors"][0]["path"], report["errors"][0]["line"])
    assert [("configured", "settings")] == told(report)


@pytest.mark.parametrize(
    ("path", "before", "after", "reason"),
    [
        pytest.param("kustomization.yaml", "images: [{name: web, newTag: a}]\n", "images: [{name: web, newTag: b}]\n", "kustomization", id="kustomization"),
        pytest.param("values.yaml", "tag: a\n", "tag: b\n", "Helm values", id="values"),
        pytest.param("chart/templates/a.yaml", "kind: {{ .a }}\n", "kind: {{ .b }}\n", "Helm template", id="template"),
    ],
)  # fmt: skip
def test_diff_when_something_would_have_to_be_rendered_then_that_is_said_and_is_no_pass(
    repo, path, before, after, reason
):
    sandbox = repo({path: before, "a.yaml": BLUE}).commit().write({path: after})
    outcome = sandbox.run("diff", "--exit-code", "--no-render")
    outcome.assert_code(1)
    assert f"changed, but not compared: {path} ({reason})" in outcome.out
    assert "no change in what was compared" in outcome.out
    assert "not rendered" in outcome.out


def test_diff_when_a_patch_writes_out_a_default_then_it_is_shown(repo):
    kustomization = "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n"
    sandbox = repo({"web.yaml": WEB, "patch.yaml": WEB, "kustomization.yaml": kustomization}).commit()
    sandbox.write(dict.fromkeys(("web.yaml", "patch.yaml"), f"{WEB}      restartPolicy: Always\n"))
    report = json.loads(sandbox.run("diff", "--no-render", "--format", "json").out)
    assert ["patch.yaml"] == [change["path"] for change in report["changes"] if change["fields"]]
    assert {"equal to the default": 1} == report["folded"]


@pytest.mark.parametrize("output", ["text", "markdown", "json", "yaml"])
def test_diff_when_a_secret_is_repeated_elsewhere_then_no_format_shows_it(repo, output):
    files = {"s.yaml": SECRET.format(value="correct-horse"), "a.yaml": MAP.format(name="a", colour="x-correct-horse-y")}
    unchanged = {"t.yaml": SECRET.format(value="battery-staple").replace("db", "other")}
    sandbox = repo({**files, **unchanged}).commit()
    sandbox.write(
        {"s.yaml": SECRET.format(value="other-horse"), "a.yaml": MAP.format(name="a", colour="battery-staple")}
    )
    outcome = sandbox.run("diff", "--format", output, "-v")
    assert not [value for value in ("horse", "staple") if value in outcome.out + outcome.err]
    assert "stringData[password]" in outcome.out
    assert "data[colour]" in outcome.out


def test_diff_when_to_is_given_alone_then_it_is_refused(repo):
    outcome = repo({"a.yaml": BLUE}).commit().run("diff", "--to", "HEAD")
    outcome.assert_code(2)
    assert "--to needs --from" in outcome.err


def test_diff_when_a_path_is_on_neither_side_then_it_is_refused(repo):
    outcome = repo({"a.yaml": BLUE}).commit().run("diff", "nowhere")
    outcome.assert_code(2)
    assert "nowhere" in outcome.err


def test_diff_when_there_is_no_repository_then_it_is_refused(tmp_path, repo):
    sandbox = repo({"a.yaml": BLUE})
    sandbox.git("config", "core.bare", "false")
    (tmp_path / "plain").mkdir()
    outcome = sandbox.run("diff", directory="../plain")
    outcome.assert_code(2)
    assert "no Git repository" in outcome.err


def test_diff_help_when_read_then_it_says_what_is_rendered(repo):
    assert "compared as rendered" in " ".join(repo().run("diff", "--help").out.split())


def test_diff_when_a_file_holds_several_documents_then_lines_are_those_of_the_file(repo):
    text = f"# note\n---\n# more\n{BLUE}---\n\n{MAP.format(name='b', colour='c')}"
    sandbox = repo({"a.yaml": text}).commit().write({"a.yaml": text.replace("blue", "red").replace(": c", ": d")})
    assert [("b", 12), ("settings", 4)] == sorted((c["resource"]["name"], c["line"]) for c in diff(sandbox)["changes"])


def test_diff_when_the_repository_defines_a_custom_kind_then_its_defaults_are_known(repo):
    definition = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, default: 3}}}}}
"""
    widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {a: 1}\n"
    sandbox = repo({"crd.yaml": definition, "w.yaml": widget}).commit()
    sandbox.write({"w.yaml": widget.replace("a: 1", "a: 1, size: 3")})
    assert {"equal to the default": 1} == diff(sandbox)["folded"]
