"""`gitops-guard check` from end to end: what it reads, what it says, how it ends."""

import json
import os

import pytest

GOOD = """apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: blue
"""
BAD = GOOD.replace("\ndata:", "\ndta:")
BAD_LINE = 5
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: "3"
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.2.3
"""

DEFINITION = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer}}}
"""


def test_check_when_all_is_valid_then_clean(repo):
    repo({"a.yaml": GOOD}).run("check").assert_clean()


def test_check_when_a_field_is_unknown_then_the_line_is_named(repo):
    outcome = repo({"a.yaml": BAD}).run("check")
    outcome.assert_code(1)
    outcome.assert_findings(("a.yaml", BAD_LINE, "unknown-field"))


def test_check_when_a_file_holds_several_documents_then_lines_are_those_of_the_file(repo):
    outcome = repo({"a.yaml": f"{GOOD}---\n{WEB}"}).run("check", "--policies", "none")
    outcome.assert_findings(("a.yaml", 13, "wrong-type"))


def test_check_when_a_file_cannot_be_read_then_it_is_an_error_and_hides_no_other(repo):
    outcome = repo({"a.yaml": BAD, "b.yaml": "apiVersion: v1\nkind: Pod\n\tmetadata: {}\n"}).run("check")
    outcome.assert_code(2)
    outcome.assert_findings(("a.yaml", BAD_LINE, "unknown-field"))
    assert [("b.yaml", 3)] == [(error["path"], error["line"]) for error in outcome.json()["errors"]]


def test_check_when_a_file_is_ignored_by_git_then_it_is_not_read(repo):
    repo({".gitignore": "build/\n", "a.yaml": GOOD, "build/b.yaml": BAD}).run("check").assert_clean()


def test_check_staged_when_the_work_tree_differs_then_the_index_counts(repo):
    sandbox = repo().commit({"a.yaml": GOOD}).stage({"a.yaml": BAD}).write({"a.yaml": GOOD})
    sandbox.run("check", "--staged").assert_findings(("a.yaml", BAD_LINE, "unknown-field"))
    sandbox.run("check").assert_clean()


def test_check_staged_when_only_the_work_tree_is_bad_then_clean(repo):
    sandbox = repo().commit({"a.yaml": GOOD}).stage({"b.yaml": GOOD}).write({"b.yaml": BAD})
    sandbox.run("check", "--staged").assert_clean()
    sandbox.run("check", "--staged", "b.yaml").assert_clean()


def test_check_staged_when_head_is_unborn_then_everything_staged_is_checked(repo):
    repo().stage({"a.yaml": BAD}).run("check", "--staged").assert_findings(("a.yaml", BAD_LINE, "unknown-field"))


def test_check_staged_without_paths_then_only_what_the_commit_changes(repo):
    sandbox = repo().commit({"old.yaml": BAD}).stage({"new.yaml": GOOD})
    sandbox.run("check", "--staged").assert_clean()
    sandbox.run("check", "--staged", ".").assert_findings(("old.yaml", BAD_LINE, "unknown-field"))


def test_check_rev_when_the_work_tree_is_good_then_the_revision_counts(repo):
    sandbox = repo().commit({"a.yaml": BAD}).commit({"a.yaml": GOOD})
    sandbox.run("check", "--rev", "HEAD~1").assert_findings(("a.yaml", BAD_LINE, "unknown-field"))
    sandbox.run("check", "--rev", "HEAD").assert_clean()


def test_check_rev_when_the_repository_is_bare_then_it_works(repo, tmp_path):
    sandbox = repo().commit({"apps/a.yaml": BAD})
    sandbox.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    outcome = sandbox.run("check", "--rev", "main", "apps", directory="../bare")
    outcome.assert_findings(("apps/a.yaml", BAD_LINE, "unknown-field"))


def test_check_from_to_when_other_files_are_bad_then_only_changed_ones_count(repo):
    sandbox = repo().commit({"old.yaml": BAD}).commit({"new.yaml": BAD})
    outcome = sandbox.run("check", "--from", "HEAD~1", "--to", "HEAD")
    outcome.assert_findings(("new.yaml", BAD_LINE, "unknown-field"))


