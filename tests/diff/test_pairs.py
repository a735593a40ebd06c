"""Pairs of objects and what a reviewer must be told about them: what is shown, under which class, what is folded."""

import json

import pytest

from gitops_guard.model import Action, FoldReason

POD = """
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: web:1
          {inside}
      {pod}
"""


def deployment(inside: str = "", pod: str = "", kind: str = "Deployment") -> str:
    return POD.format(inside=inside, pod=pod, kind=kind)


def config(**data: str) -> str:
    entries = "\n".join(f"  {key.replace('__', '.')}: {json.dumps(value)}" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{entries}\n"


def custom(spec: str) -> str:
    return f"apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {spec}\n"


def service(spec: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {spec}\n"


CONTAINER = "spec.template.spec.containers[name=web]"

SHOWN = [
    pytest.param(
        deployment(), deployment().replace("web:1", "web:2"),
        [(f"{CONTAINER}.image", "changed", "image")], id="image",
    ),
    pytest.param(
        deployment("resources: {limits: {cpu: 1}}"), deployment("resources: {limits: {cpu: 1500m}}"),
        [(f"{CONTAINER}.resources.limits[cpu]", "changed", "resources")], id="resources",
    ),
    pytest.param(
        deployment(), deployment(pod="replicas: 3").replace("      replicas", "  replicas"),
        [("spec.replicas", "added", "scaling")], id="replicas-written-out-is-no-default",
    ),
    pytest.param(
        deployment("env: [{name: A, value: '1'}, {name: B, value: '2'}]"),
        deployment("env: [{name: B, value: '3'}, {name: C, value: '4'}]"),
        [(f"{CONTAINER}.env[name=A]", "removed", "config"), (f"{CONTAINER}.env[name=B].value", "changed", "config"),
         (f"{CONTAINER}.env[name=C]", "added", "config")], id="env-by-name",
    ),
    pytest.param(
        deployment("env: [{name: A, value: '1'}, {name: B, value: $(A)}]"),
        deployment("env: [{name: B, value: $(A)}, {name: A, value: '1'}]"),
        [(f"{CONTAINER}.env", "reordered", "config")], id="env-order-counts-with-references",
    ),
    pytest.param(
        deployment("args: [a, b]"), deployment("args: [b, a]"),
        [(f"{CONTAINER}.args", "reordered", "config")], id="args-order-counts",
    ),
    pytest.param(
        deployment("args: [a, b, c, d]"), deployment("args: [a, x, b, c, d]"),
        [(f"{CONTAINER}.args[1]", "added", "config")], id="args-by-longest-common-subsequence",
    ),
    pytest.param(
        deployment("ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]"),
        deployment("ports: [{containerPort: 53, protocol: UDP, name: dns}, {containerPort: 53}]"),
        [(f"{CONTAINER}.ports[containerPort=53,protocol=UDP].name", "added", "network")], id="ports-by-two-keys",
    ),
    pytest.param(
        deployment("volumeMounts: [{name: a, mountPath: /a}, {name: a, mountPath: /b}]"),
        deployment("volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}]"),
        [(f"{CONTAINER}.volumeMounts[mountPath=/b].name", "changed", "storage")], id="mounts-by-path",
    ),
    pytest.param(
        deployment(pod="initContainers: [{name: a, image: a}, {name: b, image: b}]"),
        deployment(pod="initContainers: [{name: b, image: b}, {name: a, image: a}]"),
        [("spec.template.spec.initContainers", "reordered", "config")], id="init-containers-order-counts",
    ),
    pytest.param(
        deployment(pod="serviceAccountName: a"), deployment(pod="serviceAccountName: b"),
        [("spec.template.spec.serviceAccountName", "changed", "rbac")], id="service-account",
    ),
    pytest.param(
        deployment(pod="hostNetwork: false"), deployment(pod="hostNetwork: true"),
        [("spec.template.spec.hostNetwork", "changed", "network")], id="host-network",
    ),
    pytest.param(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: a}\n",
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: b}\n",
        [("spec.serviceName", "changed", "immutable")], id="immutable",
    ),
    pytest.param(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {x: 1}}]}\n",
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {x: 2}}]}\n",
        [("spec.volumeClaimTemplates[name=d].spec.x", "changed", "immutable")], id="claim-templates-by-name",
    ),
    pytest.param(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: x}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: y}\n",
        [("data[a]", "changed", "immutable")], id="immutable-config-map",
    ),
    pytest.param(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: [{verbs: [get, list]}]\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: [{verbs: [list, get, '*']}]\n",
        [("rules[0].verbs[2]", "added", "rbac")], id="verbs-are-a-set",
    ),
    pytest.param(
        config(a="x") + "  b: y\n", config(a="x").replace("{name: c}", "{name: c, labels: {t: u}}") + "  b: y\n",
        [("metadata.labels", "added", "metadata-only")], id="metadata-only",
    ),
    pytest.param(
        config(app__json='{"log": {"level": "info"}, "a": [1, 2]}'), config(app__json='{"a": [1, 3], "log": {"level": "debug"}}'),
        [("data[app.json]: a[1]", "changed", "config"), ("data[app.json]: log.level", "changed", "config")], id="embedded-json",
    ),
    pytest.param(
        config(app__yaml="a: 1\nb:\n  c: x\n"), config(app__yaml="a: 1\nb:\n  c: y\n"),
        [("data[app.yaml]: b.c", "changed", "config")], id="embedded-yaml",
    ),
    pytest.param(
        config(app__ini="[one]\na = 1\n[two]\na = 1\n"), config(app__ini="[one]\na = 1\n[two]\na = 2\n"),
        [("data[app.ini]: two.a", "changed", "config")], id="embedded-ini",
    ),
    pytest.param(
        config(app__properties="a.b=1\n"), config(app__properties="a.b=1\nc=2\n"),
        [("data[app.properties]: c", "added", "config")], id="embedded-properties",
    ),
    pytest.param(
        config(app__json='{"a": 1, "a": 2}'), config(app__json='{"a": 2, "a": 2}'),
        [("data[app.json]", "changed", "config")], id="embedded-json-with-a-key-twice-is-text",
    ),
    pytest.param(
        config(app__yaml="a: yes\n"), config(app__yaml="a: true\n"),
        [("data[app.yaml]", "changed", "config")], id="embedded-yaml-in-other-words-is-text",
    ),
    pytest.param(
        config(cpu="1000m"), config(cpu="1"), [("data[cpu]", "changed", "config")], id="no-quantities-in-config-maps",
    ),
    pytest.param(custom("{a: 1}"), custom("{a: '1'}"), [("spec.a", "changed", "other")], id="types-differ"),
    pytest.param(custom("{a: 1}"), custom("{a: true}"), [("spec.a", "changed", "other")], id="one-is-not-true"),
    pytest.param(custom("{a: [1, 2]}"), custom("{a: [2, 1]}"), [("spec.a", "reordered", "other")], id="unknown-lists-are-ordered"),
    pytest.param(custom("{verbs: [a, b]}"), custom("{verbs: [b, a]}"), [("spec.verbs", "reordered", "other")], id="custom-lists-are-no-sets"),
    pytest.param(custom("{}"), custom("{type: ClusterIP}"), [("spec.type", "added", "other")], id="no-defaults-of-custom-kinds"),
    pytest.param(service("{type: ClusterIP}"), service("{type: LoadBalancer}"), [("spec.type", "changed", "network")], id="service-type"),
    pytest.param(service("{}"), service("{type: NodePort}"), [("spec.type", "added", "network")], id="not-the-default"),
    pytest.param(
        deployment("imagePullPolicy: Always"), deployment(), [(f"{CONTAINER}.imagePullPolicy", "removed", "image")],
        id="pull-policy-of-a-tag-is-not-always",
    ),
    pytest.param(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: j}\nspec: {schedule: x}\n",
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: {schedule: x}\n",
        [("apiVersion", "changed", "api-version")], id="api-version-bump",
    ),
    pytest.param(
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i}\n",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n",
        [("apiVersion", "changed", "api-version")], id="api-group-moved",
    ),
    pytest.param(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {versions: [{name: v1, served: true}]}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {versions: [{name: v1, served: false}]}\n",
        [("spec.versions[name=v1].served", "changed", "crd")], id="crd",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), SHOWN)
