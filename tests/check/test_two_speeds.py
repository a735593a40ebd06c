"""The clean path never overrules the full path: what it calls clean has no finding, no error and nothing skipped."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_guard.check.clean import sweep
from gitops_guard.check.evaluate import Source, Surroundings, evaluate
from gitops_guard.check.judge import Role, Setting
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.schema.builtin import BuiltinSchemas

ROOT = Path(__file__).parents[2]
VERSIONS = ("1.31", "1.37")
SEEDS = sorted(
    path.read_bytes()
    for path in (ROOT / "examples" / "shop").rglob("*.yaml")
    if path.name != "rollouts.argoproj.io.yaml" and "templates" not in path.parts
)
PIECES = st.sampled_from(
    [b"", b" ", b"  ", b"\t", b"\n", b":", b": ", b"- ", b"#", b" #", b"'", b'"', b"|", b">", b"|-\n", b"&a ", b"*a", b"<<: *a\n"]
    + [b"{", b"}", b"[", b"]", b",", b"?", b"? ", b"!", b"!!str ", b"!!int ", b"---\n", b"...\n", b"%YAML 1.1\n", b"~", b"null", b"\0"]
    + [b"yes", b"0o7", b"010", b"1_000", b"1e3", b".5", b"0x1F", b"1:30", b"2026-01-01", b"=", b"9" * 20, b"1.10", b"NaN", b".inf"]
    + [b"\xef\xbb\xbf", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\r", b"\r\n", b"\xf0\x9f\x98\x80", b"\x7f", b"\\", b"@", b"`", b"\xc2\xa0"]
    + [b"kind: List\n", b"items: []\n", b"apiVersion: v1\n", b"metadata: {}\n", b"1GB", b"100m", b"{}", b"[]", b"-1", b"65536"]
)  # fmt: skip


@st.composite
def mutated(draw) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20]))
        data = data[:at] + draw(PIECES) + data[at + length :]
    return data


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> tuple[str, bytes]:
    return str(tmp_path_factory.mktemp("schemas")), bytes(32)


def swept(data: bytes, cache):
    return sweep(
        [(b"a.yaml", None, len(data))], read=lambda path, blob: data, versions=VERSIONS, cache=cache, store=None, jobs=1
    )


def judged(data: bytes, dialect: Dialect, cache):
    builtin = {version: BuiltinSchemas(version, cache) for version in VERSIONS}
    role, setting = Role(dialect=dialect), Setting(versions=VERSIONS)
    surroundings = Surroundings(
        read=lambda path: data, builtin=builtin, candidates=[], extra_find=None, store=VerdictStore(None, None), cache=cache, circumstances=b""
    )  # fmt: skip
    (verdict,) = evaluate([Source(path="a.yaml", blob=None, role=role, setting=setting)], surroundings)
    return verdict


def agree(data: bytes, cache) -> bool:
    found = swept(data, cache)
    if found.unsure:
        return False
    for dialect in (Dialect.KUBECTL, Dialect.KUSTOMIZE):
        verdict = judged(data, dialect, cache)
        assert ((), (), ()) == (verdict.findings, verdict.errors, verdict.skipped)
        assert found.resources == verdict.resources == verdict.validated
    return True


@settings(max_examples=400, deadline=timedelta(seconds=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_sweep_when_a_mutated_manifest_is_called_clean_then_the_full_path_finds_nothing(cache, data):
    agree(data, cache)


def test_sweep_of_the_example_then_many_files_are_called_clean_so_that_the_property_says_something(cache):
    assert sum(agree(data, cache) for data in SEEDS) >= 20