def test_check_path_when_given_then_only_that_is_checked(repo):
    sandbox = repo({"apps/a.yaml": BAD, "infra/b.yaml": BAD})
    sandbox.run("check", "apps").assert_findings(("apps/a.yaml", BAD_LINE, "unknown-field"))
    sandbox.run("check", "a.yaml", directory="apps").assert_findings(("apps/a.yaml", BAD_LINE, "unknown-field"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["check", "nowhere.yaml"], "nowhere.yaml: no such file or directory in the work tree", id="path"),
        pytest.param(["check", "--rev", "nope"], "nope: names no commit", id="revision"),
        pytest.param(
            ["check", "--staged", "--rev", "HEAD"], "--staged and --rev name two things to check", id="two sources"
        ),
        pytest.param(["check", "--format", "jsn"], 'did you mean "json"?', id="format"),
        pytest.param(["check", "--kubernetes-version", "1.99"], "Kubernetes 1.99 is not bundled", id="version"),
        pytest.param(["check", "--fail-on", "fatal"], "must be one of error, warning, note", id="severity"),
        pytest.param(["check", "--no-such-flag"], "unrecognized arguments: --no-such-flag", id="flag"),
        pytest.param(["chek"], "invalid choice: 'chek'", id="command"),
        pytest.param(["check", "--baseline", "missing.json"], "missing.json: cannot be read", id="baseline"),
        pytest.param(["check", "--config", "missing.yaml"], "missing.yaml: cannot be read", id="config"),
        pytest.param(
            ["check", "-p", "no_such_module"], "plugin module no_such_module could not be imported", id="plugin"
        ),
    ],
)
def test_check_when_the_command_line_is_wrong_then_a_clear_message_and_exit_code_2(repo, arguments, message):
    outcome = repo({"a.yaml": GOOD}).commit().call(arguments)
    outcome.assert_code(2)
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not outcome.out


def test_check_stdin_when_a_dash_is_given_then_the_text_is_checked(repo):
    repo().run("check", "-", stdin=BAD.encode()).assert_findings(("-", BAD_LINE, "unknown-field"))


def test_check_outside_of_git_then_the_directory_is_checked(repo, tmp_path):
    sandbox = repo()
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.yaml").write_text(BAD)
    sandbox.run("check", directory="../plain").assert_findings(("a.yaml", BAD_LINE, "unknown-field"))
    sandbox.run("check", str(tmp_path / "plain")).assert_findings(("a.yaml", BAD_LINE, "unknown-field"))


def test_check_in_an_empty_repository_then_clean(repo):
    outcome = repo().run("check")
    outcome.assert_clean()
    assert outcome.json()["coverage"]["resources"] == 0


def test_check_several_versions_when_only_one_refuses_then_it_is_named(repo):
    cron = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: '* * * * *', jobTemplate: {}}\n"
    flow = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\nspec: {priorityLevelConfiguration: {name: b}}\n"
    outcome = repo({"cron.yaml": cron, "flow.yaml": flow}).run(
        "check", "--kubernetes-version", "1.31", "--kubernetes-version", "v1.32.1"
    )
    messages = {
        finding["path"]: finding["message"] for finding in outcome.json()["findings"] if finding["severity"] == "error"
    }
    assert "removed in Kubernetes 1.25" in messages["cron.yaml"]
    assert "is not served in Kubernetes 1.32" in messages["flow.yaml"]


def test_check_custom_resource_when_its_definition_is_in_the_tree_then_it_is_validated(repo):
    gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {size: large}\n"
    sandbox = repo({"gadget.yaml": gadget})
    before = sandbox.run("check")
    before.assert_clean()
    skipped = before.json()["coverage"]["skipped"]
    assert [("example.com/v1 Gadget a", "no schema")] == [(one["resource"], one["reason"]) for one in skipped]
    sandbox.write({"crds/gadget.yaml": DEFINITION})
    sandbox.run("check").assert_findings(("gadget.yaml", 4, "wrong-type"))
    sandbox.run("check", "gadget.yaml").assert_findings(("gadget.yaml", 4, "wrong-type"))
    sandbox.write({"crds/gadget.yaml": DEFINITION.replace("integer", "string")})
    sandbox.run("check", "gadget.yaml").assert_clean()


