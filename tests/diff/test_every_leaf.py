"""No false "no change": whatever leaf of an object is changed, the comparison says so, at that place."""

import copy
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.diff import compare
from gitops_guard.model import Action, Change, FoldReason, Origin, Resource
from gitops_guard.model.resource import resource_id

OBJECTS = [
    *yaml.safe_load_all("""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web, "a/b.c": x}
  annotations: {note: hello}
spec:
  replicas: 3
  paused: false
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      serviceAccountName: web
      initContainers:
        - {name: wait, image: "busybox:1", command: [sh, -c, "sleep 1; sleep 1"]}
      containers:
        - name: web
          image: web:1
          args: [--one, --two, --one]
          env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
          ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP, name: dns}]
          resources: {limits: {cpu: 500m, memory: 1Gi}, requests: {cpu: 0.25}}
          readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 10}
          volumeMounts: [{name: data, mountPath: /data, readOnly: true}, {name: tmp, mountPath: /tmp}]
        - {name: side, image: "side:2"}
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: tmp, emptyDir: {}}]
      tolerations: [{key: a, operator: Exists}, {key: b, operator: Exists}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  plain: some text
  app.json: '{"log": {"level": "info", "to": ["a", "b"]}, "limits": {"cpu": "1"}}'
  app.properties: |
    a.b = 1
    c.d = two
binaryData: {blob: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: login, annotations: {team: a}}
type: Opaque
data: {password: aHVudGVyMg==}
stringData: {user: ada}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  ports: [{port: 80, targetPort: http, nodePort: 30080}, {port: 80, protocol: UDP}]
  externalIPs: [10.0.0.1, 10.0.0.2]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods, services], verbs: [get, list]}, {apiGroups: [apps], resources: ["*"], verbs: [get]}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {interval: 10m, timeout: 1m30s, prune: true, path: ./apps, dependsOn: [{name: infra}]}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {limits: {size: 3}, flag: true, number: 1.5, list: [1, 2, 2, {a: null, b: []}], nested: {a: {b: {c: d}}}}
"""),
]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
    return [path]


PLACES = [(number, path) for number, body in enumerate(OBJECTS) for path in leaves(body)]
OTHERS = st.one_of(
    st.sampled_from([None, True, False, 0, 1, 1.5, "", "0", "true", [], {}, ["x"], {"x": "y"}, "a\nb"]),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=12),
)


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    node = changed
    for element in path[:-1]:
        node = node[element]
    node[path[-1]] = value
    return changed


def drop(body: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(body)
    node = changed
    for element in path[:-1]:
        node = node[element]
    del node[path[-1]]
    return changed


def changes_of(before: Any, after: Any) -> tuple[Change, ...]:
    return compare([_resource(before)], [_resource(after)])


def _resource(body: Any) -> Resource:
    return Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=0, line=1))


def spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def is_told(changes: tuple[Change, ...]) -> bool:
    """Tell whether something is shown, or at least counted."""
    return any(change.action is not Action.UNCHANGED or change.folded for change in changes)


def is_shown(changes: tuple[Change, ...]) -> bool:
    return any(change.action is not Action.UNCHANGED for change in changes)


SAME_BY_MEANING = {
    FoldReason.QUANTITY,
    FoldReason.DURATION,
    FoldReason.DEFAULT,
    FoldReason.NULL,
    FoldReason.EMBEDDED,
    FoldReason.SECRET_FORM,
    FoldReason.ORDER,
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), OTHERS)
def test_compare_when_a_leaf_is_mutated_then_it_is_told(place, value):
    number, path = place
    before = OBJECTS[number]
    after = put(before, path, value)
    if spelled(before) == spelled(after):
        assert not is_told(changes_of(before, after))
        return
    changes = changes_of(before, after)
    assert is_told(changes)
    if not is_shown(changes):
        assert {fold.reason for change in changes for fold in change.folded} <= SAME_BY_MEANING


def test_compare_when_a_leaf_gets_a_new_text_then_it_is_shown_at_that_place():
    for number, path in PLACES:
        before = OBJECTS[number]
        changes = changes_of(before, put(before, path, "quite-another"))
        assert is_shown(changes), path
        if path[0] in ("apiVersion", "kind") or path[:2] in (("metadata", "name"), ("metadata", "namespace")):
            continue
        (change,) = changes
        told = [field.path for field in change.fields]
        assert any(path[: len(found)] == found or found[: len(path) - 1] == path[:-1] for found in told), (path, told)


def test_compare_when_a_leaf_is_removed_then_it_is_told():
    for number, path in PLACES:
        before = OBJECTS[number]
        assert is_told(changes_of(before, drop(before, path))), path
        assert is_told(changes_of(drop(before, path), before)), path


def test_compare_when_nothing_differs_then_nothing_is_told():
    for body in OBJECTS:
        assert not is_told(changes_of(body, copy.deepcopy(body)))


def test_compare_when_types_alone_differ_then_it_is_shown():
    before = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"a": [1, True]}}
    for value in ([True, True], [1, 1], [1.0, True], ["1", True]):
        assert is_shown(changes_of(before, put(before, ("spec", "a"), value))), value
