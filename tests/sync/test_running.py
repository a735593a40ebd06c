"""Whole runs on the real server: what is applied, corrected, refused, deleted, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.errors import SyncError
from gitops_guard.model.sync import DriftClass, SyncAction, SyncVerdict
from gitops_guard.sync.field_selector import selector
from gitops_guard.sync.ignoring import IgnoreRule, Way
from gitops_guard.sync.objects import PART_OF


@pytest.fixture
def api(control_plane: ControlPlane) -> Any:
    return control_plane.api(ADMIN)


def test_sync_when_new_then_all_is_created_and_the_next_run_finds_nothing(fleet, words):
    fleet.want(words.config_map(fleet.namespace), words.deployment(fleet.namespace))

    first = fleet.sync()
    second = fleet.sync()

    assert {"ConfigMap settings": "created", "Deployment web": "created"} == words.actions(first)
    assert {"ConfigMap settings": "unchanged", "Deployment web": "unchanged"} == words.actions(second)
    assert ("synced", "synced") == (first.verdict, second.verdict)


def test_sync_when_nothing_changed_then_no_object_costs_a_request(fleet, words):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(30)))
    fleet.sync()
    before = dict(fleet.client.counts)

    fleet.sync()

    asked = sum(fleet.client.counts.values()) - sum(before.values())
    assert asked <= 6  # lease, parent, one list, lease again


def test_sync_when_git_changes_then_only_that_object_is_written(fleet, words):
    fleet.want(words.config_map(fleet.namespace, "one"), words.config_map(fleet.namespace, "two"))
    fleet.sync()
    fleet.want(words.config_map(fleet.namespace, "two", a="2"))

    report = fleet.sync()

    assert {"ConfigMap one": "unchanged", "ConfigMap two": "configured"} == words.actions(report)


def test_sync_when_dry_run_then_nothing_is_written_not_even_a_lock(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace))

    report = fleet.sync(dry_run=True)

    assert ({"ConfigMap settings": "created"}, "pending") == (words.actions(report), report.verdict)
    listed = api.expect("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps")["items"]
    assert [] == [one["metadata"]["name"] for one in listed if one["metadata"]["name"] != "kube-root-ca.crt"]
    leases = api.expect("GET", f"/apis/coordination.k8s.io/v1/namespaces/{fleet.namespace}/leases")["items"]
    assert [] == leases


def test_drift_when_a_field_is_changed_then_path_values_and_who_are_told(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    api.expect(
        "PATCH", path, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-edit"},
        headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip

    report = fleet.drift()

    assert "drifted" == report.verdict
    (found,) = report.drift
    told = (found.drift_class, found.field, found.want, found.have, found.manager, found.operation)
    assert (DriftClass.CHANGED, "data[a]", "1", "2", "kubectl-edit", "Update") == told
    assert found.time


def test_sync_when_an_object_drifted_then_it_is_told_and_corrected(fleet, words, api):
    fleet.want(words.deployment(fleet.namespace, replicas=2))
    fleet.sync()
    path = f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web"
    api.expect(
        "PATCH", path, {"spec": {"replicas": 5}}, query={"fieldManager": "kubectl"},
        headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip

    report = fleet.sync()

    assert [("spec.replicas", 2, 5, "kubectl")] == [(d.field, d.want, d.have, d.manager) for d in report.drift]
    assert 2 == api.expect("GET", path)["spec"]["replicas"]
    assert {"Deployment web": "configured"} == words.actions(report)
    assert "synced" == report.verdict
    assert "synced" == fleet.drift().verdict


def test_drift_when_only_the_status_was_written_then_there_is_none(fleet, words, api):
    fleet.want(words.deployment(fleet.namespace))
    fleet.sync()
    path = f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web"
    api.expect(
        "PATCH", f"{path}/status", {"status": {"observedGeneration": 1, "replicas": 1}},
        headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    before = sum(fleet.client.counts.values())

    report = fleet.drift()

    assert ("synced", ()) == (report.verdict, report.drift)
    assert sum(fleet.client.counts.values()) - before <= 2  # the parent and one list: nothing was looked at closely


def test_drift_when_an_object_is_gone_then_it_is_missing_and_a_sync_makes_it_anew(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    api.expect("DELETE", path)

    assert [DriftClass.MISSING] == [one.drift_class for one in fleet.drift().drift]
    report = fleet.sync()

    assert {"ConfigMap settings": "created"} == words.actions(report)
    assert [("missing", "made anew")] == [(one.drift_class, one.message) for one in report.drift]
    assert 200 == api.request("GET", path).status


def test_sync_when_drift_is_only_to_be_reported_then_it_stays(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    patch = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"data": {"a": "2"}}, headers=patch)

    report = fleet.sync(remediate=frozenset())

    assert ("drifted", "2") == (report.verdict, api.expect("GET", path)["data"]["a"]), report
    assert "drifted" == fleet.drift().verdict
    assert {"ConfigMap settings": "skipped"} == words.actions(report)


def test_sync_when_drift_is_only_to_be_reported_then_what_is_gone_stays_gone_and_nothing_is_a_fight(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, "gone"), words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps"
    api.expect("DELETE", f"{path}/gone")
    patch = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", f"{path}/settings", {"data": {"a": "2"}}, query={"fieldManager": "kubectl-edit"}, headers=patch)

    reports = [fleet.sync(remediate=frozenset()) for _ in range(4)]

    assert {"drifted"} == {one.verdict for one in reports}
    assert {"its drift is only reported"} == set(words.reasons(reports[-1], SyncAction.SKIPPED).values())
    assert 404 == api.request("GET", f"{path}/gone").status
    assert 2 == fleet.sync(remediate=frozenset({"ConfigMap"})).counts["created"] + 1


def test_sync_when_drift_of_a_field_is_only_to_be_reported_then_the_other_fields_are_corrected(fleet, words, api):
    rule = IgnoreRule(fields=selector("/data/a"), kind="ConfigMap", way=Way.REPORT, reason="by hand")
    fleet.want(words.config_map(fleet.namespace, a="1", b="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    headers = {"Content-Type": "application/merge-patch+json"}

    def edit(**data: str) -> None:
        api.expect("PATCH", path, {"data": data}, query={"fieldManager": "kubectl-edit"}, headers=headers)

    edit(a="2", b="2")
    both = fleet.sync(ignore_rules=(rule,))
    after_both = api.expect("GET", path)["data"]
    edit(a="3")
    alone = fleet.sync(ignore_rules=(rule,))
    after_alone = api.expect("GET", path)["data"]

    assert {"data[a]": False, "data[b]": True} == {one.field: one.is_corrected for one in both.drift}
    assert {"a": "2", "b": "1"} == after_both
    assert (SyncVerdict.DRIFTED, {"data[a]": False}) == (
        alone.verdict,
        {one.field: one.is_corrected for one in alone.drift},
    )
    assert {"a": "3", "b": "1"} == after_alone
    assert () == tuple(note for note in alone.notes if "no use" in note)


@pytest.mark.parametrize("way", [Way.REPORT, Way.ADOPT])
def test_sync_when_a_field_that_is_left_to_others_is_gone_then_it_is_not_put_back(way, fleet, words, api):
    rule = IgnoreRule(fields=selector("/data/a"), kind="ConfigMap", way=way)
    fleet.want(words.config_map(fleet.namespace, a="1", b="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"data": {"a": None, "b": "2"}}, query={"fieldManager": "kubectl-edit"}, headers=headers)

    report = fleet.sync(ignore_rules=(rule,))

    assert {"b": "1"} == api.expect("GET", path)["data"], report
    expected = {"data[b]": True} | ({"data[a]": False} if way is Way.REPORT else {})
    assert expected == {one.field: one.is_corrected for one in report.drift}


def test_sync_when_one_field_is_only_reported_then_it_is_told_in_every_run_and_is_no_fight(fleet, words, api):
    rule = IgnoreRule(fields=selector("/data/a"), kind="ConfigMap", way=Way.REPORT)
    fleet.want(words.config_map(fleet.namespace, a="1", b="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    headers = {"Content-Type": "application/merge-patch+json"}
    told = []
    for number in range(4):
        query = {"fieldManager": f"kubectl-{number}"}
        api.expect("PATCH", path, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-hand"}, headers=headers)
        api.expect("PATCH", path, {"data": {"b": "2"}}, query=query, headers=headers)
        told.append({one.field: one.is_corrected for one in fleet.sync(ignore_rules=(rule,)).drift})
        told.append({one.field: one.is_corrected for one in fleet.drift(ignore_rules=(rule,)).drift})

    assert [{"data[a]": False, "data[b]": True}, {"data[a]": False}] * 4 == told
    assert {"a": "2", "b": "1"} == api.expect("GET", path)["data"]


def test_sync_when_git_changes_an_object_with_a_reported_field_then_that_is_still_told(fleet, words, api):
    rule = IgnoreRule(fields=selector("/data/a"), kind="ConfigMap", way=Way.REPORT)
    fleet.want(words.config_map(fleet.namespace, a="1", b="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-hand"}, headers=headers)
    fleet.want(words.config_map(fleet.namespace, a="1", b="3"))

    fleet.sync(ignore_rules=(rule,))

    assert {"a": "2", "b": "3"} == api.expect("GET", path)["data"]
    assert {"data[a]"} == {one.field for one in fleet.drift(ignore_rules=(rule,)).drift}


def test_sync_when_somebody_changes_a_field_again_and_again_then_it_stops_fighting(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    patch = {"Content-Type": "application/merge-patch+json"}
    for _ in range(2):
        api.expect("PATCH", path, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-robot"}, headers=patch)
        assert {"ConfigMap settings": "configured"} == words.actions(fleet.sync())
    api.expect("PATCH", path, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-robot"}, headers=patch)

    report = fleet.sync()

    (reason,) = words.reasons(report, SyncAction.SKIPPED).values()
    assert reason.startswith("kubectl-robot has changed data[a] again in 3 runs")
    assert "2" == api.expect("GET", path)["data"]["a"]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param({}, {"a": "2"}, id="what kubectl added goes"),
        pytest.param({"kustomize.toolkit.fluxcd.io/ssa": "Merge"}, {"a": "2", "theirs": "1"}, id="it stays"),
    ],
)
def test_sync_when_somebody_added_a_field_with_kubectl_then_the_annotation_decides(
    annotations, expected, fleet, words, api
):
    def settings(value: str) -> Any:
        body = words.config_map(fleet.namespace, a=value)
        return {**body, "metadata": {**body["metadata"], "annotations": annotations}}

    fleet.want(settings("1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"data": {"theirs": "1"}}, query={"fieldManager": "kubectl-edit"}, headers=headers)
    fleet.want(settings("2"))

    fleet.sync()

    assert expected == api.expect("GET", path)["data"]


def test_drift_when_a_container_was_added_then_only_foreign_finds_it(fleet, words, api):
    fleet.want(words.deployment(fleet.namespace))
    fleet.sync()
    path = f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web"
    body = {"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "proxy:1"}]}}}}
    api.expect(
        "PATCH", path, body, query={"fieldManager": "injector"},
        headers={"Content-Type": "application/strategic-merge-patch+json"},
    )  # fmt: skip

    assert () == fleet.drift(verify_all=True).drift
    (found,) = fleet.drift(foreign=True).drift

    told = (found.drift_class, found.field, found.manager)
    assert (DriftClass.FOREIGN, "spec.template.spec.containers[name=proxy]", "injector") == told


def test_drift_when_a_secret_changed_then_no_value_is_shown(fleet, api):
    secret = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": fleet.namespace},
        "stringData": {"password": "correct horse"},
    }  # fmt: skip
    fleet.want(secret)
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/secrets/login"
    patch = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"stringData": {"password": "battery staple"}}, headers=patch)

    report = fleet.drift()

    assert "drifted" == report.verdict
    text = repr(report)
    assert not any(word in text for word in ("correct horse", "battery", "Y29ycmVjd", "YmF0dGVye"))


def test_sync_when_a_secret_is_unchanged_then_it_costs_no_request_either(fleet):
    secret = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": fleet.namespace},
        "stringData": {"password": "correct horse"},
    }  # fmt: skip
    fleet.want(secret)
    fleet.sync()
    before = sum(fleet.client.counts.values())

    assert "synced" == fleet.drift().verdict
    assert sum(fleet.client.counts.values()) - before <= 3  # parent, key, list


def test_drift_when_an_object_is_in_no_set_then_unmanaged_finds_it(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()
    api.expect("POST", f"/api/v1/namespaces/{fleet.namespace}/configmaps", {"metadata": {"name": "by-hand"}})

    report = fleet.drift(unmanaged=True)

    assert [("unmanaged", "by-hand")] == [(one.drift_class, one.id.name) for one in report.drift]


def test_sync_when_one_object_is_bad_then_the_others_are_applied(fleet, words):
    bad = words.deployment(fleet.namespace, "bad")
    bad["spec"]["replicas"] = "many"
    fleet.want(words.config_map(fleet.namespace), bad)

    report = fleet.sync()

    assert {"ConfigMap settings": "created", "Deployment bad": "blocked"} == words.actions(report)
    assert SyncVerdict.FAILED is report.verdict
    assert [key.name for key in fleet.stored().inventory.entries] == ["settings"]


def test_sync_when_an_object_fails_then_its_dependents_are_skipped_and_named(fleet, words):
    bad = words.deployment(fleet.namespace, "bad")
    bad["spec"]["replicas"] = "many"
    after = words.config_map(fleet.namespace, "after")
    reference = f"apps/namespaces/{fleet.namespace}/Deployment/bad"
    after["metadata"]["annotations"] = {"config.kubernetes.io/depends-on": reference}
    fleet.want(bad, after, words.config_map(fleet.namespace, "apart"))

    report = fleet.sync()

    assert {"ConfigMap after": "skipped", "ConfigMap apart": "created", "Deployment bad": "blocked"} == words.actions(
        report
    )
    assert f"it waits for Deployment.apps {fleet.namespace}/bad, which failed" == report.changes[0].reason


def test_sync_when_a_namespace_and_its_objects_are_new_then_one_run_makes_both(fleet, words, api):
    space = f"{fleet.namespace}-new"
    fleet.want({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}, words.config_map(space))

    assert "pending" == fleet.sync(dry_run=True).verdict
    report = fleet.sync()

    assert {"Namespace " + space: "created", "ConfigMap settings": "created"} == words.actions(report)
    assert 200 == api.request("GET", f"/api/v1/namespaces/{space}/configmaps/settings").status


def widgets(group: str) -> list[dict[str, Any]]:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}],
        },
    }  # fmt: skip
    return [
        definition,
        {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 1}},
    ]


def test_sync_when_a_definition_and_its_objects_are_new_then_one_run_makes_both(fleet, api):
    group = f"{fleet.namespace}.example.com"
    fleet.want(*widgets(group))

    report = fleet.sync()

    assert ("synced", ["created", "created"]) == (report.verdict, [str(one.action) for one in report.changes])
    assert 200 == api.request("GET", f"/apis/{group}/v1/namespaces/{fleet.namespace}/widgets/a").status
    assert "synced" == fleet.drift().verdict
    api.expect("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")


def test_sync_when_a_definition_leaves_with_its_objects_then_it_goes_after_them_and_only_if_allowed(fleet, words, api):
    group = f"{fleet.namespace}.example.com"
    fleet.want(words.config_map(fleet.namespace), *widgets(group))
    fleet.sync()
    fleet.drop("CustomResourceDefinition", f"widgets.{group}")

    protected = fleet.sync(prune=True)
    fleet.drop("Widget", "a")
    heavy = fleet.sync(prune=True, prune_kinds=("CustomResourceDefinition",))
    (guard,) = heavy.guards
    approved = (guard.message.rpartition(" ")[2],)
    report = fleet.sync(prune=True, prune_kinds=("CustomResourceDefinition",), approved=approved)

    assert "takes data or other objects with it" in next(
        one.reason for one in protected.changes if one.id.kind == "CustomResourceDefinition"
    )
    assert "prune-cap" == guard.name
    assert (SyncVerdict.SYNCED, 2) == (report.verdict, report.counts["deleted"])
    assert ["settings"] == [key.name for key in fleet.stored().inventory.entries]
    assert SyncVerdict.SYNCED is fleet.sync(prune=True).verdict


def test_sync_when_objects_wait_for_each_other_then_nothing_is_written(fleet, words):
    one, two = words.config_map(fleet.namespace, "one"), words.config_map(fleet.namespace, "two")
    for body, other in ((one, "two"), (two, "one")):
        reference = f"/namespaces/{fleet.namespace}/ConfigMap/{other}"
        body["metadata"]["annotations"] = {"config.kubernetes.io/depends-on": reference}
    fleet.want(one, two)

    with pytest.raises(SyncError, match="wait for each other"):
        fleet.sync()
    assert not fleet.stored().exists


def test_sync_when_an_object_left_git_then_prune_deletes_it_and_nothing_else_does(fleet, words, api):
    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("one", "two", "three", "four")))
    fleet.sync()
    fleet.drop("ConfigMap", "four")

    kept = fleet.sync()
    pruned = fleet.sync(prune=True)

    assert ("skipped", "it left Git; --prune deletes it") == (kept.changes[0].action, kept.changes[0].reason)
    assert "deleted" == words.actions(pruned)["ConfigMap four"]
    assert 404 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/four").status
    assert 3 == len(fleet.stored().inventory.entries)


def test_sync_when_pruned_with_dry_run_then_it_is_still_there(fleet, words, api):
    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("one", "two")))
    fleet.sync()
    fleet.drop("ConfigMap", "two")

    report = fleet.sync(prune=True, dry_run=True)

    assert ("pending", "deleted") == (report.verdict, words.actions(report)["ConfigMap two"])
    assert 200 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/two").status


def test_sync_when_another_object_failed_then_nothing_is_pruned(fleet, words, api):
    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("one", "two")))
    fleet.sync()
    bad = words.deployment(fleet.namespace, "bad")
    bad["spec"]["replicas"] = "many"
    fleet.drop("ConfigMap", "two")
    fleet.want(bad)

    report = fleet.sync(prune=True)

    assert (SyncVerdict.FAILED, "skipped") == (report.verdict, words.actions(report)["ConfigMap two"])
    assert 200 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/two").status


def test_sync_when_something_is_not_healthy_then_nothing_is_pruned(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, "one"), words.deployment(fleet.namespace))
    fleet.sync()
    fleet.drop("ConfigMap", "one")

    report = fleet.sync(prune=True)  # no controller runs: the Deployment never becomes ready

    assert (SyncVerdict.GUARDED, ["health"]) == (report.verdict, [one.name for one in report.guards])
    assert 200 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/one").status


def test_sync_when_waiting_in_vain_then_the_run_says_what_is_missing(fleet, words):
    fleet.want(words.deployment(fleet.namespace))

    report = fleet.sync(wait=True, timeout_s=1.0)

    assert SyncVerdict.UNHEALTHY is report.verdict
    assert [("InProgress", "LessReplicas")] == [(one.status, one.reason) for one in report.health]


def test_sync_when_an_object_moves_to_another_set_then_the_first_one_lets_it_go(fleet, words, api):
    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("one", "two")))
    fleet.sync()
    other = type(fleet)(fleet.client, fleet.namespace)
    other.name = type(fleet.name)(name="other", namespace=fleet.namespace)
    other.want(words.config_map(fleet.namespace, "two"))

    refused = other.sync()
    taken = other.sync(adopt=True)
    stolen = fleet.drift()
    fleet.drop("ConfigMap", "two")
    after = fleet.sync(prune=True)

    assert f"it belongs to the set {fleet.name.id}" in refused.changes[0].reason
    assert SyncVerdict.SYNCED is taken.verdict
    assert [("stolen", "two")] == [(one.drift_class, one.id.name) for one in stolen.drift]
    assert {"ConfigMap one": "unchanged"} == words.actions(after)
    labels = api.expect("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/two")["metadata"]["labels"]
    assert other.name.id == labels[PART_OF]


def test_sync_when_a_controller_owns_a_field_then_the_object_is_left_and_the_owner_named(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    theirs = words.config_map(fleet.namespace, a="9")
    assert 201 == api.apply(theirs, manager="some-controller").status

    report = fleet.sync()

    (reason,) = words.reasons(report, SyncAction.BLOCKED).values()
    assert ".data.a (some-controller)" in reason
    assert "9" == api.expect("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings")["data"]["a"]


def test_sync_when_kubectl_applied_it_before_then_it_is_taken_over_and_removed_fields_go(fleet, words, api):
    body = words.config_map(fleet.namespace, a="1", old="x")
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(body)}
    api.create(body, fieldManager="kubectl-client-side-apply")
    fleet.want(words.config_map(fleet.namespace, a="2"))

    report = fleet.sync()

    assert {"ConfigMap settings": "configured"} == words.actions(report)
    live = api.expect("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings")
    assert {"a": "2"} == live["data"]
    assert "annotations" not in live["metadata"]


def test_sync_when_an_immutable_field_changes_then_it_is_told_apart_from_an_invalid_one(fleet, words, api):
    fleet.want(words.deployment(fleet.namespace))
    fleet.sync()
    uid = api.expect("GET", f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web")["metadata"]["uid"]
    changed = words.deployment(fleet.namespace)
    changed["spec"]["selector"]["matchLabels"] = changed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    fleet.want(changed)

    refused = fleet.sync()
    changed["metadata"]["annotations"] = {"gitops-guard.io/recreate": "enabled"}
    made = fleet.sync()
    changed["spec"]["template"]["spec"]["containers"] = []
    invalid = fleet.sync()

    assert "gitops-guard.io/recreate: enabled" in refused.changes[0].reason
    assert {"Deployment web": "configured"} == words.actions(made)
    now = api.expect("GET", f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web")["metadata"]["uid"]
    assert uid != now
    assert (SyncVerdict.FAILED, "blocked") == (invalid.verdict, words.actions(invalid)["Deployment web"])
    still = api.expect("GET", f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web")["metadata"]["uid"]
    assert now == still


def test_sync_when_another_run_holds_the_lock_then_nothing_is_done(fleet, words):
    from gitops_guard.sync.locking import Stop, locked

    fleet.want(words.config_map(fleet.namespace))
    with locked(fleet.client, fleet.name, "somebody-else", Stop(), duration_s=60):
        report = fleet.sync()

    assert (SyncVerdict.LOCKED, ()) == (report.verdict, report.changes)
    assert "somebody-else" in report.notes[0]
    assert SyncVerdict.SYNCED is fleet.sync().verdict


def test_sync_when_the_inventory_is_lost_then_nothing_is_pruned_until_fsck_and_a_healthy_run(fleet, words, api):
    from gitops_guard.sync.rebuilding import rebuild

    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("one", "two")))
    fleet.sync()
    api.expect("DELETE", f"/api/v1/namespaces/{fleet.namespace}/configmaps/{fleet.name.parent}")
    fleet.drop("ConfigMap", "two")

    blind = fleet.sync(prune=True)
    found = rebuild(fleet.client, fleet.name)
    careful = fleet.sync(prune=True)
    last = fleet.sync(prune=True)

    assert "the inventory does not know it" in words.reasons(blind, SyncAction.SKIPPED)["ConfigMap two"]
    assert (2, ()) == (found.members, found.blind)
    assert ["adoption"] == [one.name for one in careful.guards]
    assert {"ConfigMap one": "unchanged", "ConfigMap two": "deleted"} == words.actions(last)


def test_sync_when_run_then_history_says_what_when_and_how(fleet, words):
    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()
    fleet.sync()
    fleet.revision = "2" * 40
    fleet.want(words.config_map(fleet.namespace, a="2"))
    fleet.sync()

    runs = [(run.revision[0], run.result, dict(run.counts)) for run in fleet.stored().inventory.history]

    assert [("2", "synced", {"configured": 1}), ("1", "synced", {"created": 1})] == runs


def test_sync_when_an_object_was_not_compared_for_a_day_then_it_is_and_drift_alone_does_not(fleet, words):
    from datetime import UTC, datetime, timedelta

    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(40)))
    fleet.sync()
    later = {"now": lambda: datetime.now(UTC) + timedelta(days=2)}

    def requests(run, **options):
        before = sum(fleet.client.counts.values())
        assert "synced" == run(**options).verdict
        return sum(fleet.client.counts.values()) - before

    looks, plain, day_after, verified = (
        requests(fleet.drift, **later), requests(fleet.sync), requests(fleet.sync, **later), requests(fleet.drift, verify_all=True)
    )  # fmt: skip

    assert looks <= 2
    assert plain + 2 * (40 // 20) <= day_after <= plain + 2 * (40 // 20) + 2
    assert verified >= 2 * 40


def test_sync_when_objects_are_hooks_or_have_no_name_then_they_are_named_and_the_others_applied(fleet, words):
    hook = words.config_map(fleet.namespace, "hook")
    hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "SyncFail"}
    nameless = words.config_map(fleet.namespace, "x")
    nameless["metadata"] = {"name": "", "generateName": "x-", "namespace": fleet.namespace}
    labelled = words.config_map(fleet.namespace, "labelled")
    labelled["metadata"]["labels"] = {PART_OF: "mine"}
    fleet.want(words.config_map(fleet.namespace), hook, nameless, labelled)

    report = fleet.sync()

    expected = {"hook": "skipped", "x-*": "blocked", "labelled": "blocked", "settings": "created"}
    assert {f"ConfigMap {name}": action for name, action in expected.items()} == words.actions(report)
    assert SyncVerdict.FAILED is report.verdict


def test_sync_when_two_files_say_different_things_of_one_object_then_both_places_are_told(fleet, words):
    from dataclasses import replace

    from gitops_guard.sync.running import sync

    request = fleet.request()
    both = tuple(words.wanted(words.config_map(fleet.namespace, a=value), line=int(value)) for value in ("1", "2"))
    with pytest.raises(SyncError, match=r"apps/all.yaml:1 and, saying something else, in apps/all.yaml:2"):
        sync(fleet.client, replace(request, rendered=replace(request.rendered, wanted=both)))
