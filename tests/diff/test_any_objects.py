"""Whatever two objects look like, they are compared: no crash, no false "no change", the same result each time."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.diff import compare
from gitops_guard.model import Action, Origin, Resource
from gitops_guard.model.resource import resource_id

NAMES = st.sampled_from(
    ["spec", "template", "containers", "env", "name", "value", "ports", "data", "stringData", "metadata", "annotations",
     "limits", "cpu", "rules", "verbs", "a.json", "a.ini", "sops", "status", "", "x y"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -0.0]),
    st.sampled_from(["", "1", "1000m", "1Gi", "60s", "secret-value", "c2VjcmV0LXZhbHVl", '{"a": 1}', "[s]\na=1\n", "a\nb", "\ud800"]),
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
KINDS = st.sampled_from(["Secret", "ConfigMap", "Deployment", "Service", "Role", "SealedSecret", "Widget", 7, None])
BODIES = st.fixed_dictionaries(
    {"apiVersion": st.sampled_from(["v1", "apps/v1", "", 1]), "kind": KINDS},
    optional={
        "metadata": TREES,
        "spec": TREES,
        "data": TREES,
        "stringData": TREES,
        "rules": TREES,
        "status": TREES,
        "sops": TREES,
    },
)


def side(bodies):
    return [
        Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=number, line=1))
        for number, body in enumerate(bodies)
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(BODIES, max_size=2), st.lists(BODIES, max_size=2))
def test_compare_when_objects_are_arbitrary_then_every_one_is_accounted_for(old, new):
    before, after = side(old), side(new)
    changes = compare(before, after)
    assert len(before) == sum(change.before is not None for change in changes)
    assert len(after) == sum(change.after is not None for change in changes)
    assert repr(changes) == repr(compare(before, after))


@settings(max_examples=300, deadline=None)
@given(BODIES, TREES)
def test_compare_when_some_part_is_replaced_then_it_is_told(body, tree):
    other = {**body, "spec": tree}
    (change,) = compare(side([body]), side([other]))
    told = change.action is not Action.UNCHANGED or bool(change.folded)
    assert told == (json.dumps(body, sort_keys=True) != json.dumps(other, sort_keys=True))
