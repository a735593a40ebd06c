"""What may be deleted, and what stops a run from deleting too much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_guard.sync.guard import Caps, Situation, plan_id, trips
from gitops_guard.sync.inventory import Entry
from gitops_guard.sync.objects import PART_OF, Key, Live
from gitops_guard.sync.pruning import PruneRules, reason_to_keep, stage

RULES = PruneRules(set_id="ours")
OWNED = {
    "manager": "gitops-guard",
    "operation": "Apply",
    "fieldsV1": {"f:metadata": {"f:labels": {f"f:{PART_OF}": {}}}},
}


def live(kind: str = "ConfigMap", name: str = "a", *, group: str = "", part_of: str = "ours", **metadata: Any) -> Live:
    labels = {PART_OF: part_of} if part_of else {}
    said = {"uid": f"uid-{name}", "labels": labels, "managedFields": [OWNED], **metadata}
    return Live(key=Key(group, kind, "shop", name), version="v1", metadata=said)


def entry(one: Live, uid: str | None = None) -> Entry:
    return Entry(key=one.key, version="v1", uid=one.uid if uid is None else uid)


def test_prune_when_all_rules_hold_then_nothing_keeps_it():
    assert "" == reason_to_keep(live(), entry(live()), RULES)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        pytest.param(live(part_of="theirs"), "belongs to the set theirs now", id="moved"),
        pytest.param(live(part_of=""), "does not carry the set's label", id="label-gone"),
        pytest.param(live(managedFields=[{**OWNED, "operation": "Update"}]), "copied by somebody else", id="updated"),
        pytest.param(live(managedFields=[{**OWNED, "manager": "x"}]), "copied by somebody else", id="copied"),
        pytest.param(live(managedFields="nonsense"), "copied by somebody else", id="malformed"),
        pytest.param(live(ownerReferences=[{"controller": True, "kind": "Widget", "name": "w"}]), "Widget w owns it", id="owner"),
        pytest.param(live(annotations={"kustomize.toolkit.fluxcd.io/prune": "Disabled"}), "forbids it", id="flux"),
        pytest.param(live(annotations={"argocd.argoproj.io/sync-options": "Validate=false, Prune=false"}), "forbids it", id="argo"),
        pytest.param(live(annotations={"cli-utils.sigs.k8s.io/on-remove": "keep"}), "forbids it", id="cli-utils"),
        pytest.param(live(annotations={"client.lifecycle.config.k8s.io/deletion": "detach"}), "forbids it", id="lifecycle"),
        pytest.param(live(annotations={"kapp.k14s.io/delete-strategy": "orphan"}), "forbids it", id="kapp"),
        pytest.param(live(annotations={"kluctl.io/skip-delete": "true"}), "forbids it", id="kluctl"),
        pytest.param(live(annotations={"kluctl.io/skip-delete-if-tags": "true"}), "forbids it", id="kluctl-tags"),
        pytest.param(live(annotations={"helm.sh/resource-policy": "keep"}), "forbids it", id="helm"),
        pytest.param(live(annotations={"gitops-guard.io/prune": "disabled"}), "forbids it", id="own"),
        pytest.param(live(annotations={"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}), "not to touch", id="reconcile"),
        pytest.param(live(annotations={"argocd.argoproj.io/sync-options": "Prune=confirm"}), "deletion-approved", id="confirm"),
        pytest.param(live(deletionTimestamp="2026-01-01T00:00:00Z"), "being deleted already", id="terminating"),
        pytest.param(live("Namespace"), "--prune-kind Namespace", id="namespace"),
        pytest.param(live("PersistentVolumeClaim"), "--prune-kind PersistentVolumeClaim", id="claim"),
        pytest.param(live("PersistentVolume"), "--prune-kind PersistentVolume", id="volume"),
        pytest.param(live("CustomResourceDefinition", group="apiextensions.k8s.io"), "--prune-kind", id="definition"),
    ],
)  # fmt: skip
def test_prune_when_a_rule_does_not_hold_then_it_is_kept_for_that_reason(one, words):
    assert words in reason_to_keep(one, entry(one), RULES)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        pytest.param(None, "does not know it", id="unknown"),
        pytest.param(entry(live(), uid=""), "does not know its uid", id="no-uid"),
        pytest.param(entry(live(), uid="other"), "another object of the same name", id="other-uid"),
    ],
)
def test_prune_when_the_inventory_disagrees_then_it_is_kept(known, words):
    assert words in reason_to_keep(live(), known, RULES)


def test_prune_when_a_protected_kind_is_allowed_then_nothing_keeps_it():
    one = live("PersistentVolumeClaim")

    assert "" == reason_to_keep(one, entry(one), replace(RULES, allowed_kinds=("PersistentVolumeClaim",)))


def test_prune_when_kinds_differ_then_what_others_need_goes_last():
    kinds = [
        ("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition"), ("apps", "Deployment"), ("", "ConfigMap"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"), ("", "ServiceAccount"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    ]  # fmt: skip

    ordered = sorted(kinds, key=lambda one: stage(live(one[1], group=one[0])))

    assert [
        "ValidatingWebhookConfiguration", "Deployment", "RoleBinding", "ConfigMap", "ServiceAccount",
        "CustomResourceDefinition", "Namespace",
    ] == [kind for _, kind in ordered]  # fmt: skip


def situation(*, known: int, doomed: int, kind: str = "ConfigMap", **options: Any) -> Situation:
    gone = [live(kind, f"n{number}") for number in range(doomed)]
    return Situation(wanted=known - doomed, known=known, doomed=gone, **options)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(situation(known=100, doomed=0), [], id="nothing"),
        pytest.param(situation(known=3, doomed=1), [], id="one-of-three"),
        pytest.param(situation(known=2, doomed=1), [], id="one-of-two"),
        pytest.param(situation(known=100, doomed=20), [], id="at-the-share"),
        pytest.param(situation(known=100, doomed=21), ["prune-cap"], id="above-the-share"),
        pytest.param(situation(known=1000, doomed=51), ["prune-cap"], id="above-the-count"),
        pytest.param(situation(known=10, doomed=6), ["shrink"], id="shrink"),
        pytest.param(situation(known=100, doomed=6, kind="Namespace"), ["prune-cap"], id="heavy-kinds"),
        pytest.param(situation(known=5, doomed=5), ["empty", "shrink"], id="empty"),
        pytest.param(situation(known=10, doomed=1, broken=("chart: bad values",)), ["render"], id="half-rendered"),
        pytest.param(situation(known=10, doomed=1, rewound="1" * 40), ["ancestor"], id="rewound"),
        pytest.param(situation(known=10, doomed=1, rewound="1" * 40, allow_rewind=True), [], id="rewind-allowed"),
        pytest.param(situation(known=10, doomed=1, adopting=True), ["adoption"], id="rebuilt"),
        pytest.param(situation(known=1000, doomed=60, caps=Caps(count=100)), [], id="raised"),
        pytest.param(Situation(wanted=0, known=0, doomed=[]), [], id="first-run"),
    ],
)
def test_guards_when_asked_then_these_trip(one, expected):
    assert expected == [trip.name for trip in trips(one)]


def test_guards_when_exactly_these_objects_are_approved_then_size_does_not_count():
    one = situation(known=10, doomed=9)

    assert [] == list(trips(replace(one, approved=(plan_id(one.doomed),))))
    assert ["shrink"] == [trip.name for trip in trips(replace(one, approved=(plan_id(one.doomed[1:]),)))]


def test_guards_when_git_is_empty_then_no_approval_helps():
    one = situation(known=5, doomed=5)

    assert ["empty"] == [trip.name for trip in trips(replace(one, approved=(plan_id(one.doomed),)))]
