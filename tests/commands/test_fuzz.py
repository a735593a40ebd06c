"""The whole command on any text: never a bug of ours (exit code 3), never a traceback, and a report that can be read."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SEEDS = sorted(
    path.read_bytes()
    for path in (ROOT / "examples" / "shop").rglob("*")
    if path.suffix in {".yaml", ".tpl"} and path.name != "rollouts.argoproj.io.yaml"
)
CRD = (ROOT / "examples" / "shop" / "crds" / "rollouts.argoproj.io.yaml").read_bytes()
PIECES = st.one_of(
    st.sampled_from(
        [b"", b"\t", b"\n", b": ", b"- ", b"#", b"'", b'"', b"|", b"&a ", b"*a", b"<<: *a\n", b"{", b"}", b"[", b"]", b"? "]
        + [b"!!binary ", b"---\n", b"...\n", b"%TAG ! !\n", b"null", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"9" * 400]
        + [b"kind: List\nitems: [{}]\n", b"kind: []\n", b"apiVersion: {}\n", b"metadata: 5\n", b"sops: {mac: 1, lastmodified: 2}\n"]
        + [b"# gitops-guard: ignore unknown-field why until 2020-01-01\n", b"# gitops-guard: ignore\n", b"{{ .Values.x }}"]
        + [b"metadata: {annotations: {gitops-guard.io/ignore: 5}}\n", b"x: 2026-13-45\n", b"x: .nan\n", b"? {a: b}\n: c\n"]
        + [b"kind: CustomResourceDefinition\n", b"apiVersion: apiextensions.k8s.io/v1\n", b"spec: {versions: [5]}\n"]
    ),
    st.binary(max_size=4),
)  # fmt: skip
NAMES = st.sampled_from(
    ["a.yaml", "b.json", "kustomization.yaml", "values.yaml", "templates/c.yaml", ".gitops-guard.yaml"]
)
STYLES = st.sampled_from(["json", "text", "sarif", "junit", "github", "gitlab", "markdown"])


@st.composite
def mutated(draw) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.sampled_from([0, 0, 1, 3, 30])) :]
    return data


@pytest.fixture
def box(repo):
    """Make one sandbox for all examples: a repository for each would be most of the time."""
    return repo({"crds/rollouts.yaml": CRD})


@settings(max_examples=150, deadline=timedelta(seconds=30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, mutated(), min_size=1, max_size=3), STYLES)
def test_check_of_any_text_then_no_bug_of_ours_and_a_whole_report(box, files, style):
    box.git("clean", "-fdxq", "--exclude", "crds")
    outcome = box.write(files).call(["check", "--format", style])
    assert outcome.code in (0, 1, 2), outcome.err
    assert "Traceback" not in outcome.out + outcome.err
    refused = outcome.err.startswith("gitops-guard: error: .gitops-guard.yaml")
    assert "" == outcome.err or refused
    if style in ("json", "sarif", "gitlab") and not refused:
        json.loads(outcome.out)
