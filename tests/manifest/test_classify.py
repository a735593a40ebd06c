"""What a file is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.manifest.classify import SkipReason, not_a_manifest, patch_paths
from gitops_guard.manifest.loader import load

MANIFEST = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
_LARGE = b'{"x": "' + b"a" * (3 << 20) + b'", %s}'
FILES = [
    pytest.param("a.yaml", MANIFEST, None, id="manifest"),
    pytest.param("values.yaml", MANIFEST, None, id="manifest with an odd name"),
    pytest.param("a.yaml", MANIFEST + b"x: [\n", None, id="broken manifest"),
    pytest.param("a.yaml", b"--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", None, id="on the line of a separator"),
    pytest.param("a.yaml", b"--- {\"apiVersion\": \"v1\", \"kind\": \"Pod\"}\n", None, id="JSON on the line of a separator"),
    pytest.param("a.yaml", b"--- {a: 1}\n", SkipReason.NOT_A_MANIFEST, id="another thing on the line of a separator"),
    pytest.param("a.yaml", b"kind: Pod\nmetadata: {name: a}\n", None, id="manifest without version"),
    pytest.param("c/templates/a.yaml", MANIFEST + b"x: {{ .Values.x }}\n", SkipReason.HELM_TEMPLATE, id="template"),
    pytest.param("a.yaml", MANIFEST + b"{{- if .Values.x }}\nx: 1\n{{- end }}\n", SkipReason.HELM_TEMPLATE, id="actions"),
    pytest.param("a.yaml", b"a: 1\n" + MANIFEST + b"x: {{ if\n  .Values.x\n  }}\n", SkipReason.HELM_TEMPLATE, id="long action"),
    pytest.param("a.yaml", MANIFEST + b"x: |\n  {{ range .Alerts }}\n  {{ end }}\ny: 1\nz: [\n", None, id="broken below a template in a value"),
    pytest.param("a.yaml", MANIFEST + b"z: [\ny: |\n  {{ range .Alerts }}\n", None, id="broken above a template in a value"),
    pytest.param("c/values-prod.yaml", b"replicas: 1\n", SkipReason.HELM_VALUES, id="values"),
    pytest.param("c/Chart.yaml", b"apiVersion: v2\nname: c\n", SkipReason.HELM_METADATA, id="chart"),
    pytest.param("kustomization.yaml", b"resources: [a.yaml]\n", SkipReason.KUSTOMIZATION, id="kustomization"),
    pytest.param("a.yaml", b"apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\n", SkipReason.KUSTOMIZATION, id="plugin"),
    pytest.param("s.json", _LARGE % b'"definitions": {"kind": "k", "apiVersion": "v"}', SkipReason.NOT_A_MANIFEST, id="large schema"),
    pytest.param("s.json", _LARGE % b'"apiVersion": "v1", "kind": "ConfigMap"', None, id="large manifest"),
    pytest.param("a.yaml", b"- op: add\n  path: /spec\n", SkipReason.KUSTOMIZE_PATCH, id="json patch"),
    pytest.param(".github/workflows/a.yml", b"on: push\njobs: {}\n", SkipReason.CI_CONFIGURATION, id="workflow"),
    pytest.param("a.yaml", b"a: 1\n", SkipReason.NOT_A_MANIFEST, id="other"),
    pytest.param("a.yaml", b"# c\n", SkipReason.EMPTY, id="empty"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "data", "expected"), FILES)
def test_not_a_manifest_when_asked_then_gives_the_reason(path, data, expected):
    assert expected == not_a_manifest(path, data, load(data))


def test_patch_paths_when_read_then_are_normalised_and_inside():
    body = {
        "patches": [{"path": "../p.yaml"}, {"patch": "- op: add"}, {"path": "../../../out.yaml"}],
        "patchesStrategicMerge": ["./q.yaml", "kind: Pod\n"],
        "patchesJson6902": [{"path": "r.json"}],
    }
    assert {"apps/p.yaml", "apps/web/q.yaml", "apps/web/r.json"} == patch_paths("apps/web/kustomization.yaml", body)


def test_patch_paths_when_patches_are_names_as_of_old_then_counts_them():
    assert {"apps/p.yaml"} == patch_paths("apps/kustomization.yaml", {"patches": ["p.yaml"]})


NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=4), st.sampled_from([None, 2]))
def test_load_when_given_json_then_gives_it_back(body, indent):
    (document,) = load(json.dumps(body, indent=indent).encode()).documents
    assert body == document.body
