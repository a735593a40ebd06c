"""`gitops-guard pr --context` on a real API server: effect and drift are told apart."""

import json

import pytest

SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}, size: small}}\n"


@pytest.fixture
def branch(repo, namespace, control_plane):
    """Return a branch that changes what runs in a cluster, where somebody changed something, too."""
    sandbox = repo({
        "clusters/eu/kustomization.yaml": f"namespace: {namespace}\nresources: [settings.yaml]\n",
        "clusters/eu/settings.yaml": SETTINGS.format(colour="blue"), ".gitops-guard.yaml": "clusters:\n  eu:\n    context: test\n",
    }).commit()  # fmt: skip
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": namespace},
        "data": {"colour": "blue", "size": "large"},
    }
    assert control_plane.api().apply(live, manager="kustomize-controller").status == 201
    sandbox.git("branch", "-M", "main")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    return sandbox.commit({"clusters/eu/settings.yaml": SETTINGS.format(colour="red")})


def test_pr_when_a_cluster_is_asked_then_effect_and_drift_are_told_apart(branch, namespace, control_plane):
    outcome = branch.run(
        "pr", "--from", "main", "--policies", "none", "--context", "eu", "--plan", "plan.json", "--markdown", "report.md",
        KUBECONFIG=str(control_plane.kubeconfig("admin")),
    )  # fmt: skip
    outcome.assert_code(0)
    plan = json.loads((branch.root / "plan.json").read_text())
    (unit,) = plan["units"]
    assert ("live", "eu", ["data[colour]"]) == (
        unit["source"],
        unit["cluster"],
        [field["field"] for field in unit["changes"][0]["fields"]],
    )
    (drift,) = plan["drift"]
    assert ["data[size]"] == [field["field"] for field in drift["changes"][0]["fields"]]
    text = (branch.root / "report.md").read_text()
    assert "Drift that is there already, not from this change: 1 object" in text
    assert "by dry-run in the cluster" in text


def test_pr_when_the_cluster_cannot_be_asked_then_it_is_no_pass(branch, tmp_path):
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:9'}}]\nusers: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: test, context: {cluster: a, user: u}}]\n"
    )
    outcome = branch.run("pr", "--from", "main", "--policies", "none", "--live", KUBECONFIG=str(nowhere))
    outcome.assert_code(2)
    assert "the cluster cannot be asked" in outcome.out
