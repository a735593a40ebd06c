"""What is remembered may save time and never decide: poisoned, torn and foreign caches, concurrent writers, changes."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_guard.check.clean_store import CleanStore, record
from gitops_guard.check.seal import seal
from gitops_guard.repo.index import blob_id

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BAD = GOOD + "dta: 1\n"
DEPRECATED = "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: a}}\n"


@pytest.fixture
def cached(repo, tmp_path):
    """Make a sandbox with a cache folder of its own that has seen a good and a bad file."""
    sandbox = repo({"good.yaml": GOOD, "bad.yaml": BAD})
    sandbox.environment["GITOPS_GUARD_CACHE_DIR"] = str(tmp_path / "cache")
    sandbox.run("check").assert_findings(("bad.yaml", 4, "unknown-field"))
    return sandbox, tmp_path / "cache"


def test_check_when_remembered_then_the_cache_is_really_used(cached):
    sandbox, cache = cached
    before = {path: path.stat().st_size for path in cache.rglob("*") if path.is_file()}
    assert any("clean" in path.parts for path in before)
    assert any(path.name.endswith(".sqlite") for path in before)
    sandbox.run("check").assert_findings(("bad.yaml", 4, "unknown-field"))
    (store,) = [path for path in before if len(path.name) == 40]
    assert before[store] == store.stat().st_size


def clean_stores(cache: Path) -> list[Path]:
    return sorted(path for path in (cache / "clean").iterdir() if len(path.name) == 40)


def test_check_when_the_clean_store_is_written_with_another_users_key_then_it_proves_nothing(cached):
    sandbox, cache = cached
    sandbox.call(["check", "good.yaml"]).assert_code(0)
    bad = blob_id(BAD.encode())
    for path in clean_stores(cache):
        path.unlink()
        for settings in (b"1.37", b""):
            CleanStore(str(cache), bytes.fromhex(path.name), b"x" * 32).add(record(bad, 1, 0), settings)
    sandbox.call(["check", "bad.yaml"]).assert_code(1)
    sandbox.run("check").assert_findings(("bad.yaml", 4, "unknown-field"))


def test_check_when_a_record_is_put_into_the_clean_store_then_it_is_not_believed(cached):
    sandbox, cache = cached
    good, bad = blob_id(GOOD.encode()), blob_id(BAD.encode())
    replaced = 0
    for path in clean_stores(cache):
        data = path.read_bytes()
        replaced += good in data
        path.write_bytes(data.replace(good, bad))
    assert replaced
    sandbox.call(["check", "bad.yaml"]).assert_code(1)
    sandbox.run("check").assert_findings(("bad.yaml", 4, "unknown-field"))


@pytest.mark.parametrize("key", [None, b"x" * 32], ids=["old seal", "another user's seal"])
def test_check_when_a_stored_verdict_is_changed_then_it_is_not_believed(cached, key):
    sandbox, cache = cached
    (file,) = cache.glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT key, value, seal FROM sealed").fetchall()
        changed = [(name, value.replace(b"unknown-field", b"unknown-feild"), mark) for name, value, mark in rows]
        assert changed != rows
        sealed = [(name, value, seal(key, name, value) if key else mark) for name, value, mark in changed]
        connection.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)", sealed)
    connection.close()
    sandbox.run("check").assert_findings(("bad.yaml", 4, "unknown-field"))


def spoilt(data: bytes) -> list[bytes]:
    """Return a file's content torn and flipped at several places."""
    places = sorted({1, len(data) // 2, len(data) - 1})
    torn = [data[:at] for at in places]
    flipped = [data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :] for at in places]
    return [*torn, *flipped, b"", os.urandom(len(data)), data + data]


def test_check_when_any_file_of_the_cache_is_spoilt_then_the_verdict_is_the_same(cached):
    sandbox, cache = cached
    expected = sandbox.run("check", "--no-cache").out
    for path in sorted(
        path for path in cache.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    ):
        for content in spoilt(path.read_bytes()):
            path.write_bytes(content)
            assert expected == sandbox.run("check").out, path.name
            sandbox.call(["check", "bad.yaml"]).assert_code(1)
            sandbox.call(["check", "good.yaml"]).assert_code(0)


def test_check_when_several_processes_write_at_once_then_all_are_right_and_what_is_left_is_whole(repo, tmp_path):
    files = {
        f"{number:03}.yaml": (BAD if number % 10 == 0 else GOOD).replace("name: a", f"name: a{number}")
        for number in range(60)
    }
    sandbox = repo(files)
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT), "GITOPS_GUARD_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "gitops_guard", "check", "--format", "json"]
    ranges = [sorted(files)[start : start + 40] for start in (0, 10, 20)]
    started = [
        subprocess.Popen([*command, *names], cwd=sandbox.root, env=environment, stdout=subprocess.PIPE)
        for names in ranges
    ]
    outputs = [process.communicate(timeout=60)[0].decode() for process in started]
    assert [1, 1, 1] == [process.returncode for process in started]
    for names, output in zip(ranges, outputs, strict=True):
        assert sandbox.run("check", "--no-cache", *names).out == output
    expected = sandbox.run("check", "--no-cache").out
    assert expected == sandbox.run("check", GITOPS_GUARD_CACHE_DIR=str(tmp_path / "cache")).out
    for path in clean_stores(tmp_path / "cache"):
        key = (Path(sandbox.environment["HOME"]) / ".local" / "state" / "gitops-guard" / "key").read_bytes()
        assert not CleanStore(str(tmp_path / "cache"), bytes.fromhex(path.name), key).torn


