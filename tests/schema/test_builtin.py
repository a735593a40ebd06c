"""The full path on built-in kinds: every problem, in the server's words, at its place; and every fix of the data."""

import copy
from typing import Any

import pytest

from gitops_guard.model import FieldPath, MapKey, Severity, format_field_path
from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.plain import PlainSchemas

CONTAINER: FieldPath = ("spec", "template", "spec", "containers", 0)
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
DELETE = object()


def _set(body: dict[str, Any], field: FieldPath, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    node: Any = body
    for part in field[:-1]:
        node = node[part]
    if value is DELETE:
        del node[field[-1]]
    else:
        node[field[-1]] = value
    return body


def _problems(body: dict[str, Any], cache_dir: tuple[str, bytes], version: str = "1.37") -> list[Any]:
    group, _, api = body["apiVersion"].rpartition("/")
    schema = BuiltinSchemas(version, cache_dir).find(group, api, body["kind"])
    assert schema is not None
    return list(schema.problems(body))


@pytest.mark.parametrize(
    ("field", "value", "rule", "path", "message", "hint"),
    [
        pytest.param(
            ("spec", "replica"),
            3,
            "unknown-field",
            "spec.replica",
            'unknown field "spec.replica"',
            'did you mean "replicas"?',
            id="misspelt",
        ),
        pytest.param(
            ("spec", "Replicas"),
            3,
            "unknown-field",
            "spec.Replicas",
            'unknown field "spec.Replicas"',
            'did you mean "replicas"?',
            id="wrong case",
        ),
        pytest.param(
            (*CONTAINER, "ports", 0, "x"),
            3,
            "unknown-field",
            "spec.template.spec.containers[0].ports[0].x",
            'unknown field "spec.template.spec.containers[0].ports[0].x"',
            "",
            id="deep, nothing near",
        ),
        pytest.param(
            ("spec", "replicas"),
            "3",
            "wrong-type",
            "spec.replicas",
            "expected integer, got string",
            "",
            id="string for integer",
        ),
        pytest.param(
            ("spec", "replicas"), 1.5, "wrong-type", "spec.replicas", "expected integer, got number", "", id="fraction"
        ),
        pytest.param(
            ("spec", "replicas"),
            True,
            "wrong-type",
            "spec.replicas",
            "expected integer, got boolean",
            "",
            id="boolean for integer",
        ),
        pytest.param(
            ("spec", "paused"),
            "no",
            "wrong-type",
            "spec.paused",
            "expected boolean, got string",
            "",
            id="string for boolean",
        ),
        pytest.param(
            ("spec", "template"),
            [],
            "wrong-type",
            "spec.template",
            "expected object, got array",
            "",
            id="list for object",
        ),
        pytest.param(
            (*CONTAINER, "args"),
            {},
            "wrong-type",
            "spec.template.spec.containers[0].args",
            "expected array, got object",
            "",
            id="object for list",
        ),
        pytest.param(
            (*CONTAINER, "env", 0, "value"),
            1,
            "wrong-type",
            "spec.template.spec.containers[0].env[0].value",
            "expected string, got integer",
            "",
            id="number in env",
        ),
        pytest.param(
            ("metadata", "labels", "a b"),
            True,
            "wrong-type",
            "metadata.labels[a b]",
            "expected string, got boolean",
            "",
            id="boolean label",
        ),
        pytest.param(
            (*CONTAINER, "resources", "limits", "cpu"),
            [],
            "wrong-type",
            "spec.template.spec.containers[0].resources.limits[cpu]",
            "expected string or number, got array",
            "",
            id="list for quantity",
        ),
        pytest.param(
            ("spec", "selector"), DELETE, "missing-field", "spec.selector", "Required value", "", id="missing"
        ),
        pytest.param(
            (*CONTAINER, "name"),
            None,
            "missing-field",
            "spec.template.spec.containers[0].name",
            "Required value",
            "",
            id="null is missing",
        ),
        pytest.param(
            ("spec", "replicas"),
            3_000_000_000,
            "invalid-value",
            "spec.replicas",
            "Invalid value: 3000000000: must be a 32-bit integer, between -2147483648 and 2147483647",
            "",
            id="int32",
        ),
        pytest.param(
            (*CONTAINER, "ports", 0, "containerPort"),
            2**31,
            "invalid-value",
            "spec.template.spec.containers[0].ports[0].containerPort",
            "Invalid value: 2147483648: must be a 32-bit integer, between -2147483648 and 2147483647",
            "",
            id="int32 of a port",
        ),
        pytest.param(
            (*CONTAINER, "readinessProbe", "httpGet", "port"),
            2**31,
            "invalid-value",
            "spec.template.spec.containers[0].readinessProbe.httpGet.port",
            "Invalid value: 2147483648: must be a 32-bit integer, between -2147483648 and 2147483647",
            "",
            id="int32 of an int-or-string",
        ),
        pytest.param(
            (*CONTAINER, "resources", "limits", "cpu"),
            "1K",
            "invalid-value",
            "spec.template.spec.containers[0].resources.limits[cpu]",
            'Invalid value: "1K": unable to parse quantity\'s suffix',
            "",
            id="quantity suffix",
        ),
        pytest.param(
            (*CONTAINER, "resources", "limits", "cpu"),
            "one",
            "invalid-value",
            "spec.template.spec.containers[0].resources.limits[cpu]",
            f'Invalid value: "one": {QUANTITY}',
            "",
            id="quantity",
        ),
        pytest.param(
            ("metadata", "creationTimestamp"),
            "2026-01-31",
            "invalid-value",
            "metadata.creationTimestamp",
            'Invalid value: "2026-01-31": must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z',
            "",
            id="time",
        ),
        pytest.param(
            (*CONTAINER, "imagePullPolicy"),
            "always",
            "unsupported-value",
            "spec.template.spec.containers[0].imagePullPolicy",
            'Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"',
            'did you mean "Always"?',
            id="enum, wrong case",
        ),
        pytest.param(
            ("spec", "strategy", "type"),
            "Rolling",
            "unsupported-value",
            "spec.strategy.type",
            'Unsupported value: "Rolling": supported values: "Recreate", "RollingUpdate"',
            "",
            id="enum",
        ),
    ],
)
def test_problems_of_a_deployment_with_one_slip(
    field: FieldPath,
    value: Any,
    rule: str,
    path: str,
    message: str,
    hint: str,
    deployment: dict[str, Any],
    cache_dir: tuple[str, bytes],
) -> None:
    body = _set(deployment, field, value)
    (problem,) = _problems(body, cache_dir)
    assert (rule, path, message) == (problem.rule, format_field_path(problem.field), problem.message)
    assert hint in (problem.hint, "") if not hint else hint == problem.hint
    assert (rule == "unknown-field") is problem.on_key
    assert not PlainSchemas("1.37", cache_dir).is_clean(body)


def test_problems_yields_all_of_them(deployment: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    body = _set(_set(_set(deployment, ("spec", "replicas"), "3"), ("spec", "x"), 1), (*CONTAINER, "name"), DELETE)
    assert ["wrong-type", "missing-field", "unknown-field"] == [problem.rule for problem in _problems(body, cache_dir)]


def test_problems_of_a_null_struct_are_those_of_an_empty_one(
    deployment: dict[str, Any], cache_dir: tuple[str, bytes]
) -> None:
    problems = _problems(_set(deployment, ("spec",), None), cache_dir)
    assert ["spec.selector", "spec.template"] == sorted(format_field_path(problem.field) for problem in problems)


def test_map_keys_of_problems_are_map_keys(deployment: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    (problem,) = _problems(_set(deployment, ("metadata", "annotations"), {"a/b": 1}), cache_dir)
    assert [False, False, True] == [isinstance(part, MapKey) for part in problem.field]


@pytest.mark.parametrize(
    ("field", "value", "path", "message"),
    [
        pytest.param(
            (*CONTAINER, "env"),
            [{"name": "A"}, {"name": "B"}, {"name": "A"}],
            "env[2]",
            'Duplicate value: "A"',
            id="one key",
        ),
        pytest.param(
            (*CONTAINER, "ports"),
            [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}],
            "ports[1]",
            'Duplicate value: {"containerPort":80,"protocol":"TCP"}',
            id="default of a key",
        ),
        pytest.param(
            ("metadata", "finalizers"), ["a/b", "a/b"], "metadata.finalizers[1]", 'Duplicate value: "a/b"', id="set"
        ),
    ],
)
@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_duplicate_list_items_are_warnings(
    version: str,
    field: FieldPath,
    value: Any,
    path: str,
    message: str,
    deployment: dict[str, Any],
    cache_dir: tuple[str, bytes],
) -> None:
    body = _set(deployment, field, value)
    (problem,) = _problems(body, cache_dir, version)
    assert ("duplicate-list-item", message, Severity.WARNING) == (problem.rule, problem.message, problem.severity)
    assert format_field_path(problem.field).endswith(path)
    assert not PlainSchemas(version, cache_dir).is_clean(body)


def test_same_port_of_two_protocols_is_no_duplicate(deployment: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    body = _set(deployment, (*CONTAINER, "ports"), [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}])
    assert [] == _problems(body, cache_dir)


CRD_VERSION = {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{**CRD_VERSION, "served": True, "storage": True}],
    },
}


