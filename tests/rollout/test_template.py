import copy

import pytest

from gitops_guard.model import format_field_path
from gitops_guard.rollout.template import canonical, differences, pod_requests, quantity

BASE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "app:1",
                "ports": [{"containerPort": 80}],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                "readinessProbe": {"httpGet": {"port": 80}},
                "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            }
        ],
        "volumes": [{"name": "cache"}, {"name": "conf", "configMap": {"name": "conf"}}],
    },
}


def changed(path, value):
    """BASE with one value set, or with a key removed when the value is `...`."""
    body = copy.deepcopy(BASE)
    node = body
    for key in path[:-1]:
        node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return body


def paths(before, after):
    return [format_field_path(path) for path in differences(canonical(before), canonical(after))]


APP = ("spec", "containers", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("spec", "restartPolicy"), "Always", id="default of the pod"),
        pytest.param(("spec", "terminationGracePeriodSeconds"), 30, id="default grace period"),
        pytest.param(("spec", "securityContext"), {}, id="empty security context of the pod"),
        pytest.param(("spec", "hostNetwork"), False, id="false that is no pointer"),
        pytest.param(("spec", "nodeSelector"), {}, id="empty map"),
        pytest.param(("spec", "tolerations"), [], id="empty list"),
        pytest.param(("spec", "imagePullSecrets"), None, id="null"),
        pytest.param((*APP, "imagePullPolicy"), "IfNotPresent", id="pull policy of a tag"),
        pytest.param((*APP, "terminationMessagePolicy"), "File", id="default of a container"),
        pytest.param((*APP, "resources", "limits", "cpu"), "1000m", id="another spelling of a quantity"),
        pytest.param((*APP, "resources", "limits", "cpu"), 1, id="a number as quantity"),
        pytest.param((*APP, "resources", "limits", "memory"), "1024Mi", id="another unit"),
        pytest.param((*APP, "readinessProbe", "periodSeconds"), 10, id="default of a probe"),
        pytest.param((*APP, "readinessProbe", "initialDelaySeconds"), 0, id="zero delay"),
        pytest.param((*APP, "readinessProbe", "httpGet", "scheme"), "HTTP", id="default scheme"),
        pytest.param((*APP, "ports", 0, "protocol"), "TCP", id="default protocol"),
        pytest.param((*APP, "env", 1, "valueFrom", "fieldRef", "apiVersion"), "v1", id="default of a field reference"),
        pytest.param((*APP, "volumeMounts", 0, "readOnly"), False, id="writable mount"),
        pytest.param(("spec", "volumes", 0, "emptyDir"), {}, id="default volume"),
        pytest.param(("spec", "volumes", 1, "configMap", "defaultMode"), 420, id="default mode"),
        pytest.param(("metadata", "creationTimestamp"), None, id="generators' null timestamp"),
    ],
)
def test_differences_when_only_spelling_differs_then_none(path, value):
    assert paths(BASE, changed(path, value)) == []
    assert paths(changed(path, value), BASE) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param((*APP, "image"), "app:2", "spec.containers[0].image", id="image"),
        pytest.param((*APP, "env", 0, "value"), "2", "spec.containers[0].env[0].value", id="environment"),
        pytest.param(
            (*APP, "env"), list(reversed(BASE["spec"]["containers"][0]["env"])), None, id="order of environment"
        ),
        pytest.param(("metadata", "annotations"), {"a/b": "c"}, "metadata.annotations", id="annotation"),
        pytest.param(("metadata", "labels", "app"), "", "metadata.labels[app]", id="empty label is a label"),
        pytest.param(
            (*APP, "resources", "requests"), {"cpu": "1"}, None, id="requests equal to limits: defaulted for pods"
        ),
        pytest.param(("spec", "enableServiceLinks"), True, "spec.enableServiceLinks", id="defaulted for pods alone"),
        pytest.param((*APP, "securityContext"), {}, "spec.containers[0].securityContext", id="a pointer to nothing"),
        pytest.param((*APP, "imagePullPolicy"), "Always", "spec.containers[0].imagePullPolicy", id="pull policy"),
        pytest.param(
            ("spec", "automountServiceAccountToken"), False, "spec.automountServiceAccountToken", id="false pointer"
        ),
        pytest.param(
            (*APP, "resources", "limits", "cpu"), "1001m", "spec.containers[0].resources.limits[cpu]", id="quantity"
        ),
        pytest.param((*APP, "readinessProbe"), ..., "spec.containers[0].readinessProbe", id="probe removed"),
    ],
)
def test_differences_when_the_api_server_sees_one_then_its_path(path, value, expected):
    found = paths(BASE, changed(path, value))
    assert found == ([expected] if expected else found)
    assert found


def test_differences_when_tag_is_latest_then_policy_is_part_of_it():
    latest = changed((*APP, "image"), "app")
    assert paths(latest, changed((*APP, "image"), "app") | {}) == []
    spelled = copy.deepcopy(latest)
    spelled["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    assert paths(latest, spelled) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("host:5000/app", "Always"),
        ("host:5000/app:1", "IfNotPresent"),
        ("app@sha256:0", "IfNotPresent"),
    ],
)
def test_canonical_when_pull_policy_is_absent_then_by_tag(image, expected):
    assert canonical(changed((*APP, "image"), image))["spec"]["containers"][0]["imagePullPolicy"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100m", "1/10"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("1E", "1000000000000000000"),
        (2, "2"),
        ("+5", "5"),
        (".5", "1/2"),
    ],
)
def test_quantity_when_well_formed_then_its_value(text, expected):
    assert str(quantity(text)) == expected


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "1gi", "--1", True, None, {}, "1" * 100, "1e999"])
def test_quantity_when_malformed_then_none(text):
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, (0, 0), id="nothing"),
        pytest.param(
            {"containers": [{"resources": {"requests": {"cpu": "100m", "memory": "1Mi"}}}] * 2},
            (200, 2097152),
            id="sum",
        ),
        pytest.param({"containers": [{"resources": {"limits": {"cpu": "1"}}}]}, (1000, 0), id="limits stand in"),
        pytest.param(
            {
                "containers": [{"resources": {"requests": {"cpu": "100m"}}}],
                "initContainers": [{"resources": {"requests": {"cpu": "2"}}}],
            },
            (2000, 0),
            id="a large init container",
        ),
        pytest.param(
            {
                "containers": [{"resources": {"requests": {"cpu": "100m"}}}],
                "initContainers": [
                    {"restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
                    {"resources": {"requests": {"cpu": "90m"}}},
                ],
            },
            (150, 0),
            id="a sidecar runs on",
        ),
        pytest.param({"overhead": {"cpu": "10m"}, "containers": []}, (10, 0), id="overhead of the runtime"),
    ],
)
def test_pod_requests_then_as_the_scheduler_counts(spec, expected):
    assert pod_requests({"spec": spec}) == expected