def test_check_crds_when_configured_beside_the_tree_then_they_are_used(repo, tmp_path):
    gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {size: large}\n"
    sandbox = repo(
        {".gitops-guard.yaml": "crds: [.crds, ../shared/gadget.yaml]\n", ".gitignore": ".crds/\n", "a.yaml": gadget}
    )
    outcome = sandbox.run("check")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml: crds: .crds is neither in the tree nor on disk" in outcome.err
    sandbox.write({".crds/other.yaml": DEFINITION.replace("adget", "izmo"), "../shared/gadget.yaml": DEFINITION})
    sandbox.run("check").assert_findings(("a.yaml", 4, "wrong-type"))
    sandbox.write({"../shared/gadget.yaml": DEFINITION.replace("integer", "string")})
    sandbox.run("check").assert_clean()


def test_check_missing_schema_when_asked_to_be_an_error_then_it_is_found(repo):
    sandbox = repo({"a.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\n"})
    sandbox.run("check", "--missing-schema", "error").assert_findings(("a.yaml", 2, "missing-schema"))


def test_check_schema_directory_when_configured_then_it_is_used(repo):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    sandbox = repo(
        {
            ".gitops-guard.yaml": "schemas:\n  - 'schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'\n",
            "schemas/example.com/gadget_v1.json": json.dumps(schema),
            "a.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {size: large}\n",
        }
    )
    sandbox.run("check").assert_findings(("a.yaml", 4, "wrong-type"))


def test_check_suppression_when_reasoned_then_silenced_and_counted(repo):
    text = BAD.replace(
        "\ndta:", "\ndta:  # gitops-guard: ignore unknown-field kept for the old operator until 2099-01-01"
    )
    outcome = repo({"a.yaml": text}).run("check")
    outcome.assert_clean()
    assert (
        "silenced by suppressions or the baseline: 1 finding"
        in repo({"a.yaml": text}, name="other").call(["check"]).out
    )


def test_check_baseline_when_written_then_only_new_findings_count(repo):
    sandbox = repo({"a.yaml": BAD})
    sandbox.call(["check", "--write-baseline", "known.json"]).assert_code(0)
    sandbox.run("check", "--baseline", "known.json").assert_clean()
    sandbox.write({"b.yaml": BAD.replace("settings", "others")})
    sandbox.run("check", "--baseline", "known.json").assert_findings(("b.yaml", BAD_LINE, "unknown-field"))


def test_check_new_from_when_the_base_has_it_then_it_does_not_count(repo):
    sandbox = repo().commit({"a.yaml": BAD})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    moved = "# a comment that moves the line\n" + BAD
    sandbox.commit({"a.yaml": moved, "b.yaml": BAD.replace("settings", "others")})
    sandbox.run("check", "--new-from", "main").assert_findings(("b.yaml", BAD_LINE, "unknown-field"))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("kustomization.yaml", "patches: [{path: part.yaml}]\n", [], id="a patch"),
        pytest.param("Kustomization", "patches: [{path: part.yaml}]\n", [], id="a patch, said without suffix"),
        pytest.param("kustomization.yaml", "resources: [part.yaml]\n", ["selector", "template"], id="a resource"),
        pytest.param(
            "kustomization.yaml",
            "resources: [part.yaml]\npatches: [{path: part.yaml}]\n",
            ["selector", "template"],
            id="both",
        ),
    ],
)
def test_check_part_of_a_resource_when_a_kustomization_names_it_then_only_a_patch_need_not_be_whole(
    repo, name, text, expected
):
    part = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n"
    outcome = repo({"part.yaml": part, name: text}).run("check", "--policies", "none")
    assert [f"spec.{field}" for field in expected] == [found["field"] for found in outcome.json()["findings"]]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param("removed-api", "apiVersion: batch/v1beta1\nkind: CronJob\n", id="removed"),
        pytest.param("unknown-kind", "apiVersion: apps/v1\nkind: Deploymnet\n", id="never served"),
        pytest.param("missing-schema", "apiVersion: example.com/v1\nkind: Gadget\n", id="without a schema"),
        pytest.param("missing-field", "apiVersion: v1\nkind: ''\n", id="without a kind"),
    ],
)
@pytest.mark.parametrize(("severity", "code"), [pytest.param("error", 1, id="on"), pytest.param("off", 0, id="off")])
def test_check_coverage_when_no_schema_was_asked_then_the_resource_is_not_called_validated(
    repo, rule, text, severity, code
):
    config = f"missing-schema: error\nseverity: {{{rule}: {severity}}}\n"
    sandbox = repo({".gitops-guard.yaml": config, "a.yaml": text + "metadata: {name: a}\nspec: {nonsense: 1}\n"})
    outcome = sandbox.call(["check", "a.yaml"])
    outcome.assert_code(code)
    assert "validated: 0 of 1 resource in 1 file" in outcome.out
    assert "skipped: 1 (no schema: 1)" in outcome.out


