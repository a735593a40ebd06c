"""The pieces that need no cluster: annotations, conflicts, owners of fields, selectors, windows, the inventory."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gitops_guard.errors import SyncError
from gitops_guard.sync.applyset import KINDS, NAMESPACES, SetName, parent_metadata, parent_problem
from gitops_guard.sync.conflicts import Conflict, ConflictRule, Settlement, conflict, resolve, without
from gitops_guard.sync.field_selector import selector
from gitops_guard.sync.ignoring import IgnoreRule, Ignoring, Way
from gitops_guard.sync.instructions import read_instructions
from gitops_guard.sync.inventory import Entry, Inventory, Run, decode, encode, superset
from gitops_guard.sync.managed_fields import additions, last_writer, owners, value_at
from gitops_guard.sync.migrating import migrated, surplus, without_path
from gitops_guard.sync.objects import Key
from gitops_guard.sync.windows import closed_reason, window

WEB = Key("apps", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    ("annotations", "field", "expected"),
    [
        pytest.param({"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}, "create_only", True, id="flux-create"),
        pytest.param({"kustomize.toolkit.fluxcd.io/ssa": "Ignore"}, "ignore", True, id="flux-ignore"),
        pytest.param({"argocd.argoproj.io/skip-reconcile": "true"}, "ignore", True, id="argo-ignore"),
        pytest.param({"kapp.k14s.io/exists": ""}, "ignore", True, id="kapp-exists"),
        pytest.param({"kustomize.toolkit.fluxcd.io/force": "Enabled"}, "recreate", True, id="flux-force"),
        pytest.param({"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}, "recreate", True, id="argo-force"),
        pytest.param({"argocd.argoproj.io/sync-options": "Replace=true"}, "recreate", False, id="argo-replace-alone"),
        pytest.param({"argocd.argoproj.io/sync-options": "PruneLast=true"}, "prune_last", True, id="prune-last"),
        pytest.param({"argocd.argoproj.io/sync-wave": "-5"}, "wave", -5, id="wave"),
        pytest.param({"argocd.argoproj.io/hook": "PreSync"}, "hook", "PreSync", id="hook"),
        pytest.param({"argocd.argoproj.io/sync-wave": "soon"}, "problems", True, id="bad-wave"),
        pytest.param({"kapp.k14s.io/change-rule": "upsert whenever"}, "problems", True, id="bad-rule"),
        pytest.param({"kapp.k14s.io/change-rule.a": "delete before deleting x"}, "problems", False, id="delete-rule"),
        pytest.param({"something.else/prune": "disabled"}, "keep", False, id="not-ours"),
        pytest.param({"argocd.argoproj.io/sync-options": "Delete=false"}, "keep", True, id="argo-delete-false"),
        pytest.param({"argocd.argoproj.io/sync-options": "Delete=confirm"}, "prune_confirm", True, id="argo-confirm"),
        pytest.param({"kustomize.toolkit.fluxcd.io/ssa": "Merge"}, "merges", True, id="flux-merge"),
    ],
)
def test_instructions_when_read_then_they_say(annotations, field, expected):
    found = getattr(read_instructions(annotations), field)

    assert expected == (found if not isinstance(expected, bool) else bool(found))


def test_conflict_when_read_then_field_and_manager_are_known():
    cause = conflict(".spec.replicas", 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1')

    assert (".spec.replicas", "kube-controller-manager") == cause


@pytest.mark.parametrize(
    ("conflicts", "rules", "expected"),
    [
        pytest.param([(".data.a", "kubectl-edit")], [], (True, 0, 0), id="kubectl-is-taken"),
        pytest.param([(".data.a", "controller")], [], (False, 0, 1), id="controller-is-not"),
        pytest.param([(".data.a", "kubectl"), (".data.b", "controller")], [], (False, 0, 1), id="one-refusal-decides"),
        pytest.param([(".spec.replicas", "hpa")], [("yield", "*", ".spec.replicas")], (False, 1, 0), id="yield"),
        pytest.param(
            [(".spec.replicas", "hpa"), (".data.a", "kubectl")], [("yield", "hpa", "*")], (True, 1, 0), id="both"
        ),
        pytest.param([(".data.a", "kubectl")], [("fail", "kubectl", "*")], (False, 0, 1), id="own-rule-first"),
    ],
)
def test_conflicts_when_settled_then_by_the_first_rule(conflicts, rules, expected):
    own = [ConflictRule(settlement=Settlement(word), manager=manager, field=field) for word, manager, field in rules]

    found = resolve(WEB, [Conflict(*one) for one in conflicts], own)

    assert expected == (found.force, len(found.yielded), len(found.refused))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(".spec.replicas", {"spec": {"containers": [{"name": "a", "image": "x"}], "set": ["u", "v"]}}, id="field"),
        pytest.param('.spec.containers[name="a"].image', {"spec": {"replicas": 1, "containers": [{"name": "a"}], "set": ["u", "v"]}}, id="item"),
        pytest.param('.spec.containers[name="b"].image', None, id="no-such-item"),
        pytest.param('.spec.set[="v"]', {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "x"}], "set": ["u"]}}, id="set"),
        pytest.param(".spec.containers[0].image", {"spec": {"replicas": 1, "containers": [{"name": "a"}], "set": ["u", "v"]}}, id="index"),
        pytest.param(".status.nothing", None, id="nothing"),
    ],
)  # fmt: skip
def test_fields_when_yielded_then_they_are_left_out(field, expected):
    body: Any = {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "x"}], "set": ["u", "v"]}}

    assert (expected or body) == without(body, [field])


def test_labels_when_yielded_then_dots_in_their_names_do_not_matter():
    body: Any = {"metadata": {"labels": {"example.com/team": "a", "b": "c"}}}

    assert {"metadata": {"labels": {"b": "c"}}} == without(body, [".metadata.labels.example.com/team"])


OURS = {"manager": "gitops-guard", "operation": "Apply", "apiVersion": "apps/v1", "time": "1", "fieldsV1": {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {"f:replicas": {}, "f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}}}}}}  # fmt: skip
THEIRS = {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1", "time": "2", "fieldsV1": {
    "f:metadata": {"f:annotations": {".": {}, "f:x": {}}, "f:finalizers": {}},
    "f:spec": {"f:replicas": {}, "f:paused": {}, "f:containers": {'k:{"name":"proxy"}': {}, 'k:{"name":"web"}': {"f:image": {}}}},
    "f:status": {"f:phase": {}}}}  # fmt: skip
BODY: Any = {"spec": {"replicas": 3, "containers": [{"name": "proxy"}, {"name": "web", "image": "web:2"}]}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(("spec", "replicas"), "kubectl-edit", id="field"),
        pytest.param(("spec", "containers", 1, "image"), "kubectl-edit", id="item-by-its-key"),
        pytest.param(("spec", "containers", 0, "image"), "kubectl-edit", id="owned-as-a-whole"),
        pytest.param(("spec", "containers", 1, "command"), None, id="nobody"),
        pytest.param(("spec", "containers", 7, "image"), None, id="no-such-item"),
    ],
)
def test_writer_when_looked_for_then_it_is_the_one_who_owns_the_field(path, expected):
    found = last_writer(owners([OURS, THEIRS]), BODY, path)

    assert expected == (found.manager if found else None)


def test_additions_when_looked_for_then_only_what_lies_below_ours():
    found = [one.printed() for one in additions(owners([OURS, THEIRS]))]

    assert ["metadata.annotations[x]", "spec.containers[name=proxy]", "spec.paused"] == found
    assert [] == additions(owners([OURS, {**THEIRS, "manager": "kubelet"}]))
    assert {"name": "proxy"} == value_at(BODY, additions(owners([OURS, THEIRS]))[1].path)


def test_migration_when_client_side_entries_are_there_then_they_become_ours():
    client = {**THEIRS, "manager": "kubectl-client-side-apply"}

    (rest, merged) = migrated([client, {**THEIRS, "manager": "other"}], "apps/v1") or ()

    assert ("other", "gitops-guard", "Apply") == (rest["manager"], merged["manager"], merged["operation"])
    assert client["fieldsV1"] == merged["fieldsV1"]
    assert None is migrated([OURS], "apps/v1")
    assert None is migrated([{**client, "apiVersion": "extensions/v1beta1"}], "apps/v1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/spec/replicas", [("spec", "replicas")], id="pointer"),
        pytest.param("/spec/containers/0/image", [("spec", "containers", 0, "image")], id="index"),
        pytest.param("/spec/containers/*/name", [("spec", "containers", 0, "name"), ("spec", "containers", 1, "name")], id="all"),
        pytest.param('$.spec.containers[?(@.name=="b")].name', [("spec", "containers", 1, "name")], id="condition"),
        pytest.param("$.metadata.labels['a.b/c']", [("metadata", "labels", "a.b/c")], id="quoted"),
        pytest.param("/metadata/labels/a.b~1c", [("metadata", "labels", "a.b/c")], id="escaped"),
        pytest.param("spec.containers[*].image", [("spec", "containers", 0, "image")], id="there-or-not"),
        pytest.param("/nothing", [], id="nothing"),
    ],
)  # fmt: skip
def test_selector_when_read_then_it_names_places(text, expected):
    body = {
        "metadata": {"labels": {"a.b/c": "x"}},
        "spec": {"replicas": 1, "containers": [{"name": "a", "image": "i"}, {"name": "b"}]},
    }

    assert expected == selector(text).paths(body)


@pytest.mark.parametrize("text", ["", "/", "$", "$.a[?(@.b > 1)]", "a b"])
def test_selector_when_it_names_nothing_then_it_is_refused(text):
    with pytest.raises(SyncError):
        selector(text)


def test_ignoring_when_stripped_adopted_expired_and_unused_then_each_is_told():
    rules = [
        IgnoreRule(fields=selector("/spec/replicas"), way=Way.STRIP, kind="Deployment"),
        IgnoreRule(fields=selector("$.spec.containers[0].image")),
        IgnoreRule(fields=selector("/spec/paused"), until="2026-01-01"),
        IgnoreRule(fields=selector("/nothing")),
    ]
    body: Any = {"spec": {"replicas": 1, "containers": [{"name": "web", "image": "web:1"}]}}
    ignoring = Ignoring(rules, date(2026, 11, 25))

    sent = ignoring.adopted(WEB, ignoring.stripped(WEB, body), BODY)

    assert {"spec": {"containers": [{"name": "web", "image": "web:2"}]}} == sent
    assert ([rules[2]], [rules[3]]) == (ignoring.expired, ignoring.unused)


def test_window_when_open_then_by_cron_in_its_zone():
    working = window("0 8 * * mon-fri", "9h", is_allowed=True, zone="Europe/Berlin")
    holidays = window("0 0 24 12 *", "72h", is_allowed=False)

    assert "" == closed_reason([working, holidays], datetime(2026, 11, 25, 15, 59, tzinfo=UTC))  # 16:59 in Berlin
    assert "outside of all windows" in closed_reason([working], datetime(2026, 11, 25, 16, 0, tzinfo=UTC))
    assert "outside of all windows" in closed_reason([working], datetime(2026, 11, 28, 12, 0, tzinfo=UTC))
    assert "forbids it" in closed_reason([working, holidays], datetime(2026, 12, 25, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("schedule", "duration", "zone"),
    [
        pytest.param("0 8 * *", "1h", "UTC", id="four-fields"),
        pytest.param("61 8 * * *", "1h", "UTC", id="minute"),
        pytest.param("0 8 * * someday", "1h", "UTC", id="weekday"),
        pytest.param("*/0 8 * * *", "1h", "UTC", id="step"),
        pytest.param("0 8 * * *", "0h", "UTC", id="no-duration"),
        pytest.param("0 8 * * *", "forever", "UTC", id="duration"),
        pytest.param("0 8 * * *", "1h", "Mars/Base", id="zone"),
    ],
)
def test_window_when_it_cannot_be_read_then_it_is_refused(schedule, duration, zone):
    with pytest.raises(SyncError):
        window(schedule, duration, is_allowed=True, zone=zone)


def entries(number: int) -> dict[Key, Entry]:
    keys = [Key("", "ConfigMap", "shop", f"settings-{index:05}") for index in range(number)]
    return {
        key: Entry(key=key, version="v1", uid=f"{index:08x}-aaaa", resource_version=str(index), generation=1, meta_hash="0" * 16, desired_hash="1" * 16)
        for index, key in enumerate(keys)
    }  # fmt: skip


def test_inventory_when_written_and_read_then_it_is_the_same():
    runs = (Run(revision="1" * 40, author="Ada", started="2026", result="synced", counts={"created": 2}, message="x"),)
    inventory = Inventory(
        entries=entries(3), revision="1", healthy_revision="2", pinned="3", phase="apply", history=runs
    )

    assert inventory == decode(encode(inventory))
    assert encode(inventory) == encode(decode(encode(inventory)))


def test_inventory_when_2000_objects_then_it_is_small_and_20_runs_are_kept():
    inventory = Inventory(entries=entries(2000))
    for number in range(30):
        inventory = inventory.with_run(Run(revision=f"{number:040}"))

    written = encode(inventory)

    assert sum(map(len, written.values())) < 120_000
    assert [f"{number:040}" for number in range(29, 9, -1)] == [run.revision for run in decode(written).history]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="missing"),
        pytest.param({"inventory": b"no gzip"}, id="no-gzip"),
        pytest.param({"inventory": gzip.compress(b"{}")[:-6]}, id="cut"),
        pytest.param({"inventory": gzip.compress(b"nonsense")}, id="no-json"),
        pytest.param({"inventory": gzip.compress(b'{"format": 9}')}, id="newer"),
        pytest.param({"inventory": gzip.compress(b'{"format": 1}')}, id="no-members"),
        pytest.param({"inventory": gzip.compress(b'{"format": 1, "members": [[1, 2]]}')}, id="short-entry"),
        pytest.param({"inventory": gzip.compress(b"[" * 100_000)}, id="deep"),
        pytest.param({"inventory": gzip.compress(b" " * (65 << 20))}, id="bomb"),
    ],
)
def test_inventory_when_damaged_then_it_is_refused_and_the_way_out_named(data):
    with pytest.raises(SyncError, match=r"fsck"):
        decode(data)


def test_superset_when_made_then_what_is_known_stays_and_what_comes_has_no_uid():
    known, new = entries(1), Entry(key=WEB, version="apps/v1")

    both = superset(Inventory(entries=known), [new, *known.values()])

    assert {**known, WEB: new} == both.entries


def test_parent_when_made_then_it_names_kinds_and_other_namespaces():
    name = SetName(name="shop", namespace="gitops")
    keys = [WEB, Key("", "ConfigMap", "gitops", "a"), Key("", "Namespace", "", "shop")]

    annotations = parent_metadata(name, keys)["annotations"]

    assert ("ConfigMap,Deployment.apps,Namespace", "shop") == (annotations[KINDS], annotations[NAMESPACES])
    assert ("", None) == (
        parent_metadata(name, [])["annotations"][KINDS],
        parent_metadata(name, [])["annotations"].get(NAMESPACES),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({}, "", id="ours"),
        pytest.param({"annotations": {}}, "no annotation", id="no-tooling"),
        pytest.param(
            {"annotations": {"applyset.kubernetes.io/tooling": "kubectl/v1.36"}},
            'tooling "kubectl/v1.36"',
            id="kubectls",
        ),
        pytest.param({"labels": {"applyset.kubernetes.io/id": "other"}}, "not the id", id="other-id"),
    ],
)
def test_parent_when_checked_then_only_our_own_is_taken(change, words):
    name = SetName(name="shop", namespace="gitops")

    problem = parent_problem(name, {"metadata": {**parent_metadata(name, []), **change}})

    assert words in problem if words else problem == ""


@pytest.mark.parametrize(
    ("owned", "others", "expected"),
    [
        pytest.param(
            {"f:data": {"f:a": {}, "f:b": {}}}, {"f:data": {"f:a": {}}}, [("f:data", "f:b")], id="one-of-a-map"
        ),
        pytest.param({"f:data": {".": {}, "f:a": {}}}, {}, [("f:data",)], id="the-whole-map"),
        pytest.param({"f:spec": {"f:args": {}}}, {"f:spec": {"f:args": {}}}, [], id="a-leaf-of-both"),
        pytest.param({"f:spec": {"f:x": {"f:y": {}}}}, {"f:spec": {"f:x": {}}}, [], id="owned-as-one-by-others"),
        pytest.param(
            {"f:l": {'k:{"name":"a"}': {".": {}, "f:v": {}}, 'v:"s"': {}}},
            {"f:l": {'k:{"name":"a"}': {"f:v": {}}}},
            [("f:l", 'v:"s"')],
            id="items-of-lists",
        ),
    ],
)
def test_surplus_when_others_own_a_part_then_only_the_rest_is_told(owned, others, expected):
    def entry(manager: str, fields: Any) -> dict[str, Any]:
        return {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}

    assert expected == list(surplus([entry("x", others), entry("gitops-guard", owned)], [], "v1"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            ("f:m", "f:a"), {"m": {"b": 1}, "l": [{"n": "x", "v": 1}, {"n": "y"}], "s": ["p", "q"]}, id="field"
        ),
        pytest.param(("f:l", 'k:{"n":"x"}'), {"m": {"a": 1, "b": 1}, "l": [{"n": "y"}], "s": ["p", "q"]}, id="item"),
        pytest.param(
            ("f:l", 'k:{"n":"x"}', "f:v"),
            {"m": {"a": 1, "b": 1}, "l": [{"n": "x"}, {"n": "y"}], "s": ["p", "q"]},
            id="field-of-an-item",
        ),
        pytest.param(
            ("f:s", 'v:"p"'), {"m": {"a": 1, "b": 1}, "l": [{"n": "x", "v": 1}, {"n": "y"}], "s": ["q"]}, id="of-a-set"
        ),
        pytest.param(
            ("f:s", "i:1"), {"m": {"a": 1, "b": 1}, "l": [{"n": "x", "v": 1}, {"n": "y"}], "s": ["p"]}, id="index"
        ),
        pytest.param(("f:no", "f:a"), None, id="no-such-field"),
        pytest.param(("f:l", 'k:{"n":"z"}'), None, id="no-such-item"),
        pytest.param(("f:m", "i:0"), None, id="no-list"),
    ],
)
def test_without_when_a_path_is_there_then_only_it_goes(path, expected):
    body: Any = {"m": {"a": 1, "b": 1}, "l": [{"n": "x", "v": 1}, {"n": "y"}], "s": ["p", "q"]}
    before = json.dumps(body)

    assert (json.loads(before) if expected is None else expected) == without_path(body, path)
    assert before == json.dumps(body)
