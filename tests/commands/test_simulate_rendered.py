"""`gitops-guard simulate --from` looks at what is deployed."""

import json

import pytest

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": DEPLOYMENT,
    "live/kustomization.yaml": "resources: [../base]\nnamespace: live\n",
    "test/kustomization.yaml": "resources: [../base]\nnamespace: test\nimages: [{name: web, newTag: pinned}]\n",
}


def test_simulate_when_a_base_changes_then_each_unit_that_it_changes_is_predicted(repo):
    sandbox = repo(FILES).commit()
    sandbox.commit({"base/web.yaml": DEPLOYMENT.replace("web:1", "web:2")})
    found = sandbox.run("simulate", "--from", "HEAD^", "--format", "json").json()["rollouts"]
    assert [("kustomization live", "live")] == [(one["unit"], one["resource"]["namespace"]) for one in found]


def test_simulate_when_rendering_is_off_then_the_base_itself_is_predicted(repo):
    sandbox = repo(FILES).commit()
    sandbox.commit({"base/web.yaml": DEPLOYMENT.replace("web:1", "web:2")})
    found = sandbox.run("simulate", "--from", "HEAD^", "--no-render", "--format", "json").json()["rollouts"]
    assert [("", "shop")] == [(one["unit"], one["resource"]["namespace"]) for one in found]


def test_simulate_when_a_unit_cannot_be_rendered_then_2_and_the_reason(repo):
    sandbox = repo(FILES).commit()
    outcome = sandbox.commit({"live/kustomization.yaml": "resources: [nope.yaml]\n"}).run("simulate", "--from", "HEAD^")
    outcome.assert_code(2)
    assert "live/kustomization.yaml:1: kubectl: " in outcome.out


RIGID = DEPLOYMENT.replace(
    "  replicas: 3\n", "  replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"
)


def cluster(room):
    """One node with the pods of two units, and room for so many more."""
    pods = [
        {
            "namespace": namespace,
            "name": f"web-{number}",
            "node": "one",
            "workload": "Deployment/web",
            "labels": {"app": "web"},
        }
        for namespace in ("live", "test")
        for number in range(3)
    ]
    node = {"name": "one", "labels": {}, "allocatable": {"cpu": "8", "memory": "8Gi", "pods": str(len(pods) + room)}}
    return json.dumps({"version": 1, "kubernetes": "v1.36.3", "nodes": [node], "pods": pods, "objects": {}})


@pytest.mark.parametrize(
    ("room", "expected"),
    [pytest.param(1, ["rollouts-compete-for-nodes"], id="one place"), pytest.param(2, [], id="two places")],
)
def test_simulate_when_units_share_a_cluster_then_their_rollouts_compete_for_its_nodes(repo, tmp_path, room, expected):
    files = FILES | {"base/web.yaml": RIGID, "test/kustomization.yaml": "resources: [../base]\nnamespace: test\n"}
    sandbox = repo(files).commit()
    sandbox.commit({"base/web.yaml": RIGID.replace("web:1", "web:2")})
    (tmp_path / "cluster.json").write_text(cluster(room), encoding="utf-8")
    document = sandbox.run(
        "simulate", "--from", "HEAD^", "--snapshot", str(tmp_path / "cluster.json"), "--format", "json"
    ).json()
    assert ["ok", "ok"] == [one["verdict"] for one in document["rollouts"]]
    assert expected == [one["rule"] for one in document["hazards"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((), {"eu": "1.35", "us": "1.36"}, id="each its own"),
        pytest.param(("--kubernetes-version", "1.34"), {"eu": "1.34", "us": "1.34"}, id="as told"),
    ],
)
def test_simulate_when_clusters_run_different_versions_then_each_is_predicted_for_its_own(repo, arguments, expected):
    deploys = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\n"
        "spec: {path: ./apps, prune: true, interval: 5m, sourceRef: {kind: GitRepository, name: flux-system}}\n"
    )
    files = {
        "apps/web.yaml": DEPLOYMENT,
        "apps/kustomization.yaml": "resources: [web.yaml]\n",
        "clusters/eu/web.yaml": deploys,
        "clusters/us/web.yaml": deploys,
        ".gitops-guard.yaml": "kubernetes-versions: ['1.36']\nclusters:\n  eu: {kubernetes-version: '1.35'}\n  us: {}\n",
    }
    sandbox = repo(files).commit()
    sandbox.commit({"apps/web.yaml": DEPLOYMENT.replace("web:1", "web:2")})

    found = sandbox.run("simulate", "--from", "HEAD^", "--format", "json", *arguments).json()["rollouts"]

    models = {one["unit"].rpartition(" on ")[2]: one["model"] for one in found}
    assert {cluster: f"kubernetes {version}" for cluster, version in expected.items()} == models