@pytest.mark.parametrize("text", [pytest.param(GOOD, id="clean"), pytest.param(BAD, id="with a finding")])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("ignored.yaml", "what Git ignores", id="ignored"),
        pytest.param("linked/a.yaml", "lies outside of", id="behind a link"),
        pytest.param("pipe.yaml", "no such file or directory in the work tree", id="a pipe"),
        pytest.param("empty", "empty directories", id="an empty directory"),
    ],
)
def test_check_path_when_it_is_not_of_the_tree_then_it_is_refused_whatever_it_holds(repo, text, path, message):
    sandbox = repo({".gitignore": "ignored.yaml\n", "ignored.yaml": text, "../outside/a.yaml": text})
    (sandbox.root / "linked").symlink_to("../outside")
    (sandbox.root / "empty").mkdir()
    os.mkfifo(sandbox.root / "pipe.yaml")
    outcome = sandbox.call(["check", path])
    outcome.assert_code(2)
    assert message in outcome.err


def test_check_path_when_a_tracked_file_has_become_a_pipe_then_it_does_not_wait_for_a_writer(repo):
    sandbox = repo().commit({"a.yaml": GOOD}).remove("a.yaml")
    os.mkfifo(sandbox.root / "a.yaml")
    sandbox.call(["check", "a.yaml"]).assert_code(2)


def test_check_path_when_a_tracked_folder_has_become_a_link_then_it_is_not_followed(repo):
    sandbox = repo({"../outside/a.yaml": GOOD}).commit({"folder/a.yaml": GOOD}).remove("folder/a.yaml")
    (sandbox.root / "folder").rmdir()
    (sandbox.root / "folder").symlink_to("../outside")
    sandbox.run("check", "folder/a.yaml").assert_code(2)


@pytest.mark.parametrize(
    "selected",
    [
        pytest.param([], id="everything"),
        pytest.param(["staging"], id="one folder"),
        pytest.param(["--staged"], id="what is staged"),
        pytest.param(["--staged", "staging/a.yaml"], id="one staged file"),
    ],
)
@pytest.mark.parametrize("known", ["--new-from", "--baseline"])
def test_check_known_findings_when_another_folder_has_the_same_resource_then_it_silences_nothing_here(
    repo, known, selected
):
    sandbox = repo().commit({"production/a.yaml": BAD})
    sandbox.call(["check", "--write-baseline", "../known.json"]).assert_code(0)
    sandbox.stage({"staging/a.yaml": BAD})
    value = "HEAD" if known == "--new-from" else "../known.json"
    outcome = sandbox.run("check", known, value, *selected)
    outcome.assert_findings(("staging/a.yaml", BAD_LINE, "unknown-field"))


def test_check_new_from_when_an_equal_finding_is_added_before_the_known_one_then_the_added_one_is_new(repo):
    sandbox = repo().commit({"production/a.yaml": BAD}).write({"development/a.yaml": BAD})
    outcome = sandbox.run("check", "--new-from", "HEAD")
    outcome.assert_findings(("development/a.yaml", BAD_LINE, "unknown-field"))


