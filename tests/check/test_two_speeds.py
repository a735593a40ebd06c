"""The clean path never overrules the full path: what it calls clean has no finding, no error and nothing skipped."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_guard.check.clean import sweep
from gitops_guard.check.judge import Setting
from gitops_guard.check.run import Cache, Criteria, check_tree
from gitops_guard.model import RuleContext
from gitops_guard.policy.pack_rules import pack_rules
from gitops_guard.policy.packs import pack_names
from gitops_guard.policy.plain import PlainPolicies
from gitops_guard.repo.memory import MemoryTree

ROOT = Path(__file__).parents[2]
VERSIONS = ("1.31", "1.37")
CONTEXT = RuleContext(kubernetes_versions=VERSIONS)
POLICIES = tuple((rule, CONTEXT) for rule in pack_rules(pack_names(), VERSIONS) if rule.is_default)
SOUND = PlainPolicies()
"""The policies that are on by themselves, on both paths."""

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
        [(b"a.yaml", None, len(data))],
        read=lambda path, blob: data,
        versions=VERSIONS,
        passes=SOUND.is_clean,
        cache=cache,
        store=None,
        jobs=1,
    )


def judged(data: bytes, others: dict[str, bytes], cache):
    """Judge by the full path alone: without uniform versions nothing is swept."""
    tree = MemoryTree({"a.yaml": data, **others})
    entries = list(tree.entries())
    setting = Setting(versions=VERSIONS, rules=POLICIES)
    criteria = Criteria(setting_at=lambda path: setting, uniform_versions=None, versions=VERSIONS)
    chosen = [entry for entry in entries if entry.path == "a.yaml"]
    return check_tree(tree, chosen, entries, criteria, Cache(directory=cache[0], key=cache[1]), jobs=1)


def agree(data: bytes, cache) -> bool:
    found = swept(data, cache)
    if found.unsure:
        return False
    for others in ({}, {"kustomization.yaml": b"resources: [a.yaml]\n"}):  # read as kubectl does, and as kustomize
        outcome = judged(data, others, cache)
        assert ((), ()) == (outcome.findings, outcome.errors)
        assert () == outcome.coverage.skipped
        assert found.resources == outcome.coverage.resources == outcome.coverage.validated
    return True


@settings(max_examples=400, deadline=timedelta(seconds=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_sweep_when_a_mutated_manifest_is_called_clean_then_the_full_path_finds_nothing(cache, data):
    agree(data, cache)


def test_sweep_of_the_example_then_many_files_are_called_clean_so_that_the_property_says_something(cache):
    assert sum(agree(data, cache) for data in SEEDS) >= 20
