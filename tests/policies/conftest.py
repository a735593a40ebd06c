"""The policies of `policies/` and their examples, and a small judge: what the API server does with one policy and one new object.

It is written for these tests alone: a policy must agree with the language itself and with the real server, whatever the product's own
engine around the language does.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.cel import LazyMap, Program, compile_expression, profile
from gitops_guard.manifest.document import Document
from gitops_guard.manifest.loader import load

ROOT = Path(__file__).parents[2] / "policies"

RESOURCES = {
    "ClusterRole": ("rbac.authorization.k8s.io", "clusterroles"),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io", "clusterrolebindings"),
    "ConfigMap": ("", "configmaps"),
    "CronJob": ("batch", "cronjobs"),
    "DaemonSet": ("apps", "daemonsets"),
    "Deployment": ("apps", "deployments"),
    "HorizontalPodAutoscaler": ("autoscaling", "horizontalpodautoscalers"),
    "Ingress": ("networking.k8s.io", "ingresses"),
    "Job": ("batch", "jobs"),
    "Namespace": ("", "namespaces"),
    "NetworkPolicy": ("networking.k8s.io", "networkpolicies"),
    "PersistentVolumeClaim": ("", "persistentvolumeclaims"),
    "Pod": ("", "pods"),
    "PodDisruptionBudget": ("policy", "poddisruptionbudgets"),
    "ReplicaSet": ("apps", "replicasets"),
    "ReplicationController": ("", "replicationcontrollers"),
    "Role": ("rbac.authorization.k8s.io", "roles"),
    "RoleBinding": ("rbac.authorization.k8s.io", "rolebindings"),
    "Service": ("", "services"),
    "ServiceAccount": ("", "serviceaccounts"),
    "StatefulSet": ("apps", "statefulsets"),
}
"""Group and resource of each kind that a policy may judge."""


def as_sent(value: Any) -> Any:
    """Drop fields that are null, as the API server does when it decodes an object."""
    if isinstance(value, Mapping):
        return {key: as_sent(inner) for key, inner in value.items() if inner is not None}
    return [as_sent(inner) for inner in value] if isinstance(value, list) else value


def read(text: str) -> list[Document]:
    """Read manifests; what cannot be read fails the test."""
    stream = load(text.encode())
    assert [] == list(stream.problems)
    return list(stream.documents)


@dataclasses.dataclass(frozen=True)
class Example:
    """One manifest of a policy."""

    folder: Path
    group: str
    """pass, fail, Flagged or Fixed."""
    name: str
    text: str

    @property
    def is_fail(self) -> bool:
        return self.group in ("fail", "Flagged")

    @functools.cached_property
    def document(self) -> Document:
        (document,) = read(self.text)
        return document

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = as_sent(self.document.body)
        return body

    @property
    def marks(self) -> list[tuple[int, str]]:
        """The expected findings: line and rule."""
        found = (
            (number, re.search(r"# finding: (\S+)", line)) for number, line in enumerate(self.text.splitlines(), 1)
        )
        return [(number, mark[1]) for number, mark in found if mark]


class Policy:
    """A policy's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    @functools.cached_property
    def body(self) -> Any:
        (document,) = read((self.folder / "policy.yaml").read_text(encoding="utf-8"))
        return document.body

    @property
    def annotations(self) -> dict[str, str]:
        found = self.body["metadata"]["annotations"]
        return {key.removeprefix("gitops-guard.io/"): value for key, value in found.items()}

    @property
    def page(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def examples(self, *groups: str) -> list[Example]:
        """Return the manifests of some groups, by default of all."""
        found = [
            Example(self.folder, path.parent.name, path.stem, path.read_text(encoding="utf-8"))
            for group in ("pass", "fail")
            for path in sorted((self.folder / group).glob("*.yaml"))
        ]
        blocks = re.findall(r"^## (Flagged|Fixed)\n\n```yaml\n(.*?)^```", self.page, re.DOTALL | re.MULTILINE)
        found += [Example(self.folder, title, "page", text) for title, text in blocks]
        return [example for example in found if not groups or example.group in groups]

    def matches(self, body: Mapping[str, Any]) -> bool:
        """Say whether the policy judges an object of this kind."""
        group, resource = RESOURCES[body["kind"]]
        version = body["apiVersion"].rpartition("/")[2]
        return any(
            group in rule["apiGroups"] and version in rule["apiVersions"] and resource in rule["resources"]
            for rule in self.body["spec"]["matchConstraints"]["resourceRules"]
        )

    def judge(self, body: Mapping[str, Any], params: Any = None) -> str:
        """Return why the object would be denied when it is created, "" when it would be admitted."""
        if not self.matches(body):
            return ""
        activation: dict[str, Any] = {"object": body, "oldObject": None, "params": params, "request": {}}
        thunks = {name: functools.partial(one.evaluate, activation) for name, one in self._variables.items()}
        activation["variables"] = LazyMap(thunks)
        for condition, message, words in self._validations:
            if condition.evaluate(activation) is not True:
                return words.evaluate(activation).strip() if words else message
        return ""

    def compile(self, version: str) -> Iterator[Program]:
        """Yield all expressions, compiled for a Kubernetes version."""
        for owner, key, result in self._expressions():
            yield compile_expression(owner[key], environment=profile("vap", version), result=result)

    def _expressions(self) -> Iterator[tuple[dict[str, str], str, str]]:
        spec = self.body["spec"]
        yield from ((one, "expression", "") for one in spec.get("variables", []))
        yield from ((one, "expression", "bool") for one in spec["validations"])
        yield from ((one, "messageExpression", "string") for one in spec["validations"])

    @functools.cached_property
    def _variables(self) -> dict[str, Program]:
        return {one["name"]: compile_expression(one["expression"]) for one in self.body["spec"].get("variables", [])}

    @functools.cached_property
    def _validations(self) -> list[tuple[Program, str, Program]]:
        return [
            (
                compile_expression(one["expression"], result="bool"),
                one["message"],
                compile_expression(one["messageExpression"], result="string"),
            )
            for one in self.body["spec"]["validations"]
        ]


@functools.cache
def all_policies() -> list[Policy]:
    return [Policy(path.parent) for path in sorted(ROOT.glob("*/*/policy.yaml"))]


@pytest.fixture(scope="session")
def policies() -> list[Policy]:
    """All policies, by pack and id."""
    return all_policies()


@pytest.fixture(scope="session")
def policies_root() -> Path:
    """The directory of the packs."""
    return ROOT


@pytest.fixture(
    params=[
        pytest.param(("registry.example\ndocker.io/library\n", "registry.example/shop/web:1", True), id="registry"),
        pytest.param(
            ("registry.example\n\n  docker.io/library/  \n", "docker.io/library/nginx:1", True), id="repository"
        ),
        pytest.param(("registry.example", "registry.example.evil/web:1", False), id="longer-host"),
        pytest.param(("registry.example", "registry.k8s.io/pause:3.10", False), id="default-list-is-replaced"),
        pytest.param(("", "registry.example/shop/web:1", False), id="empty-list"),
    ]
)
def registry_case(request: pytest.FixtureRequest) -> tuple[str, str, bool]:
    """A list of registries for `untrusted-registry`, an image, and whether it is admitted."""
    case: tuple[str, str, bool] = request.param
    return case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each policy, or each of its examples, to the tests that ask for `policy` or `example`."""
    if "example" in metafunc.fixturenames:
        cases = [(policy, example) for policy in all_policies() for example in policy.examples()]
        ids = [f"{policy.id}-{example.group}-{example.name}" for policy, example in cases]
        metafunc.parametrize(("policy", "example"), cases, ids=ids)
    elif "policy" in metafunc.fixturenames:
        metafunc.parametrize("policy", all_policies(), ids=lambda policy: policy.id)
