"""Hooks: which run, when they are due, what their unit waits for; and real Jobs before and after real rollouts."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane.controllers import Controllers
from controlplane.server import ADMIN

from gitops_guard.model import Origin
from gitops_guard.model.resource import resource_id
from gitops_guard.model.sync import SyncAction, SyncVerdict
from gitops_guard.sync.graph import build
from gitops_guard.sync.hooks import RUN, Hook, Phase, due, end_of, hook, phase_of, remembered
from gitops_guard.sync.objects import PART_OF, Desired, desired

ARGO = "argocd.argoproj.io/hook"
POLICY = "argocd.argoproj.io/hook-delete-policy"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("PreSync", Phase.PRE),
        ("Sync", Phase.SYNC),
        ("PostSync", Phase.POST),
        ("pre-install,pre-upgrade", Phase.PRE),
        ("post-upgrade", Phase.POST),
        ("post-delete, PreSync", Phase.PRE),
        ("Skip", None),
        ("SyncFail", None),
        ("PreDelete", None),
        ("test", None),
        ("pre-rollback", None),
        ("", None),
    ],
)
def test_phase_of_when_a_word_is_read_then_it_means_what_argo_cd_means(words, expected):
    assert expected is phase_of(words)


def job(name: str = "migrate", *, when: str = "PreSync", namespace: str = "shop", **annotations: str) -> dict[str, Any]:
    container = {"name": "main", "image": "job:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "annotations": {ARGO: when, **annotations}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


def config_map(name: str, *, wave: str = "0", value: str = "1") -> dict[str, Any]:
    annotations = {"argocd.argoproj.io/sync-wave": wave}
    metadata = {"name": name, "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}


ORIGIN = Origin(path="all.yaml", document=0, line=1)


def member(body: dict[str, Any], unit: str = "shop") -> Desired:
    return desired(resource_id(body), body, ORIGIN, set_id="set", unit=unit)


def hook_of(body: dict[str, Any], unit: str = "shop") -> Hook:
    def make(one, sent, origin, unit):
        return desired(one, sent, origin, set_id="", unit=unit)

    words = body["metadata"]["annotations"][ARGO]
    return hook(resource_id(body), body, ORIGIN, words=words, unit=unit, make=make)


def test_hook_when_made_then_it_is_in_no_set_and_does_what_its_annotations_say():
    found = hook_of(job(**{POLICY: "BeforeHookCreation,HookSucceeded", "helm.sh/hook-weight": "-5"}))

    assert (Phase.PRE, -5, True, False, True) == (
        found.phase, found.wave, found.delete_when_done, found.delete_when_failed, found.runs,
    )  # fmt: skip
    assert PART_OF not in found.desired.body["metadata"].get("labels", {})


@pytest.mark.parametrize(("lasts_s", "expected"), [(0, 600), (60, 600), (900, 900)])
def test_hook_when_its_job_would_delete_itself_then_it_stays_until_its_end_is_seen(lasts_s, expected):
    body = job()
    body["spec"]["ttlSecondsAfterFinished"] = lasts_s

    assert expected == hook_of(body).desired.body["spec"]["ttlSecondsAfterFinished"]


def test_due_when_git_wants_something_else_of_the_unit_then_its_hooks_are_due_once():
    hooks, other = [hook_of(job())], member(config_map("far"), unit="other")
    first = due(hooks, [member(config_map("settings")), other], {})
    ran = remembered({}, hooks, first, first)

    assert [] == [*due(hooks, [member(config_map("settings")), other], ran)]
    assert [] == [*due(hooks, [member(config_map("settings")), member(config_map("far", value="2"), "other")], ran)]
    assert 1 == len(due(hooks, [member(config_map("settings", value="2")), other], ran))
    assert 1 == len(due([hook_of(job(note="new"))], [member(config_map("settings")), other], ran))
    assert {"pre shop": first[0].state} == ran


def test_remembered_when_one_hook_of_a_phase_failed_then_all_of_the_phase_run_again():
    hooks = [hook_of(job("a")), hook_of(job("b")), hook_of(job("c", when="PostSync"))]
    run = due(hooks, [], {})

    assert {"post shop"} == set(remembered({}, hooks, run, [run[0], run[2]]))
    assert {"pre shop": run[0].state} == remembered({"pre shop": "old", "pre gone": "x"}, hooks[:2], run[:2], run[:2])


def test_due_when_the_server_is_to_name_a_hook_then_its_name_follows_from_the_state():
    body = job()
    body["metadata"] = {"generateName": "migrate-", "namespace": "shop", "annotations": {ARGO: "PreSync"}}

    (found,) = due([hook_of(body)], [], {})

    assert f"migrate-{found.state[:10]}" == found.desired.id.name == found.desired.body["metadata"]["name"]
    assert "generateName" not in found.desired.body["metadata"]
    assert found.state == found.desired.body["metadata"]["annotations"][RUN]


def test_graph_when_a_unit_has_hooks_then_they_run_before_and_after_it():
    hooks = [
        hook_of(job("first", **{"helm.sh/hook-weight": "-1"})), hook_of(job("second")),
        hook_of(job("last", when="PostSync")),
    ]  # fmt: skip
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    objects = [
        member(body) for body in (space, config_map("settings"), config_map("web"), config_map("late", wave="1"))
    ]
    objects.append(member(config_map("elsewhere"), unit="other"))

    waves = build(objects, {}, hooks).waves()

    assert [["shop"], ["elsewhere", "settings"], ["first"], ["second"], ["web"], ["late"], ["last"]] == [
        sorted(key.name for key in step) for step in waves
    ]


def test_graph_when_a_hook_depends_on_an_object_of_its_unit_then_that_comes_first():
    hooks = [hook_of(job(**{"config.kubernetes.io/depends-on": "/namespaces/shop/ConfigMap/web"}))]

    graph = build([member(config_map("web")), member(config_map("other"))], {}, hooks)

    assert () == graph.cycles
    assert [["web"], ["migrate"], ["other"]] == [[key.name for key in step] for step in graph.waves()]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"kind": "Job"}, None, id="no status"),
        pytest.param({"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "False"}]}}, None, id="runs"),
        pytest.param({"kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}]}}, True, id="done"),
        pytest.param({"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True"}]}}, False, id="failed"),
        pytest.param({"kind": "Job", "status": {"conditions": "x"}}, None, id="malformed"),
        pytest.param({"kind": "Pod", "status": {"phase": "Running"}}, None, id="pod runs"),
        pytest.param({"kind": "Pod", "status": {"phase": "Succeeded"}}, True, id="pod done"),
        pytest.param({"kind": "Workflow", "status": {"phase": "Error"}}, False, id="workflow"),
    ],
)  # fmt: skip
def test_end_of_when_an_object_is_read_then_its_end_is_told(body, expected):
    found = end_of(body)

    assert expected is (None if found is None else found.is_good)


# With real controllers ------------------------------------------------------------------------------------------------


@pytest.fixture
def api(controllers: Controllers) -> Any:
    return controllers.control_plane.api(ADMIN)


def times(api: Any, namespace: str) -> dict[str, Any]:
    """Return when jobs ended, and when the Deployment was made."""
    jobs = api.expect("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs")["items"]
    ended = {one["metadata"]["name"]: one["status"].get("completionTime") for one in jobs}
    return ended | {
        one["metadata"]["name"]: one["metadata"]["creationTimestamp"]
        for one in api.expect("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    }


def test_sync_when_a_unit_has_hooks_then_they_run_around_the_rollout_once_for_each_state(rolling, words, api):
    space = rolling.namespace
    rolling.want(
        job("migrate", namespace=space), words.config_map(space), words.deployment(space),
        job("smoke-test", when="PostSync", namespace=space, **{POLICY: "HookSucceeded"}),
    )  # fmt: skip

    dry = rolling.sync(dry_run=True)
    first = rolling.sync()
    second = rolling.sync()
    drift = rolling.drift()
    made = times(api, space)
    uids = {one["metadata"]["uid"] for one in api.expect("GET", f"/apis/batch/v1/namespaces/{space}/jobs")["items"]}
    rolling.want(words.deployment(space, image="web:2"))
    third = rolling.sync()

    assert {"hook (PreSync): the next sync runs it", "hook (PostSync): the next sync runs it"} == set(
        words.reasons(dry, SyncAction.SKIPPED).values()
    )
    assert (SyncVerdict.SYNCED, {"created": 4}) == (first.verdict, {k: v for k, v in first.counts.items() if v})
    assert {"hook (PreSync): it ran", "hook (PostSync): it ran"} <= set(
        words.reasons(first, SyncAction.CREATED).values()
    )
    assert made["migrate"] <= made["web"]
    assert "smoke-test" not in made  # its policy deletes it
    assert (SyncVerdict.SYNCED, {"unchanged"}) == (second.verdict, set(words.actions(second).values()) - {"configured"})
    assert (SyncVerdict.SYNCED, ()) == (drift.verdict, drift.drift)
    assert "created" == words.actions(third)["Job migrate"]
    after = {one["metadata"]["uid"] for one in api.expect("GET", f"/apis/batch/v1/namespaces/{space}/jobs")["items"]}
    assert not uids & after
    members = {str(key) for key in rolling.stored().inventory.entries}
    assert not any(name.startswith("Job") for name in members)


def test_sync_when_the_first_hook_fails_then_its_unit_is_held_back_and_nothing_is_pruned(rolling, words, api):
    space = rolling.namespace
    failing = job(namespace=space)
    failing["spec"]["activeDeadlineSeconds"] = 1
    failing["spec"]["template"]["spec"]["nodeSelector"] = {"there-is": "no-such-node"}
    rolling.want(words.config_map(space), words.config_map(space, "old"))
    rolling.sync()
    rolling.drop("ConfigMap", "old")
    rolling.want(failing, words.deployment(space))

    reports = [rolling.sync(prune=True) for _ in range(2)]

    for report in reports:
        assert SyncVerdict.FAILED is report.verdict
        assert "skipped" == words.actions(report)["Deployment web"] == words.actions(report)["ConfigMap old"]
        assert "Job" in words.reasons(report, SyncAction.SKIPPED)["Deployment web"]
        assert words.reasons(report, SyncAction.BLOCKED)["Job migrate"].startswith(
            "hook (PreSync): it failed: DeadlineExceeded"
        )
    assert 404 == api.request("GET", f"/apis/apps/v1/namespaces/{space}/deployments/web").status
    jobs = api.expect("GET", f"/apis/batch/v1/namespaces/{space}/jobs")["items"]
    assert 1 == len(jobs)  # it was not tried again: nothing has changed since

    api.expect("DELETE", f"/apis/batch/v1/namespaces/{space}/jobs/migrate", query={"propagationPolicy": "Background"})
    rolling.want(job(namespace=space))
    assert SyncVerdict.SYNCED is rolling.sync(prune=True, wait=True).verdict


def test_sync_when_the_pods_of_a_hook_crash_then_the_run_ends_early_with_the_reason(rolling, words, api):
    space = rolling.namespace
    crashing = job(namespace=space)
    crashing["spec"]["template"]["metadata"] = {"annotations": {"stage.test/crash": "true"}}
    rolling.want(words.config_map(space), crashing, words.deployment(space))

    report = rolling.sync(timeout_s=90.0)

    reason = words.reasons(report, SyncAction.BLOCKED)["Job migrate"]
    assert reason.startswith("hook (PreSync): it cannot end: CrashLoopBackOff: container main of pod migrate-")
    assert "skipped" == words.actions(report)["Deployment web"]


def test_sync_when_the_unit_does_not_become_healthy_then_its_last_hook_waits(rolling, words, api):
    space = rolling.namespace
    sick = words.deployment(space)
    sick["spec"]["template"]["metadata"]["annotations"] = {"stage.test/never-ready": "true"}
    rolling.want(words.config_map(space), sick, job("smoke-test", when="PostSync", namespace=space))

    report = rolling.sync(timeout_s=2.0)
    rolling.want(words.deployment(space))
    again = rolling.sync()

    assert (SyncVerdict.UNHEALTHY, "skipped") == (report.verdict, words.actions(report)["Job smoke-test"])
    assert "which is not healthy" in words.reasons(report, SyncAction.SKIPPED)["Job smoke-test"]
    assert (SyncVerdict.SYNCED, "created") == (again.verdict, words.actions(again)["Job smoke-test"])


def test_sync_when_a_hook_has_the_name_of_a_member_of_a_set_then_that_is_never_deleted(rolling, words, api):
    space = rolling.namespace
    ordinary = job(namespace=space)
    del ordinary["metadata"]["annotations"]
    rolling.want(words.config_map(space), ordinary)
    rolling.sync()
    uid = api.expect("GET", f"/apis/batch/v1/namespaces/{space}/jobs/migrate")["metadata"]["uid"]
    other = words.fleet(rolling.client, space)
    other.name = type(other.name)(name="other", namespace=space)
    other.want(job(namespace=space))

    report = other.sync()

    assert (SyncVerdict.FAILED, {"Job migrate": "an object of its name is there and is no hook; rename one of the two"}) == (
        report.verdict, words.reasons(report, SyncAction.BLOCKED),
    )  # fmt: skip
    assert uid == api.expect("GET", f"/apis/batch/v1/namespaces/{space}/jobs/migrate")["metadata"]["uid"]
