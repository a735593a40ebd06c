"""The plugin as gitops-guard finds it: installed, through its entry point."""

from gitops_guard.testing import repo

__all__ = ["repo"]

WITHOUT_LABEL = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
"""
WITH_LABEL = WITHOUT_LABEL.replace("  name: web\n", "  name: web\n  labels: {team: storefront}\n", 1)


def test_check_when_the_plugin_is_installed_then_its_rule_finds(repo):
    # The label's nearest existing parent is the metadata, whose key stands on line 3.
    repo({"web.yaml": WITHOUT_LABEL}).run("check", "--policies", "none").assert_findings(
        ("web.yaml", 3, "missing-team-label")
    )


def test_check_when_the_label_is_there_then_nothing_is_found(repo):
    repo({"web.yaml": WITH_LABEL}).run("check", "--policies", "none").assert_clean()


def test_rules_when_listed_then_the_plugin_is_named(repo):
    assert "missing-team-label" in repo({}).run("rules").out