def test_compare_when_two_objects_differ_then_each_field_is_shown_with_its_class(compared, before, after, expected):
    (change,) = compared(before, after)
    assert change.action is Action.CONFIGURED
    assert [(field.field, field.op, field.change_class) for field in change.fields] == expected


FOLDED = [
    pytest.param(
        deployment("resources: {limits: {cpu: 1000m, memory: 1Gi}}"), deployment("resources: {limits: {cpu: 1, memory: 1024Mi}}"),
        {FoldReason.QUANTITY: 2}, id="quantities",
    ),
    pytest.param(
        deployment("resources: {requests: {cpu: 0.5}}"), deployment("resources: {requests: {cpu: 500m}}"),
        {FoldReason.QUANTITY: 1}, id="cpu-as-a-float",
    ),
    pytest.param(
        deployment("env: [{name: A, value: '1'}, {name: B, value: '2'}]"),
        deployment("env: [{name: B, value: '2'}, {name: A, value: '1'}]"), {FoldReason.ORDER: 1}, id="order-of-env",
    ),
    pytest.param(
        deployment("readinessProbe: {httpGet: {port: 80}}"),
        deployment("readinessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, periodSeconds: 10, failureThreshold: 3}"),
        {FoldReason.DEFAULT: 4}, id="defaults-of-a-probe",
    ),
    pytest.param(
        deployment(), deployment("imagePullPolicy: IfNotPresent", "restartPolicy: Always\n      securityContext: {}"),
        {FoldReason.DEFAULT: 3}, id="defaults-of-a-pod",
    ),
    pytest.param(
        service("{ports: [{port: 80}]}"), service("{type: ClusterIP, ports: [{port: 80, targetPort: 80, protocol: TCP}]}"),
        {FoldReason.DEFAULT: 3}, id="defaults-of-a-service",
    ),
    pytest.param(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {strategy: {rollingUpdate: {maxSurge: 25%}}}\n",
        {FoldReason.DEFAULT: 1}, id="part-of-a-default-struct",
    ),
    pytest.param(custom("{a: 1}"), custom("{a: 1, b: null}"), {FoldReason.NULL: 1}, id="null"),
    pytest.param(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\nspec: {interval: 60s}\n",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\nspec: {interval: 1m0s}\n",
        {FoldReason.DURATION: 1}, id="durations",
    ),
    pytest.param(
        config(app__json='{"a": 1, "b": 2}'), config(app__json='{\n  "b": 2,\n  "a": 1\n}'), {FoldReason.EMBEDDED: 1}, id="json-layout",
    ),
    pytest.param(
        config(app__yaml="a: 1\nb: 2\n"), config(app__yaml="# why\nb: 2\na: 1\n"), {FoldReason.EMBEDDED: 1}, id="yaml-comments",
    ),
    pytest.param(
        custom("{}").replace("{name: w}", "{name: w, uid: a, resourceVersion: '1'}") + "status: {a: 1}\n",
        custom("{}"), {FoldReason.SERVER_OWNED: 3}, id="server-owned",
    ),
    pytest.param(
        custom("{}").replace("{name: w}", "{name: w, annotations: {kubectl.kubernetes.io/last-applied-configuration: x}}"),
        custom("{}"), {FoldReason.SERVER_OWNED: 1}, id="last-applied-was-the-only-annotation",
    ),
    pytest.param(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hello}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aGVsbG8=}\n",
        {FoldReason.SECRET_FORM: 1}, id="string-data-is-data",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), FOLDED)
