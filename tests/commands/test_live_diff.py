"""`gitops-guard diff --context`, `--live` on a real repository and a real API server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from controlplane.api import Api
from controlplane.server import READER, ControlPlane

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: {colour}
"""
KUSTOMIZATION = """\
namespace: {namespace}
resources: [settings.yaml]
"""


@pytest.fixture
def api(control_plane: ControlPlane) -> Api:
    return control_plane.api()


@pytest.fixture
def shop(repo: Any, namespace: str, api: Api) -> Any:
    """Return a repository whose work tree changes an object that is deployed."""
    sandbox = repo().commit(
        {
            "clusters/eu/kustomization.yaml": KUSTOMIZATION.format(namespace=namespace),
            "clusters/eu/settings.yaml": CONFIG_MAP.format(colour="blue"),
            ".gitops-guard.yaml": "clusters:\n  eu:\n    context: test\n",
        }
    )
    metadata = {"name": "settings", "namespace": namespace}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": "blue"}}
    assert api.apply(live, manager="kustomize-controller").status == 201
    return sandbox.write({"clusters/eu/settings.yaml": CONFIG_MAP.format(colour="red")})


@pytest.fixture
def diff(shop: Any, control_plane: ControlPlane) -> Callable[..., Any]:
    def run(*arguments: str, user: str = "admin") -> Any:
        return shop.run("diff", *arguments, KUBECONFIG=str(control_plane.kubeconfig(user)))

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--context", "eu"], id="name in the configuration"),
        pytest.param(["--context", "test"], id="context"),
        pytest.param(["--live"], id="all"),
    ],
)
def test_diff_when_a_cluster_is_asked_then_it_tells_the_effect(
    diff: Callable[..., Any], namespace: str, control_plane: ControlPlane, arguments: list[str]
) -> None:
    outcome = diff(*arguments)
    assert (0, "") == (outcome.code, outcome.err)
    assert outcome.out == (
        f"cluster eu ({control_plane.version()})\n"
        "the merge changes: 1 configured\n"
        f"  ~ v1 ConfigMap {namespace}/settings  clusters/eu/settings.yaml:1  [config]\n"
        '    ~ data[colour]: "blue" -> "red"  [config]\n'
        "1 object: 0 proved to be as Git says without a dry-run, 1 dry-run sent\n"
        "\n"
        "compared: commit {} with work tree\n"
    ).replace("{}", outcome.out.rpartition("commit ")[2].split(" ")[0])
    assert diff(*arguments, "--exit-code").code == 1


def test_diff_when_others_changed_the_cluster_then_drift_and_owner_are_told(
    diff: Callable[..., Any], namespace: str, api: Api
) -> None:
    metadata = {"name": "settings", "namespace": namespace}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": "green"}}
    api.apply(live, manager="kubectl-edit", force=True)
    text = diff("--live").out
    assert "drift, not caused by the merge: Git -> cluster: 1 changed\n" in text
    assert '~ data[colour]: "blue" -> "green"' in text
    assert ".data.colour is owned by kubectl-edit, without the merge too" in text
    told = json.loads(diff("--live", "--format", "json").out)["clusters"][0]
    assert [("eu", "", 1, 1)] == [(told["cluster"], told["error"], len(told["effect"]), len(told["drift"]))]
    assert told["objects"][0]["conflicts"] == [{"field": ".data.colour", "manager": "kubectl-edit", "already": True}]
    markdown = diff("--live", "--format", "markdown").out
    assert "**The merge changes: 1 configured.**" in markdown
    assert "<summary>Drift, not caused by the merge: 1 changed</summary>" in markdown


def test_diff_when_a_right_is_missing_then_it_is_named_and_2(diff: Callable[..., Any], namespace: str) -> None:
    outcome = diff("--live", user=READER)
    assert outcome.code == 2
    assert f"rights that are missing:\n  patch configmaps in namespace {namespace} (1 object)\n" in outcome.out
    assert '~ data[colour]: "blue" -> "red"' in outcome.out
    assert "not previewed: no right: " in outcome.out


def test_diff_when_one_context_does_not_exist_then_the_other_is_told_and_2(diff: Callable[..., Any]) -> None:
    outcome = diff("--live", "--context", "nowhere")
    assert outcome.code == 2
    assert "cluster nowhere\n  could not ask: no context 'nowhere'" in outcome.out
    assert '~ data[colour]: "blue" -> "red"' in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--live", "--format", "yaml"], "--format yaml cannot show clusters", id="format"),
        pytest.param(["--live", "--config", "none.yaml"], "none has a context; name one: --context", id="no cluster"),
    ],
)
def test_diff_when_clusters_cannot_be_asked_then_a_usage_error(
    diff: Callable[..., Any], shop: Any, arguments: list[str], message: str
) -> None:
    shop.write({"none.yaml": "{}\n"})
    outcome = diff(*arguments)
    assert (2, True) == (outcome.code, message in outcome.err)


def test_diff_when_a_unit_cannot_be_rendered_then_2_and_nothing_is_said_of_prunes(
    diff: Callable[..., Any], shop: Any
) -> None:
    shop.write({"clusters/eu/bad/kustomization.yaml": "resources: [nope.yaml]\n"})
    outcome = diff("--live")
    assert outcome.code == 2
    assert "clusters/eu/bad/kustomization.yaml:1: could not compare: " in outcome.out
    assert "note: not all that is deployed is known" in outcome.out


def test_diff_when_the_definition_comes_with_the_merge_then_its_objects_are_checked_by_it(
    diff: Callable[..., Any], shop: Any, namespace: str
) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "shelves.arriving.test"},
        "spec": {
            "group": "arriving.test",
            "names": {"kind": "Shelf", "plural": "shelves"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    shelf = {"apiVersion": "arriving.test/v1", "kind": "Shelf", "metadata": {"name": "a"}, "spec": {"size": "big"}}
    shop.write(
        {
            "clusters/eu/kustomization.yaml": f"namespace: {namespace}\nresources: [settings.yaml, crd.json, shelf.json]\n",
            "clusters/eu/crd.json": json.dumps(definition),
            "clusters/eu/shelf.json": json.dumps(shelf),
        }
    )
    outcome = diff("--live")
    assert outcome.code == 0
    assert "not dry-run: its kind Shelf comes with the same merge; spec.size: " in outcome.out


def test_diff_when_no_cluster_is_asked_then_nothing_of_the_network_is_imported() -> None:
    script = "import sys; from gitops_guard.commands import check, diff; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith(("gitops_guard.cluster", "gitops_guard.live"))] == []
