"""`sync`, `drift` and their like as a person runs them: a Git repository in, the real server, exit codes and reports out."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from controlplane.server import ADMIN, ControlPlane

SCHEMA = json.loads(files("gitops_guard.report.sync").joinpath("sync.schema.json").read_text("utf-8"))


def config_map(name: str, value: str = "1") -> str:
    return f'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: "{value}"\n'


class Cluster:
    """A repository, and a namespace of the real server that it is synced to."""

    def __init__(self, sandbox: Any, plane: ControlPlane, namespace: str) -> None:
        self.repo = sandbox
        self.api = plane.api(ADMIN)
        self.namespace = namespace
        self.target = ("--kubeconfig", str(plane.kubeconfig(ADMIN)), "--namespace", namespace)

    def run(self, *arguments: str) -> Any:
        return self.repo.run(*arguments, *self.target)

    def report(self, *arguments: str) -> tuple[int, Any]:
        """Run a command, and return its exit code and its JSON report, which must keep the contract."""
        outcome = self.run(*arguments, "--format", "json")
        assert outcome.out, outcome.err
        report = json.loads(outcome.out)
        jsonschema.validate(report, SCHEMA)
        return outcome.code, report

    def value(self, name: str) -> str:
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{name}"
        answer = self.api.request("GET", path)
        return answer.body["data"]["a"] if answer.status == 200 else ""

    def uid(self, name: str) -> str:
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{name}"
        return self.api.expect("GET", path)["metadata"]["uid"]

    def suspend(self, until: str) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/gitops-guard-default"
        body = {"metadata": {"annotations": {"gitops-guard.io/suspend": until}}}
        self.api.expect("PATCH", path, body, headers={"Content-Type": "application/merge-patch+json"})

    def edit(self, name: str, value: str) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{name}"
        headers = {"Content-Type": "application/merge-patch+json"}
        self.api.expect("PATCH", path, {"data": {"a": value}}, query={"fieldManager": "kubectl-edit"}, headers=headers)


@pytest.fixture
def cluster(control_plane: ControlPlane, namespace: str, repo: Any) -> Cluster:
    return Cluster(repo(), control_plane, namespace)


def changes(report: Any) -> dict[str, str]:
    return {one["resource"]["name"]: one["action"] for one in report["changes"]}


def test_sync_when_run_in_a_repository_then_it_is_applied_and_drift_finds_nothing(cluster):
    cluster.repo.commit({"apps/one.yaml": config_map("one")})

    code, report = cluster.report("sync")
    drift_code, drift = cluster.report("drift")

    assert (0, "synced", {"one": "created"}) == (code, report["verdict"], changes(report))
    assert cluster.repo.git("rev-parse", "HEAD").strip() == report["revision"]
    assert (0, {}, []) == (drift_code, changes(drift), drift["drift"])


def test_sync_when_the_work_tree_differs_from_head_then_head_is_applied(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.repo.write({"one.yaml": config_map("one", "2")})

    cluster.report("sync")

    assert "1" == cluster.value("one")


def test_sync_when_a_revision_is_named_then_that_one_is_applied(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.repo.commit({"one.yaml": config_map("one", "2")})

    cluster.report("sync", "--revision", "HEAD^")

    assert "1" == cluster.value("one")


def test_sync_when_the_source_is_no_repository_then_its_files_are_applied(cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    (folder / "one.yaml").write_text(config_map("one"))

    code, report = cluster.report("sync", "--source", str(folder))

    assert (0, "", "1") == (code, report["revision"], cluster.value("one"))


def test_sync_when_a_kustomization_is_there_then_it_is_rendered(cluster):
    files = {
        "web/kustomization.yaml": "resources: [one.yaml]\nnamePrefix: my-\n",
        "web/one.yaml": config_map("one"),
    }
    cluster.repo.commit(files)

    code, report = cluster.report("sync")

    assert (0, {"my-one": "created"}) == (code, changes(report))


WAIVER = """apiVersion: gitops-guard.io/v1
kind: Waiver
metadata: {name: accepted}
spec: {rules: [single-replica], reason: tried out, owner: us}
"""


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"one.yaml": f"{config_map('one')}---\n{WAIVER}"}, id="file with manifests"),
        pytest.param(
            {
                "web/kustomization.yaml": "resources: [one.yaml, waiver.yaml]\n",
                "web/one.yaml": config_map("one"),
                "web/waiver.yaml": WAIVER,
            },
            id="kustomization",
        ),
    ],
)
def test_sync_when_a_waiver_is_among_the_manifests_then_it_stays_in_git(cluster, files):
    cluster.repo.commit(files)

    code, report = cluster.report("sync")

    assert (0, {"one": "created"}) == (code, changes(report))


def test_sync_when_a_manifest_has_an_error_then_nothing_is_written(cluster):
    bad = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bad\nspec:\n  replica: 1\n"
    cluster.repo.commit({"bad.yaml": bad, "one.yaml": config_map("one")})

    code, report = cluster.report("sync")

    assert (1, "rejected", "") == (code, report["verdict"], cluster.value("one"))
    assert "unknown-field" in cluster.run("sync").err


def test_sync_when_many_manifests_have_errors_then_some_are_shown_and_the_others_counted(cluster):
    bad = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bad\ndatas: {}\n"
    cluster.repo.commit({f"bad-{number}.yaml": bad.replace("bad", f"bad-{number}") for number in range(60)})

    err = cluster.run("sync").err

    assert (50, True) == (err.count("unknown-field"), "60 errors in the manifests (10 more than are shown" in err)


def test_sync_when_only_the_rendered_object_has_an_error_then_nothing_is_written(cluster):
    patch = "- op: add\n  path: /immutable\n  value: maybe\n"
    files = {
        "web/kustomization.yaml": "resources: [one.yaml]\npatches:\n- path: patch.yaml\n  target: {kind: ConfigMap}\n",
        "web/one.yaml": config_map("one"),
        "web/patch.yaml": patch,
    }
    cluster.repo.commit(files)

    code, report = cluster.report("sync")

    assert (1, "rejected", "") == (code, report["verdict"], cluster.value("one"))
    assert "immutable" in cluster.run("sync").err


def test_sync_when_the_inventorys_namespace_is_missing_then_that_is_said(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.namespace = "nowhere"

    outcome = cluster.repo.run("sync", *cluster.target, "--namespace", "nowhere")

    assert 2 == outcome.code
    assert "namespace nowhere is not there" in outcome.err


def test_drift_when_something_left_git_then_exit_code_is_1(cluster):
    cluster.repo.commit({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    cluster.report("sync")
    cluster.repo.remove("two.yaml").commit()

    code, report = cluster.report("drift")

    assert (1, "pending", {"two": "skipped"}) == (code, report["verdict"], changes(report))


def test_sync_when_dry_run_then_exit_code_tells_of_changes_and_nothing_is_written(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})

    code, report = cluster.report("sync", "--dry-run")

    assert (1, {"one": "created"}, True, "") == (code, changes(report), report["dry_run"], cluster.value("one"))


def test_drift_when_somebody_edited_then_exit_code_is_1_and_the_text_names_who(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.edit("one", "2")

    outcome = cluster.run("drift")

    assert 1 == outcome.code
    assert f"! drift changed v1 ConfigMap {cluster.namespace}/one" in outcome.out
    assert 'data[a]: wants "1", has "2"  by kubectl-edit (Update) at ' in outcome.out
    assert "| changed |" in cluster.run("drift", "--format", "markdown").out


def test_sync_when_an_object_left_git_then_only_prune_deletes_it(cluster):
    cluster.repo.commit({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    cluster.report("sync")
    cluster.repo.remove("two.yaml").commit()

    kept = cluster.report("sync")
    pruned = cluster.report("sync", "--prune")

    assert (0, {"two": "skipped"}) == (kept[0], changes(kept[1]))
    assert (0, {"two": "deleted"}, "") == (pruned[0], changes(pruned[1]), cluster.value("two"))


def test_sync_when_git_is_empty_then_nothing_is_deleted(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.repo.remove("one.yaml").commit()

    code, report = cluster.report("sync", "--prune")

    assert (1, "guarded", ["empty"]) == (code, report["verdict"], [one["name"] for one in report["guards"]])
    assert "1" == cluster.value("one")


def test_sync_when_history_was_rewritten_then_it_is_applied_and_nothing_is_deleted(cluster):
    cluster.repo.commit({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    cluster.repo.git("tag", "before")
    cluster.report("sync")
    cluster.repo.git("checkout", "--quiet", "--orphan", "again")
    cluster.repo.remove("two.yaml").commit({"one.yaml": config_map("one", "2")})

    code, report = cluster.report("sync", "--prune")

    assert (1, ["ancestor"]) == (code, [one["name"] for one in report["guards"]])
    assert ("2", "1") == (cluster.value("one"), cluster.value("two"))
    assert {"two": "deleted"} == changes(cluster.report("sync", "--prune")[1])  # the new history is the known one now


def test_sync_when_two_sets_swap_objects_then_they_move_and_nothing_is_deleted(cluster):
    one, two = ("--path", "one", "--name", "one", "--prune"), ("--path", "two", "--name", "two", "--prune")
    files = {name: config_map(name[4:-5]) for name in ("one/a.yaml", "one/x.yaml", "two/b.yaml", "two/z.yaml")}
    cluster.repo.commit(files)
    cluster.report("sync", *one)
    cluster.report("sync", *two)
    uids = [cluster.uid("x"), cluster.uid("z")]
    cluster.repo.remove("one/x.yaml", "two/z.yaml").commit(
        {"one/z.yaml": config_map("z"), "two/x.yaml": config_map("x")}
    )

    refused = cluster.report("sync", *one)[1]
    released = cluster.report("sync", *two)
    for arguments in (one, two, one, two):
        last = cluster.report("sync", *arguments)

    assert "belongs to the set" in next(c["reason"] for c in refused["changes"] if c["resource"]["name"] == "z")
    assert 0 == refused["counts"]["deleted"] + released[1]["counts"]["deleted"]
    assert (0, uids) == (last[0], [cluster.uid("x"), cluster.uid("z")])


def test_sync_when_too_much_would_go_then_the_guard_names_what_approves_it(cluster):
    cluster.repo.commit({f"{name}.yaml": config_map(name) for name in "abcdef"})
    cluster.report("sync")
    cluster.repo.remove("a.yaml", "b.yaml", "c.yaml", "d.yaml").commit()

    code, report = cluster.report("sync", "--prune")
    guard = report["guards"][0]
    approval = guard["message"].rpartition(" ")[2]
    approved = cluster.report("sync", "--prune", "--approve-prune", approval)

    assert (1, "shrink", "1") == (code, guard["name"], "1")
    assert (0, 4) == (approved[0], approved[1]["counts"]["deleted"])


def test_sync_when_suspended_in_git_then_drift_is_still_told(cluster):
    suspended = "sync:\n  suspend: database migration\n"
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.repo.commit({".gitops-guard.yaml": suspended})
    cluster.edit("one", "2")

    code, report = cluster.report("sync")

    assert (1, "drifted", ["suspend"]) == (code, report["verdict"], [one["name"] for one in report["guards"]])
    assert "2" == cluster.value("one")


def test_sync_when_a_field_is_left_to_others_then_it_is_no_drift_and_stays(cluster):
    rule = "sync:\n  ignore-drift:\n  - {field: /data/a, kind: ConfigMap, reason: the operator tunes it}\n"
    cluster.repo.commit({"one.yaml": config_map("one"), ".gitops-guard.yaml": rule})
    cluster.report("sync")
    cluster.edit("one", "2")

    drift = cluster.report("drift")
    cluster.repo.commit({"one.yaml": config_map("one", "7") + "  b: new\n"})
    cluster.report("sync")

    assert (0, []) == (drift[0], drift[1]["drift"])
    assert "2" == cluster.value("one")


def test_rollback_when_asked_then_the_last_revision_comes_back_until_a_new_commit(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.repo.commit({"one.yaml": config_map("one", "2")})
    cluster.report("sync")

    assert 0 == cluster.report("rollback")[0]
    assert "1" == cluster.value("one")
    code, report = cluster.report("sync")
    assert (0, "1") == (code, cluster.value("one"))
    assert "put aside by a rollback" in report["notes"][0]
    cluster.repo.commit({"one.yaml": config_map("one", "3")})
    cluster.report("sync")
    assert "3" == cluster.value("one")


def test_status_and_history_when_synced_then_they_tell_what_when_and_who(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})

    assert 1 == cluster.run("status").code
    cluster.report("sync", "--wait")
    status = json.loads(cluster.run("status", "--format", "json").out)
    history = json.loads(cluster.run("history", "--format", "json").out)

    revision = cluster.repo.git("rev-parse", "HEAD").strip()
    assert (revision, revision, 1) == (status["revision"], status["healthy_revision"], status["objects"])
    (run,) = history["runs"]
    assert (revision, "synced", {"created": 1}) == (run["revision"], run["result"], run["counts"])
    assert "@" in run["author"]


def test_fsck_when_the_inventory_was_deleted_then_it_is_found_again(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.api.expect("DELETE", f"/api/v1/namespaces/{cluster.namespace}/configmaps/gitops-guard-default")

    outcome = cluster.run("fsck")

    assert (0, "set default: 1 object found and remembered\n") == (outcome.code, outcome.out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--source", "nowhere"), "no such directory", id="missing"),
        pytest.param(("--source", "git://example.com/repo.git"), "use https:// or ssh://", id="url"),
        pytest.param(("--revision", "nonsense"), "names no commit", id="revision"),
        pytest.param(("--path", "nowhere"), "no such file or directory", id="path"),
        pytest.param(("--context", "nowhere"), "nowhere", id="context"),
    ],
)
def test_sync_when_asked_for_what_is_not_there_then_exit_code_is_2(cluster, arguments, words):
    cluster.repo.commit({"one.yaml": config_map("one")})

    outcome = cluster.run("sync", *arguments)

    assert (2, "") == (outcome.code, outcome.out)
    assert words in outcome.err


def test_sync_when_the_parent_is_annotated_then_it_is_suspended_until_then(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.repo.commit({"one.yaml": config_map("one", "2")})
    cluster.suspend("2999-01-01T00:00:00Z")

    suspended = cluster.report("sync")
    cluster.suspend("2001-01-01T00:00:00Z")
    code, report = cluster.report("sync")

    assert (0, "suspended", ["suspend"]) == (
        suspended[0],
        suspended[1]["verdict"],
        [one["name"] for one in suspended[1]["guards"]],
    )
    assert (0, "synced", "2") == (code, report["verdict"], cluster.value("one"))


def test_sync_when_the_annotation_is_no_time_then_it_is_suspended_for_good(cluster):
    cluster.repo.commit({"one.yaml": config_map("one")})
    cluster.report("sync")
    cluster.suspend("until further notice")

    assert "suspended" == cluster.report("sync")[1]["verdict"]


def test_sync_when_outside_of_the_windows_then_nothing_is_written(cluster):
    never = 'sync:\n  windows:\n  - {allow: "0 0 31 2 *", duration: 1h}\n'
    cluster.repo.commit({"one.yaml": config_map("one"), ".gitops-guard.yaml": never})

    code, report = cluster.report("sync")

    assert (0, ["window"], "") == (code, [one["name"] for one in report["guards"]], cluster.value("one"))


def test_adopt_when_another_tool_applied_it_then_its_fields_become_ours(cluster):
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": cluster.namespace},
        "data": {"a": "9"},
    }
    cluster.api.apply(theirs, manager="kustomize-controller")
    cluster.repo.commit({"one.yaml": config_map("one")})

    refused = cluster.report("sync")
    taken = cluster.report("adopt")

    assert (1, "failed") == (refused[0], refused[1]["verdict"])
    assert (0, {"one": "configured"}, "1") == (taken[0], changes(taken[1]), cluster.value("one"))


def flux(name: str, path: str, *depends_on: str) -> str:
    lines = [
        "apiVersion: kustomize.toolkit.fluxcd.io/v1",
        "kind: Kustomization",
        f"metadata: {{name: {name}, namespace: flux-system}}",
        f"spec: {{interval: 10m, prune: true, path: ./{path}, sourceRef: {{kind: GitRepository, name: flux-system}}}}",
    ]
    if depends_on:
        lines[-1] = lines[-1][:-1] + f", dependsOn: [{', '.join(f'{{name: {one}}}' for one in depends_on)}]}}"
    return "\n".join(lines) + "\n"


def test_sync_when_flux_declares_units_then_they_are_deployed_in_its_order_and_not_declared(cluster):
    files = {
        "clusters/here/base.yaml": flux("base", "base"),
        "clusters/here/apps.yaml": flux("apps", "apps", "base"),
        "base/kustomization.yaml": "resources: [one.yaml]\n",
        "base/one.yaml": config_map("one"),
        "apps/kustomization.yaml": "resources: [two.yaml]\n",
        "apps/two.yaml": config_map("two"),
    }
    cluster.repo.commit(files)

    outcome = cluster.run("sync", "--cluster", "here", "--path", "clusters", "--format", "json")
    report = json.loads(outcome.out)

    assert {"one": "created", "two": "created"} == changes(report), outcome.err
    lines = [line for line in outcome.err.splitlines() if "created" in line]
    assert ["one", "two"] == [line[-3:] for line in lines]


def test_sync_when_what_flux_deploys_from_elsewhere_has_an_error_then_nothing_is_written(cluster):
    bad = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bad\nspec:\n  replica: 1\n"
    files = {
        "clusters/here/base.yaml": flux("base", "base"),
        "base/kustomization.yaml": "resources: [one.yaml, bad.yaml]\n",
        "base/one.yaml": config_map("one"),
        "base/bad.yaml": bad,
    }
    cluster.repo.commit(files)

    code, report = cluster.report("sync", "--cluster", "here", "--path", "clusters")

    assert (1, "rejected", "") == (code, report["verdict"], cluster.value("one"))


def test_sync_when_units_go_to_several_clusters_and_none_is_named_then_that_is_asked_for(cluster):
    files = {"clusters/a/base.yaml": flux("base", "base"), "base/one.yaml": config_map("one")}
    cluster.repo.commit({**files, "clusters/b/base.yaml": flux("base", "base")})

    outcome = cluster.run("sync", "--path", "clusters")

    assert 2 == outcome.code
    assert "--cluster" in outcome.err


def test_sync_when_the_source_is_a_bare_repository_or_a_file_url_then_it_is_applied(cluster, tmp_path_factory):
    cluster.repo.commit({"one.yaml": config_map("one")})
    bare = tmp_path_factory.mktemp("bare") / "repo.git"
    cluster.repo.git("clone", "--quiet", "--bare", ".", str(bare))
    cluster.repo.commit({"one.yaml": config_map("one", "2")})

    code, report = cluster.report("sync", "--source", str(bare))
    assert (0, "1") == (code, cluster.value("one")), report
    code, report = cluster.report("sync", "--source", f"file://{cluster.repo.root}")
    assert (0, "2") == (code, cluster.value("one")), report
