"""`gitops-guard simulate --from` looks at what is deployed."""

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