def test_check_when_the_cache_lies_in_the_work_tree_then_what_a_commit_puts_there_is_not_believed(repo, tmp_path):
    sandbox = repo({"a.yaml": BAD})
    sandbox.environment["GITOPS_GUARD_CACHE_DIR"] = str(sandbox.root / ".cache")
    for _ in range(2):
        sandbox.run("check").assert_findings(("a.yaml", 4, "unknown-field"))
    victim = tmp_path / "other-home"
    for path in clean_stores(sandbox.root / ".cache"):  # the author of the commit has a key, but not the victim's
        key = (Path(sandbox.environment["HOME"]) / ".local" / "state" / "gitops-guard" / "key").read_bytes()
        CleanStore(str(sandbox.root / ".cache"), bytes.fromhex(path.name), key).add(
            record(blob_id(BAD.encode()), 1, 0), b"1.37"
        )
    sandbox.run("check", HOME=str(victim)).assert_findings(("a.yaml", 4, "unknown-field"))


@pytest.mark.parametrize(
    ("files", "arguments", "variables"),
    [
        pytest.param({".gitops-guard.yaml": "kubernetes-versions: ['1.25']\n"}, [], {}, id="configuration: version"),
        pytest.param({".gitops-guard.yaml": "severity: {unknown-field: off}\n"}, [], {}, id="configuration: severity"),
        pytest.param({".gitops-guard.yaml": "missing-schema: error\n"}, [], {}, id="configuration: missing-schema"),
        pytest.param({}, ["--kubernetes-version", "1.25"], {}, id="flag: version"),
        pytest.param({}, ["--missing-schema", "error"], {}, id="flag: missing-schema"),
        pytest.param({}, [], {"GITOPS_GUARD_KUBERNETES_VERSIONS": "1.25"}, id="variable: version"),
        pytest.param({}, [], {"GITOPS_GUARD_MISSING_SCHEMA": "error"}, id="variable: missing-schema"),
        pytest.param({"hpa.yaml": BAD}, [], {}, id="content"),
        pytest.param({"kustomization.yaml": "patches: [{path: hpa.yaml}]\n"}, [], {}, id="a patch now"),
    ],
)
def test_check_when_anything_that_decides_changes_then_no_old_verdict_is_reused(cached, files, arguments, variables):
    sandbox, _ = cached
    sandbox.write(
        {"hpa.yaml": DEPRECATED, "custom.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\n"}
    )
    before = sandbox.run("check").out
    assert before == sandbox.run("check").out
    sandbox.write(files)
    for _ in range(2):
        expected = sandbox.run("check", "--no-cache", *arguments, **variables).out
        assert expected == sandbox.run("check", *arguments, **variables).out
        assert expected != before
    sandbox.remove(*(name for name in files if name != "hpa.yaml")).write({"hpa.yaml": DEPRECATED})
    assert before == sandbox.run("check").out


DEFINITION = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {size: {type: %s}}}
"""


def test_check_when_two_definitions_of_a_kind_change_places_then_no_old_verdict_is_reused(cached):
    sandbox, _ = cached
    one, other = DEFINITION % "integer", DEFINITION % "string"
    sandbox.remove("bad.yaml").write({
        "a.yaml": one, "b.yaml": other,
        "gadget.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nsize: 1\n",
    }).run("check").assert_clean()  # fmt: skip
    swapped = sandbox.write({"a.yaml": other, "b.yaml": one}).run("check")
    assert ["size"] == [found["field"] for found in swapped.json()["findings"]]
