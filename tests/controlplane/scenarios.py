"""What is recorded: requests of our own to the API server, and changes of our own workloads.

`python -m controlplane.record` runs them; `test_recordings` keeps the recordings true.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

from controlplane.api import APPLY, Answer, Body
from controlplane.exchanges import NAMESPACE, NOBODY, Step
from controlplane.server import READER

_APPLY = {"Content-Type": APPLY}
_METADATA_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
_DRY = {"dryRun": "All"}
_CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def _applied(
    path: str, body: Body, *, manager: str = "gitops-guard", force: bool = False, dry: bool = False, **more: Any
) -> Step:
    query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict", **(_DRY if dry else {})}
    return Step(method="PATCH", path=path, query=query, headers=_APPLY, body=body, **more)


def _config_map(**data: str) -> Body:
    metadata = {"name": "settings", "namespace": NAMESPACE, "labels": {"app": "shop"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _deployment(**spec: Any) -> Body:
    labels = {"app": "web"}
    container = {"name": "main", "image": "web:1", "resources": {"requests": {"cpu": "0.1", "memory": "0.25Gi"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def _other_selector() -> Body:
    body = _deployment()
    labels = {"app": "other"}
    body["spec"] |= {"selector": {"matchLabels": labels}}
    body["spec"]["template"]["metadata"] = {"labels": labels}
    return body


def _unknown_field() -> Body:
    body = _deployment()
    body["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    return body


def _delete_with(**preconditions: str) -> Body:
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    return {**options, "preconditions": preconditions}


def _delete_exactly(answers: Sequence[Answer]) -> Body:
    metadata = answers[0].body["metadata"]
    live = [
        answer.body["metadata"] for answer in answers if answer.status == 200 and answer.body.get("kind") == "ConfigMap"
    ]
    return _delete_with(uid=metadata["uid"], resourceVersion=live[-1]["resourceVersion"])


def _delete_dry(answers: Sequence[Answer]) -> Body:
    return {**_delete_exactly(answers), "dryRun": ["All"]}


_SETTINGS = f"{_CONFIG_MAPS}/settings"
_WEB = f"{_DEPLOYMENTS}/web"

CONFIG_MAP = (
    _applied(_SETTINGS, _config_map(color="blue")),
    _applied(_SETTINGS, _config_map(color="blue")),
    _applied(_SETTINGS, _config_map(color="blue"), dry=True),
    _applied(_SETTINGS, _config_map(color="red"), dry=True),
    _applied(_SETTINGS, _config_map(color="red"), manager="someone-else"),
    _applied(_SETTINGS, _config_map(color="red"), manager="someone-else", force=True),
    Step(method="GET", path=_SETTINGS),
    Step(method="GET", path=_CONFIG_MAPS, query={"labelSelector": "app=shop"}, headers=_METADATA_LIST),
    Step(method="POST", path=_CONFIG_MAPS, query=_DRY, body=_config_map(color="red")),
    Step(method="DELETE", path=_SETTINGS, body=_delete_with(uid="99999999-9999-4999-8999-999999999999")),
    Step(method="DELETE", path=_SETTINGS, body=_delete_with(resourceVersion="1")),
    Step(method="DELETE", path=_SETTINGS, body=_delete_dry),
    Step(method="GET", path=_SETTINGS),
    # the server reads its options from the body or else from the query: this one does delete
    Step(method="DELETE", path=_SETTINGS, query=_DRY, body=_delete_exactly),
    Step(method="GET", path=_SETTINGS),
    Step(method="DELETE", path=_SETTINGS, body=_delete_exactly),
    _applied(_SETTINGS, _config_map(color="blue"), dry=True),
)

DEPLOYMENT = (
    _applied(_WEB, _deployment()),
    _applied(_WEB, _deployment(), dry=True),
    Step(method="GET", path=_WEB),
    _applied(_WEB, _deployment(replicas=2), dry=True),
    _applied(_WEB, _other_selector(), dry=True),
    Step(method="POST", path=_DEPLOYMENTS, query=_DRY, body=_other_selector()),
    _applied(_WEB, _deployment(replicas=-1), dry=True),
    Step(method="POST", path=_DEPLOYMENTS, query=_DRY, body=_deployment(replicas=-1)),
    _applied(_WEB, _unknown_field(), dry=True),
    Step(method="POST", path=_DEPLOYMENTS, query={**_DRY, "fieldValidation": "Strict"}, body=_unknown_field()),
    Step(method="POST", path=_DEPLOYMENTS, query={**_DRY, "fieldValidation": "Warn"}, body=_unknown_field()),
)

ERRORS = (
    Step(method="GET", path="/apis/nothing.example/v1/things"),
    Step(method="GET", path=_SETTINGS),
    _applied("/api/v1/namespaces/absent/configmaps/settings", {**_config_map(), "metadata": {"name": "settings"}}),
    Step(method="GET", path=_SETTINGS, user=NOBODY),
    _applied(_SETTINGS, _config_map(color="blue"), user=READER),
    Step(method="PATCH", path=_SETTINGS, headers={"Content-Type": "text/plain"}, body={}),
    Step(method="PUT", path=_CONFIG_MAPS, body={}),
    Step(
        method="POST", path=_CONFIG_MAPS, body={"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "settings"}}
    ),
)

_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_GROUP = f"{NAMESPACE}.example"
_GATES = f"/apis/{_GROUP}/v1/namespaces/{NAMESPACE}/gates"


def _policy() -> Body:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    mine = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAMESPACE},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": mine},
            "validations": [{"expression": "object.data.color == 'blue'", "message": "only blue is allowed"}],
        },
    }


def _binding() -> Body:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAMESPACE},
        "spec": {"policyName": NAMESPACE, "validationActions": ["Deny"]},
    }


def _crd() -> Body:
    spec = {
        "type": "object",
        "required": ["low", "high"],
        "properties": {
            "low": {"type": "integer"},
            "high": {"type": "integer"},
            "open": {"type": "boolean", "default": False},
        },
        "x-kubernetes-validations": [{"rule": "self.low <= self.high", "message": "low must not exceed high"}],
    }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gates.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "names": {"kind": "Gate", "plural": "gates"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def _gate(**spec: Any) -> Body:
    metadata = {"name": "main", "namespace": NAMESPACE}
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Gate", "metadata": metadata, "spec": spec}


ADMISSION = (
    Step(method="POST", path=_POLICIES, body=_policy(), is_recorded=False),
    Step(method="POST", path=_BINDINGS, body=_binding(), is_recorded=False),
    _applied(_SETTINGS, _config_map(color="red"), dry=True, until=422),
    _applied(_SETTINGS, _config_map(color="red")),
    _applied(_SETTINGS, _config_map(color="blue")),
)

CUSTOM_RESOURCE = (
    Step(method="GET", path=_GATES),
    Step(method="POST", path=_CRDS, body=_crd(), is_recorded=False),
    _applied(f"{_GATES}/main", _gate(low=1, high=2), until=201),
    _applied(f"{_GATES}/main", _gate(low=1, high=2), dry=True),
    _applied(f"{_GATES}/main", _gate(low=3, high=2), dry=True),
    _applied(f"{_GATES}/main", _gate(low="one", high=2), dry=True),
    Step(method="POST", path=_GATES, query={**_DRY, "fieldValidation": "Strict"}, body=_gate(low=1, high=2, highest=3)),
)

_DYING = f"{NAMESPACE}-dying"
_DYING_MAP = f"/api/v1/namespaces/{_DYING}/configmaps/settings"


def _namespace(name: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _map_in(namespace: str, **data: str) -> Body:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


NAMESPACES = (
    _applied(f"/api/v1/namespaces/{NAMESPACE}-new", _namespace(f"{NAMESPACE}-new"), dry=True),
    _applied(f"/api/v1/namespaces/{NAMESPACE}-new/configmaps/settings", _map_in(f"{NAMESPACE}-new"), dry=True),
    Step(method="POST", path="/api/v1/namespaces", body=_namespace(_DYING), is_recorded=False),
    _applied(_DYING_MAP, _map_in(_DYING, color="blue"), is_recorded=False),
    Step(method="DELETE", path=f"/api/v1/namespaces/{_DYING}"),
    _applied(_DYING_MAP, _map_in(_DYING, color="red")),
    # the admission plugin sees the namespace in a cache that lags behind
    _applied(
        f"{_DYING_MAP}-2",
        {**_map_in(_DYING), "metadata": {"name": "settings-2", "namespace": _DYING}},
        dry=True,
        until=403,
    ),
)


def _core(kind: str, name: str, **more: Any) -> Body:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **more}


def _service(cluster_ip: str) -> Body:
    ports = [{"port": 80, "protocol": "TCP"}]
    return _core("Service", "web", spec={"clusterIP": cluster_ip, "selector": {"app": "web"}, "ports": ports})


def _claim(size: str, mode: str) -> Body:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, "storageClassName": "standard"}
    return _core("PersistentVolumeClaim", "data", spec=spec)


def _job(image: str) -> Body:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}}
    return {**_core("Job", "once", spec={"template": template}), "apiVersion": "batch/v1"}


def _role_binding(role: str) -> Body:
    group = "rbac.authorization.k8s.io"
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": role}
    return {**_core("RoleBinding", "team", roleRef=reference), "apiVersion": f"{group}/v1"}


def _stateful_set(service: str) -> Body:
    return _workload("StatefulSet", replicas=1, serviceName=service)


def _fixed_map(color: str) -> Body:
    return _core("ConfigMap", "fixed", immutable=True, data={"color": color})


def _immutable(path: str, before: Body, after: Body) -> tuple[Step, ...]:
    """Create one, try to change what may not change, and ask whether the new one would be valid in its place."""
    collection = path.rpartition("/")[0]
    created = Step(method="POST", path=collection, body=before, is_recorded=False)
    return (
        created,
        _applied(path, after, force=True, dry=True),
        Step(method="POST", path=collection, query=_DRY, body=after),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A workload before and after a change; the trace begins when the change is applied."""

    before: Body
    after: Body
    is_repeatable: bool = True
    """Whether every run takes the same path; else only the bounds can be compared."""
    settles: bool = True
    """Whether it ends; else it is watched until nothing has happened for a while."""
    halts_with: dict[str, int] | None = None
    """Of one that does not end: the pods by image that it stays with."""