def test_compare_when_two_objects_mean_the_same_then_it_is_folded_and_counted(compared, before, after, expected):
    for one, other in ((before, after), (after, before)):
        (change,) = compared(one, other)
        assert (Action.UNCHANGED, ()) == (change.action, change.fields)
        counted = {reason: [fold.reason for fold in change.folded].count(reason) for reason in expected}
        assert (expected, sum(expected.values())) == (counted, len(change.folded))


def test_compare_when_a_patch_writes_a_default_out_then_it_is_shown(resources):
    from gitops_guard.diff import Conventions, compare

    conventions = Conventions(is_whole=lambda resource: False)
    (change,) = compare(resources(service("{}")), resources(service("{type: ClusterIP}")), conventions)
    assert [field.field for field in change.fields] == ["spec.type"]


def test_compare_when_the_caller_knows_list_keys_and_defaults_then_they_decide(resources):
    from gitops_guard.diff import Conventions, compare

    conventions = Conventions(
        list_keys=lambda owner, path: ("id",) if path == ("spec", "parts") else None,
        default_of=lambda owner, path, struct: {"size": 3}.get(str(path[-1])),
    )
    before = custom("{parts: [{id: a, v: 1}, {id: b, v: 1}]}")
    after = custom("{size: 3, parts: [{id: b, v: 2}, {id: a, v: 1}]}")
    (change,) = compare(resources(before), resources(after), conventions)
    assert [field.field for field in change.fields] == ["spec.parts[id=b].v"]
    assert {fold.reason for fold in change.folded} == {FoldReason.ORDER, FoldReason.DEFAULT}


def test_compare_when_long_lists_repeat_their_items_then_it_ends_and_the_change_is_shown(compared):
    items = ["a", "b"] * 1000
    before, after = custom(json.dumps({"l": items})), custom(json.dumps({"l": [*items[1:], "c"]}))
    (change,) = compared(before, after)
    assert {"spec.l[0]", "spec.l[1999]"} <= {field.field for field in change.fields}