def _pod(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "a", "image": "b"}], **spec},
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_pod(containers=[{"name": "a", "resources": {"limits": {"cpu": None}}}]), id="null quantity"),
        pytest.param(
            _pod(containers=[{"name": "a", "resources": {"limits": {"cpu": 1, "memory": 0.5}}}]),
            id="numbers as quantities",
        ),
        pytest.param(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "a"},
                "spec": {"ports": [{"port": 80, "targetPort": None}]},
            },
            id="null int-or-string",
        ),
        pytest.param(_pod(securityContext={"sysctls": [{"name": "a"}]}), id="Sysctl.value"),
        pytest.param(
            _pod(containers=[{"name": "a", "livenessProbe": {"httpGet": {"port": 1, "httpHeaders": [{"name": "a"}]}}}]),
            id="HTTPHeader.value",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a"}, "spec": {}},
            id="LimitRangeSpec.limits",
        ),
        pytest.param(
            _pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}),
            id="PreferredSchedulingTerm.preference",
        ),
        pytest.param(
            {**CRD, "spec": {**CRD["spec"], "versions": [*CRD["spec"]["versions"], {**CRD_VERSION, "name": "v2"}]}},
            id="CRD version served and storage",
        ),
        pytest.param(
            {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "a"}}, id="CSIDriver.spec"
        ),
        pytest.param(
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "spec": {"selector": {}, "template": {}, "serviceName": "a"},
                "status": {},
            },
            id="status counts",
        ),
        pytest.param(
            {**_pod(), "status": {"conditions": [{"type": "Ready"}], "containerStatuses": [{}]}}, id="status conditions"
        ),
        pytest.param({**_pod(), "metadata": None}, id="null metadata"),
        pytest.param(_pod(volumes=None, nodeSelector=None), id="null list and map"),
        pytest.param(_pod(priority=3.0), id="whole float for an integer"),
        pytest.param(_pod(containers=[{"name": "a", "command": ["a", None]}]), id="null in a list of strings"),
        pytest.param(_pod(restartPolicy="", dnsPolicy=None), id="empty and null words are defaulted"),
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": None}}, id="null map value"),
    ],
)
def test_what_the_server_accepts_and_the_raw_data_refuses_passes(
    body: dict[str, Any], cache_dir: tuple[str, bytes]
) -> None:
    assert [] == _problems(body, cache_dir)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(
            _pod(containers=[{"name": "a", "resources": {"limits": {"cpu": True}}}]),
            "wrong-type",
            id="boolean quantity",
        ),
        pytest.param(
            {
                **CRD,
                "spec": {
                    **CRD["spec"],
                    "versions": [{**CRD["spec"]["versions"][0], "subresources": {"status": {"x": 1}}}],
                },
            },
            "unknown-field",
            id="field of an empty struct",
        ),
        pytest.param(
            _pod(ephemeralContainers=[{"name": "a", "imagePullPolicy": "Sometimes"}]),
            "unsupported-value",
            id="enum of an inlined struct",
        ),
        pytest.param(
            {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "a", "reclaimPolicy": "Recycle"},
            "unsupported-value",
            id="hand row over a generated enum",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"accessModes": ["ReadWrite"]}},
            "unsupported-value",
            id="enum of list items",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"accessModes": [""]}},
            "unsupported-value",
            id="empty word in a list",
        ),
        pytest.param(
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}, "template": {}},
            },
            "unsupported-value",
            id="selector operator",
        ),
        pytest.param({**_pod(), "status": {"nothing": 1}}, "unknown-field", id="unknown field in status"),
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap", "binaryData": {"a": "%"}}, "invalid-value", id="base64"),
        pytest.param(
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"renewTime": "2026-01-31T12:00:00Z"}},
            "invalid-value",
            id="MicroTime without decimals",
        ),
    ],
)
def test_what_the_raw_data_accepts_and_the_server_refuses_is_found(
    body: dict[str, Any], rule: str, cache_dir: tuple[str, bytes]
) -> None:
    (problem,) = _problems(body, cache_dir)
    assert rule == problem.rule
    assert not PlainSchemas("1.37", cache_dir).is_clean(body)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"data": {"password": "hunter2!"}}, id="no base64"),
        pytest.param({"data": {"password": ["hunter2!"]}}, id="wrong type"),
        pytest.param({"data": "hunter2!"}, id="no map"),
        pytest.param({"stringData": {"password": {"a": "hunter2!"}}}, id="object in stringData"),
        pytest.param({"type": ["hunter2!"]}, id="type"),
        pytest.param({"metadata": {"creationTimestamp": "hunter2!"}}, id="metadata"),
        pytest.param({"metadata": {"finalizers": ["hunter2!", "hunter2!"]}}, id="duplicate"),
        pytest.param({"strngData": {"password": "hunter2!"}}, id="unknown field"),
    ],
)
def test_no_message_about_a_secret_holds_a_value(extra: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    problems = _problems({"apiVersion": "v1", "kind": "Secret", **extra}, cache_dir)
    assert problems
    assert "hunter2" not in repr(problems)


def test_message_about_a_huge_value_is_cut(deployment: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    (problem,) = _problems(_set(deployment, (*CONTAINER, "imagePullPolicy"), "x" * 100_000), cache_dir)
    assert len(problem.message) < 400


@pytest.mark.parametrize(
    "key",
    [
        ("", "v1", "pod"),
        ("apps", "v2", "Deployment"),
        ("batch.volcano.sh", "v1", "Job"),
        ("", "v1", "../../x"),
        ("apps/v1 Deployment", "", ""),
        ("", "v1", "x" * 10_000),
        ("", "", ""),
    ],
)
def test_find_of_what_does_not_exist_is_none(key: tuple[str, str, str], cache_dir: tuple[str, bytes]) -> None:
    assert BuiltinSchemas("1.37", cache_dir).find(*key) is None


def test_find_judges_each_version_by_its_own_data(cache_dir: tuple[str, bytes]) -> None:
    found = {
        version: BuiltinSchemas(version, cache_dir).find("flowcontrol.apiserver.k8s.io", "v1beta2", "FlowSchema")
        is not None
        for version in ("1.25", "1.29")
    }
    assert {"1.25": True, "1.29": False} == found


def test_duplicates_among_very_many_items_are_found_in_no_time(cache_dir: tuple[str, bytes]) -> None:
    """Comparing each with each would take minutes."""
    pod = _pod(containers=[{"name": "a", "env": [{"name": f"A{index // 2}"} for index in range(40_000)]}])
    assert 20_000 == len(_problems(pod, cache_dir))


@pytest.mark.parametrize(
    "junk", [None, 1, 1.5, True, "a", [], {}, [None], [[]], {"a": None}, {"": {}}, [{"name": []}, {"name": []}]]
)
def test_problems_of_junk_anywhere_does_not_raise(
    junk: Any, deployment: dict[str, Any], cache_dir: tuple[str, bytes]
) -> None:
    fields: list[FieldPath] = [
        ("metadata",),
        ("spec",),
        ("spec", "template"),
        ("status",),
        (*CONTAINER, "env"),
        (*CONTAINER, "ports"),
        ("metadata", "ownerReferences"),
        ("spec", "selector"),
    ]
    for field in fields:
        body = _set(deployment, field, junk)
        problems = _problems(body, cache_dir)
        assert not (problems and PlainSchemas("1.37", cache_dir).is_clean(body))