@pytest.mark.parametrize("selected", [[], ["--staged"], ["b"]])
def test_check_new_from_when_a_file_moves_then_its_findings_are_not_new(repo, selected):
    sandbox = repo().commit({"a/a.yaml": BAD, "a/c.yaml": GOOD})
    sandbox.git("mv", "a", "b")
    sandbox.run("check", "--new-from", "HEAD", *selected).assert_clean()


def test_check_config_when_a_key_is_unknown_then_line_and_nearest_key_are_named(repo):
    outcome = repo({".gitops-guard.yaml": "fail-on: error\nexcludes: [a]\n", "a.yaml": GOOD}).run("check")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml:2:" in outcome.err
    assert 'did you mean "exclude"?' in outcome.err


@pytest.mark.parametrize(
    ("config", "code"),
    [
        pytest.param("severity: {unknown-field: warning}\n", 0, id="milder than the gate"),
        pytest.param("severity: {unknown-field: warning}\nfail-on: warning\n", 1, id="gate lowered"),
        pytest.param("severity: {unknown-field: off}\n", 0, id="off"),
        pytest.param("exclude: [a.yaml]\n", 0, id="excluded"),
        pytest.param("include: ['b*']\n", 0, id="not included"),
        pytest.param("overrides: [{paths: [a.yaml], exclude-rules: [unknown-field]}]\n", 0, id="override"),
    ],
)
def test_check_config_when_it_decides_then_the_exit_code_follows(repo, config, code):
    repo({".gitops-guard.yaml": config, "a.yaml": BAD}).run("check").assert_code(code)


def test_check_secret_when_anything_is_wrong_then_its_value_is_never_shown(repo):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  token: 'hunter2hunter2!'\nstringData:\n  n: 1234567\n"
    for style in ("text", "json", "sarif", "junit", "github", "gitlab", "markdown"):
        outcome = repo({"a.yaml": secret}, name=style).call(["check", "--format", style])
        outcome.assert_code(1)
        assert "hunter2" not in outcome.out + outcome.err
        assert "1234567" not in outcome.out + outcome.err


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_check_with_any_number_of_workers_then_the_output_is_the_same(repo, jobs):
    files = {
        f"{number:03}.yaml": (BAD if number % 7 == 0 else GOOD).replace("settings", f"s{number}")
        for number in range(150)
    }
    first = repo(files, name="first").run("check", "--no-cache", "-j", "1")
    other = repo(files, name="other").run("check", "--no-cache", "-j", jobs)
    assert first.out == other.out
    assert len(first.json()["findings"]) == 22


def test_check_run_again_from_the_cache_then_the_output_is_the_same(repo):
    sandbox = repo({"a.yaml": BAD, "b.yaml": GOOD, "values.yaml": "image: a\n"}).commit()
    assert sandbox.run("check").out == sandbox.run("check").out == sandbox.run("check", "--no-cache").out
    assert sandbox.call(["check"]).out == sandbox.call(["check"]).out == sandbox.call(["check", "--no-cache"]).out


TALOS = "apiVersion: v1alpha1\nkind: TalosCluster\nmetadata: {name: home}\n"


def test_check_when_a_version_without_group_is_not_kubernetes_own_then_has_no_schema(repo):
    outcome = repo({"talos.yaml": TALOS}).run("check")
    outcome.assert_clean()
    assert ["no schema"] == [entry["reason"] for entry in outcome.json()["coverage"]["skipped"]]


@pytest.mark.parametrize(
    "api_version",
    [pytest.param("v1beta1", id="no such core version"), pytest.param("v1", id="group forgotten")],
)
def test_check_when_a_kind_of_kubernetes_has_no_group_then_is_unknown(repo, api_version):
    outcome = repo({"web.yaml": WEB.replace("apps/v1", api_version).replace('"3"', "3")}).run("check")
    outcome.assert_findings(("web.yaml", 2, "unknown-kind"))


