"""Who deploys an object, and who owns a field, as managedFields say."""

from typing import Any

import pytest

from gitops_guard.live.managed import applier_of, entries, is_of_git, owners


def live(*managers: tuple[str, str] | tuple[str, str, str], fields: Any = None) -> dict[str, Any]:
    listed = [
        {
            "manager": one[0],
            "operation": one[1],
            "apiVersion": "v1",
            "fieldsV1": fields or {},
            **({"subresource": one[2]} if len(one) == 3 else {}),
        }
        for one in managers
    ]
    return {"metadata": {"managedFields": listed}}


APPLY, UPDATE = "Apply", "Update"


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        pytest.param([], "gitops-guard", id="nobody"),
        pytest.param([("kustomize-controller", APPLY), ("hpa", APPLY)], "kustomize-controller", id="Flux"),
        pytest.param([("argocd-controller", UPDATE)], "argocd-controller", id="Argo CD, client-side"),
        pytest.param([("helm", UPDATE), ("kubectl-edit", UPDATE)], "helm", id="Helm"),
        pytest.param([("kubectl", APPLY)], "kubectl", id="kubectl, server-side"),
        pytest.param([("kubectl-client-side-apply", UPDATE)], "kubectl-client-side-apply", id="kubectl, client-side"),
        pytest.param([("kubectl", UPDATE, "scale")], "gitops-guard", id="kubectl scale"),
        pytest.param([("kubectl", UPDATE)], "gitops-guard", id="kubectl label"),
        pytest.param([("helm", UPDATE), ("kubectl", APPLY)], "kubectl", id="who applies is believed first"),
    ],
)
def test_applier_when_managers_are_known_then_what_deploys_from_git(managers: Any, expected: str) -> None:
    assert expected == applier_of(entries(live(*managers)))


@pytest.mark.parametrize("manager", ["hpa", "kubectl-edit", "kubectl", "helm"])
def test_manager_when_it_is_not_the_applier_then_it_is_foreign(manager: str) -> None:
    assert not is_of_git(manager, "kustomize-controller")
    assert is_of_git("kubectl-client-side-apply", "kustomize-controller")


FIELDS = {
    "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}}, "f:replicas": {}},
    "f:odd": {"k:[": {}},
}


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        pytest.param(("spec", "replicas"), True, id="field"),
        pytest.param(("spec",), True, id="above"),
        pytest.param(("spec", "ports", (("port", 80),)), True, id="item by a part of its keys"),
        pytest.param(("spec", "ports", (("port", 81),)), False, id="another item"),
        pytest.param(("spec", "ports", (("port", 80),), "port"), True, id="inside an item"),
        pytest.param(("spec", "paused"), False, id="another field"),
        pytest.param(("odd", (("name", "a"),)), False, id="keys that cannot be read"),
    ],
)
def test_owners_when_a_path_is_asked_for_then_those_who_have_it(path: Any, owned: bool) -> None:
    assert owners(entries(live(("m", APPLY), fields=FIELDS)), path) == ({"m"} if owned else set())
