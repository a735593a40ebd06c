"""Which object is which: files, API versions, hash suffixes, new names, and objects that only look alike."""

from gitops_guard.diff import compare
from gitops_guard.model import Action, ChangeClass, FoldReason

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: {a}, b: two, c: three, d: four}}\n"
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{selector: {{matchLabels: {{app: {name}}}}}, template: {{spec: {{containers: [{{name: {name}, image: "nginx:1"}}]}}}}}}
"""


def told(changes):
    return [(change.action, change.id.name, change.renamed_from and change.renamed_from.name) for change in changes]


def test_pair_when_a_hash_suffix_changes_then_it_is_one_renamed_object(compared):
    changes = compared(MAP.format(name="app-9k4c2dbm7h", a="one"), MAP.format(name="app-bb5fm8ct4g", a="uno"))
    assert [(Action.CONFIGURED, "app-bb5fm8ct4g", "app-9k4c2dbm7h")] == told(changes)
    assert ["data[a]"] == [field.field for field in changes[0].fields]


def test_pair_when_the_suffix_has_other_letters_then_it_is_no_hash(compared):
    before = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-aaaaaaaaaa}\ndata: {x: y}\n"
    after = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-eeeeeeeeee}\ndata: {z: w}\n"
    assert {Action.CREATED, Action.DELETED} == {change.action for change in compared(before, after)}


def test_pair_when_an_immutable_map_gets_a_new_hash_then_nothing_immutable_is_changed(compared):
    before = MAP.format(name="app-9k4c2dbm7h", a="one") + "immutable: true\n"
    after = MAP.format(name="app-bb5fm8ct4g", a="uno") + "immutable: true\n"
    (change,) = compared(before, after)
    assert (ChangeClass.CONFIG,) == change.classes


def test_pair_when_an_object_says_nearly_the_same_under_a_new_name_then_it_is_renamed(compared):
    changes = compared(WEB.format(name="web"), WEB.format(name="shop"))
    assert [(Action.CONFIGURED, "shop", "web")] == told(changes)


def test_pair_when_objects_are_unlike_then_one_goes_and_one_comes(compared):
    before = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1', y: '2', z: '3'}\n"
    after = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {x: '9', y: '8', z: '7'}\n"
    assert [(Action.DELETED, "a", None), (Action.CREATED, "b", None)] == told(compared(before, after))


def test_pair_when_an_object_moves_to_another_file_then_it_is_folded_as_moved(resources):
    text = WEB.format(name="web")
    (change,) = compare(resources(text, "a.yaml"), resources(text, "b.yaml"))
    assert (Action.UNCHANGED, "a.yaml") == (change.action, change.moved_from)
    assert [FoldReason.MOVED] == [fold.reason for fold in change.folded]


def test_pair_when_two_files_hold_the_same_id_then_each_is_compared_with_its_own(resources):
    one, other = MAP.format(name="c", a="one"), MAP.format(name="c", a="two")
    before = resources(one, "eu/a.yaml") + resources(other, "us/a.yaml")
    after = resources(other, "us/a.yaml") + resources(one, "eu/a.yaml")
    assert {Action.UNCHANGED} == {change.action for change in compare(before, after)}
    assert not any(change.folded for change in compare(before, after))


def test_pair_when_one_id_stands_twice_then_a_removed_copy_is_not_lost(resources):
    text = MAP.format(name="c", a="one")
    changes = compare(resources(text, "a.yaml") + resources(text, "b.yaml"), resources(text, "a.yaml"))
    assert sorted(["unchanged", "deleted"]) == sorted(str(change.action) for change in changes)


def test_pair_when_namespaces_differ_then_they_are_two_objects(compared):
    before = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\nspec: {a: 1}\n"
    after = before.replace("namespace: x", "namespace: y")
    assert {Action.CREATED, Action.DELETED} == {change.action for change in compared(before, after)}


def test_compare_when_run_with_shuffled_input_then_the_order_is_the_same(resources):
    text = "---\n".join(MAP.format(name=name, a=name) for name in "dbca")
    before, after = resources(text), list(reversed(resources(text)))
    assert ["a", "b", "c", "d"] == [change.id.name for change in compare(before, after)]