def _workload(kind: str, *, stages: dict[str, str] | None = None, **spec: Any) -> Body:
    labels = {"app": "web"}
    annotations = {f"stage.test/{name}": value for name, value in (stages or {}).items()}
    template = {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [{"name": "main", "image": "web:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


_CORE = f"/api/v1/namespaces/{NAMESPACE}"
_APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
_BINDING_PATH = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings/team"

IMMUTABLE = (
    *_immutable(f"{_CORE}/services/web", _service("10.0.0.7"), _service("10.0.0.8")),
    *_immutable(f"{_CORE}/persistentvolumeclaims/data", _claim("1Gi", "ReadWriteOnce"), _claim("1Gi", "ReadWriteMany")),
    *_immutable(f"{_CORE}/configmaps/fixed", _fixed_map("blue"), _fixed_map("red")),
    *_immutable(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/once", _job("job:1"), _job("job:2")),
    *_immutable(_BINDING_PATH, _role_binding("view"), _role_binding("edit")),
    *_immutable(f"{_APPS}/statefulsets/web", _stateful_set("web"), _stateful_set("other")),
)

EXCHANGES = {
    "exchange-config-map": CONFIG_MAP,
    "exchange-deployment": DEPLOYMENT,
    "exchange-errors": ERRORS,
    "exchange-admission": ADMISSION,
    "exchange-custom-resource": CUSTOM_RESOURCE,
    "exchange-namespaces": NAMESPACES,
    "exchange-immutable": IMMUTABLE,
}
"""Scenarios of requests, by the name of their recording."""


def _changed(body: Body, *, stages: dict[str, str] | None = None) -> Body:
    changed = copy.deepcopy(body)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    changed["spec"]["template"]["metadata"]["annotations"] |= {
        f"stage.test/{name}": value for name, value in (stages or {}).items()
    }
    return changed


def _rolling(surge: int | str, unavailable: int | str) -> Body:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


# apart enough that a loaded machine does not change the order of what happens
_PACE = {"ready-delay": "300ms", "termination-delay": "300ms"}
_SURGE_FIRST = _workload("Deployment", stages=_PACE, replicas=3, strategy=_rolling(1, 0))
_SHRINK_FIRST = _workload("Deployment", stages=_PACE, replicas=3, strategy=_rolling(0, 1))
_DEFAULT = _workload("Deployment", stages=_PACE, replicas=8)
_RECREATE = _workload("Deployment", stages=_PACE, replicas=3, strategy={"type": "Recreate"})
_ORDERED = _workload("StatefulSet", stages=_PACE, replicas=3, serviceName="web")
_DAEMON = _workload("DaemonSet", stages=_PACE)
_SURGING_DAEMON = _workload("DaemonSet", stages=_PACE, updateStrategy=_rolling(1, 0))
_NEVER = {"never-ready": "true"}

ROLLOUTS = {
    "trace-deployment-surge-first": Rollout(before=_SURGE_FIRST, after=_changed(_SURGE_FIRST)),
    "trace-deployment-shrink-first": Rollout(before=_SHRINK_FIRST, after=_changed(_SHRINK_FIRST)),
    "trace-deployment-default": Rollout(before=_DEFAULT, after=_changed(_DEFAULT), is_repeatable=False),
    "trace-deployment-recreate": Rollout(before=_RECREATE, after=_changed(_RECREATE)),
    "trace-deployment-never-ready": Rollout(
        before=_SURGE_FIRST,
        after=_changed(_SURGE_FIRST, stages=_NEVER),
        settles=False,
        halts_with={"web:1": 3, "web:2": 1},
    ),
    "trace-statefulset-ordered": Rollout(before=_ORDERED, after=_changed(_ORDERED)),
    "trace-statefulset-never-ready": Rollout(
        before=_ORDERED,
        after=_changed(_ORDERED, stages=_NEVER),
        settles=False,
        halts_with={"web:1": 2, "web:2": 1},
    ),
    "trace-daemonset": Rollout(before=_DAEMON, after=_changed(_DAEMON)),
    # the next node's new pod and the end of the last node's old one are a race
    "trace-daemonset-surging": Rollout(before=_SURGING_DAEMON, after=_changed(_SURGING_DAEMON), is_repeatable=False),
}
"""Changes of workloads, by the name of their recording."""
