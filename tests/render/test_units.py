"""Which units a file has a part in, and what changes with them; nothing is rendered to tell."""

import pytest

from gitops_guard.model.unit import UnitKind
from gitops_guard.render import Options, Units
from gitops_guard.repo.memory import MemoryTree

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: flux-system}\ndata: {size: '1'}\n"
SOURCE = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: own, namespace: flux-system}
spec: {url: https://example.com/own.git, interval: 1m}
"""
FLUX = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %s, namespace: flux-system}
spec:
  interval: 1m
  path: ./%s
  prune: true
  sourceRef: {kind: GitRepository, name: own}
  postBuild: {substituteFrom: [{kind: ConfigMap, name: variables}]}
"""
SET = """apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all, namespace: argocd}
spec:
  generators:
    - git: {repoURL: https://example.com/own.git, revision: HEAD, files: [{path: "envs/*.json"}]}
  template:
    metadata: {name: "app-{{name}}"}
    spec:
      project: default
      destination: {name: "{{name}}", namespace: shop}
      source: {repoURL: https://example.com/own.git, targetRevision: HEAD, path: apps/one}
"""
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": CONFIG % "web",
    "parts/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n",
    "parts/p.yaml": CONFIG % "web",
    "over/kustomization.yaml": "resources: [../base]\ncomponents: [../parts]\n"
    "configMapGenerator: [{name: c, files: [app.ini]}]\n",
    "over/app.ini": "a = b\n",
    "other/kustomization.yaml": "resources: [../base, gone.yaml]\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/values.yaml": "a: b\n",
    "chart/templates/a.yaml": "kind: {{ .Values.a }}\n",
    "chart/values-live.yaml": "a: c\n",
    "flux/kustomization.yaml": "resources: [one.yaml, two.yaml, source.yaml, variables.yaml]\n"
    "patches: [{path: patch.yaml, target: {kind: Kustomization}}]\n",
    "flux/one.yaml": FLUX % ("one", "apps/one"),
    "flux/two.yaml": FLUX % ("two", "apps/two"),
    "flux/source.yaml": SOURCE,
    "flux/variables.yaml": CONFIG % "variables",
    "flux/patch.yaml": '[{"op": "add", "path": "/spec/retryInterval", "value": "1m"}]\n',
    "apps/one/a.yaml": CONFIG % "a",
    "apps/two/b.yaml": CONFIG % "b",
    "argo/set.yaml": SET,
    "envs/live.json": '{"name": "live"}\n',
    "envs/test.json": '{"name": "test"}\n',
}


def units(**changes: str) -> Units:
    files = {**FILES, **changes}
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return Units(tree, Options(environment={"PATH": ""}))


@pytest.fixture(scope="module")
def found() -> Units:
    return units()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("base/web.yaml", ["other", "over"], id="base"),
        pytest.param("parts/p.yaml", ["over"], id="patch-of-a-component"),
        pytest.param("over/app.ini", ["over"], id="file-of-a-generator"),
        pytest.param("other/gone.yaml", ["other"], id="a-file-that-is-gone"),
        pytest.param("chart/templates/a.yaml", ["chart (values-live.yaml)"], id="template"),
        pytest.param("chart/values.yaml", ["chart (values-live.yaml)"], id="values"),
        pytest.param("chart/templates/gone.yaml", ["chart (values-live.yaml)"], id="template-that-is-gone"),
        pytest.param("apps/two/b.yaml", ["flux-system/two"], id="manifest-of-a-flux-directory"),
        pytest.param("apps/two/new.yaml", ["flux-system/two"], id="new-file-of-a-flux-directory"),
        pytest.param("flux/one.yaml", ["flux", "flux-system/one"], id="the-object-itself"),
        pytest.param("flux/patch.yaml", ["flux", "flux-system/one", "flux-system/two"], id="patch-of-the-objects"),
        pytest.param("flux/variables.yaml", ["flux", "flux-system/one", "flux-system/two"], id="variables"),
        pytest.param("envs/live.json", ["argocd/app-live"], id="generator-of-an-application-set"),
        pytest.param("argo/set.yaml", ["argocd/app-live", "argocd/app-test"], id="application-set"),
        pytest.param("README.md", [], id="nothing"),
    ],
)
def test_affected_when_a_file_is_touched_then_exactly_its_units_are_named(found, path, expected):
    names = [unit.name for unit in found.affected([path]) if unit.kind is not UnitKind.DIRECTORY]
    assert expected == sorted(names)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"base/web.yaml": CONFIG % "new"}, ["other", "over"], id="base"),
        pytest.param({"over/app.ini": "a = c\n"}, ["over"], id="generator"),
        pytest.param(
            {"flux/variables.yaml": (CONFIG % "variables").replace("'1'", "'2'")},
            ["flux", "flux-system/one", "flux-system/two"],
            id="variables",
        ),
        pytest.param({"envs/live.json": '{"name": "live", "x": 1}\n'}, [], id="a-parameter-that-nobody-uses"),
        pytest.param({"README.md": "new\n"}, [], id="nothing"),
    ],
)
def test_stamp_when_a_tree_changes_then_it_changes_for_what_is_rendered_differently(found, changes, expected):
    after = units(**changes)
    before = {unit.identity: found.stamp(unit) for unit in found.all if unit.kind is not UnitKind.DIRECTORY}
    differing = [
        unit.name for unit in after.all if before.get(unit.identity, "same") not in ("same", after.stamp(unit))
    ]
    assert expected == sorted(differing)