@pytest.mark.parametrize(
    ("replicas", "severity", "code"),
    [
        pytest.param("${REPLICAS}", "note", 0, id="variable"),
        pytest.param("${REPLICAS:=3}", "note", 0, id="default"),
        pytest.param("$REPLICAS", "error", 1, id="no braces"),
        pytest.param('"3"', "error", 1, id="no variable"),
    ],
)
def test_check_when_a_value_is_a_variable_then_the_verdict_is_a_note(repo, replicas, severity, code):
    outcome = repo({"web.yaml": WEB.replace('"3"', replicas)}).run("check", "--policies", "none")
    outcome.assert_code(code)
    assert [severity] == [finding["severity"] for finding in outcome.json()["findings"]]


def test_check_with_links_and_submodules_then_every_path_counts_them_alike(repo):
    sandbox = repo({"a.yaml": GOOD}).commit()
    (sandbox.root / "link.yaml").symlink_to("a.yaml")
    inner = repo({"b.yaml": GOOD}, name="inner").commit()
    sandbox.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner.root), "sub")
    sandbox.stage()
    for arguments in (["check"], ["check", "--staged"]):
        first, second = sandbox.call(arguments), sandbox.call(arguments)
        assert "skipped: 2 (submodule: 1, symbolic link: 1)" in first.out
        assert first.out == second.out


def test_check_when_a_repository_lies_in_the_repository_then_it_is_named_and_not_entered(repo):
    sandbox = repo({"a.yaml": GOOD})
    repo({"bad.yaml": BAD}, name="repo/nested").commit()
    outputs = {sandbox.call(["check", *flags]).out for flags in ([], [], ["--no-cache"])}
    assert [line.split(" against")[0] for line in outputs.pop().splitlines()] == [
        "validated: 1 of 1 resource in 1 file",
        "skipped: 1 (nested repository: 1)",
    ]
    assert not outputs


def test_check_config_when_git_ignores_it_then_it_is_not_passed_over_in_silence(repo):
    sandbox = repo({".gitignore": ".*.yaml\n", ".gitops-guard.yaml": "severity: {unknown-field: off}\n", "a.yaml": BAD})
    outcome = sandbox.run("check")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml: is there but Git ignores it" in outcome.err
    sandbox.run("check", "--config", ".gitops-guard.yaml").assert_clean()


def test_check_stdin_when_it_is_empty_then_it_is_no_pass(repo):
    outcome = repo().call(["check", "-"])
    outcome.assert_code(2)
    assert "standard input is empty" in outcome.err


def test_check_write_baseline_when_a_file_cannot_be_read_then_it_says_so(repo):
    outcome = repo({"a.yaml": BAD, "b.yaml": "apiVersion: v1\nkind: Pod\n\tmetadata: {}\n"}).call(
        ["check", "--write-baseline", "known.json"]
    )
    outcome.assert_code(2)
    assert "b.yaml:3:1: could not check yaml-syntax" in outcome.err
    assert "1 finding written to known.json" in outcome.err


@pytest.mark.parametrize("first", [True, False], ids=["unborn", "born"])
def test_check_staged_without_paths_when_known_then_the_summary_is_that_of_the_full_path(repo, first):
    sandbox = repo() if first else repo().commit({"old.yaml": BAD})
    sandbox.stage({"a.yaml": GOOD, "b.txt": "text", "c.json": "{}"}).git("mv", "-k", "old.yaml", "moved.txt")
    outputs = {sandbox.call(["check", "--staged", *flags]).out for flags in ([], [], ["--no-cache"])}
    assert 1 == len(outputs), outputs


def test_check_a_file_without_any_object_then_it_is_noted_and_counted_as_skipped(repo):
    outcome = repo({"a.yaml": "# nothing here yet\n"}).run("check")
    outcome.assert_code(0)
    outcome.assert_findings(("a.yaml", 1, "yaml-empty"))
    assert [("a.yaml", "empty")] == [(one["path"], one["reason"]) for one in outcome.json()["coverage"]["skipped"]]
