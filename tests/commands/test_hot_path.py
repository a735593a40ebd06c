"""The clean path loads next to nothing: what a process that hits the cache has imported, beyond Python's own start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
HEAVY = frozenset({
    "argparse", "dataclasses", "gitops_guard.config", "gitops_guard.model", "hashlib",
    "importlib.metadata", "inspect", "jsonschema", "kubernetes_validate", "pathlib", "pluggy", "pygit2", "sqlite3",
    "subprocess", "tempfile", "typing",
})  # fmt: skip
NEVER_ON_A_HIT = HEAVY | {"yaml", "re", "enum", "json", "collections", "functools"}
PROBE = """
import sys
before = set(sys.modules)
from gitops_guard.cli import main
code = main(sys.argv[1:])
loaded = sorted(set(sys.modules) - before)
import json
sys.stderr.write(json.dumps([code, loaded]))
"""


def probe(sandbox, *arguments: str) -> tuple[int, set[str]]:
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=sandbox.root, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    code, loaded = json.loads(done.stderr)
    assert done.stdout.startswith("validated: ")
    return code, set(loaded)


@pytest.fixture
def sandbox(repo):
    return repo().stage({"a.yaml": GOOD, "b.yaml": GOOD.replace("name: a", "name: b")})


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        pytest.param(["check", "--staged", "a.yaml", "b.yaml"], 25, id="hook"),
        # Whether a controller deploys the file is for other files of the work tree to say, so these are looked through.
        pytest.param(["check", "a.yaml"], 28, id="one file"),
    ],
)
def test_check_when_all_verdicts_are_remembered_then_nothing_heavy_is_imported(sandbox, arguments, most):
    probe(sandbox, *arguments)
    code, loaded = probe(sandbox, *arguments)
    assert 0 == code
    assert set() == loaded & NEVER_ON_A_HIT
    assert "gitops_guard.commands.parser" not in loaded
    assert len(loaded) <= most, sorted(loaded)


def test_check_staged_when_the_objects_are_packed_then_the_second_run_is_as_light(sandbox):
    sandbox.commit().git("repack", "-a", "-d", "--quiet")
    assert not list((sandbox.root / ".git" / "objects").glob("[0-9a-f][0-9a-f]"))
    probe(sandbox, "check", "--staged", "a.yaml", "b.yaml")
    code, loaded = probe(sandbox, "check", "--staged", "a.yaml", "b.yaml")
    assert 0 == code
    assert set() == loaded & NEVER_ON_A_HIT


SOUND = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true}
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
      containers:
        - name: web
          image: web:1.0
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
"""


def test_check_when_policies_have_their_say_then_the_engine_is_not_imported_and_a_hit_loads_nothing_of_them(repo):
    sandbox = repo().stage({"web.yaml": SOUND})
    code, loaded = probe(sandbox, "check", "--staged", "web.yaml")
    assert 0 == code
    assert "gitops_guard.policy.plain_rules" in loaded
    assert not [name for name in loaded if name.startswith(("gitops_guard.cel", "gitops_guard.policy.load"))]
    assert set() == loaded & {"pygit2", "jsonschema", "pluggy", "dataclasses", "argparse"}
    code, loaded = probe(sandbox, "check", "--staged", "web.yaml")
    assert 0 == code
    assert not [name for name in loaded if name.startswith("gitops_guard.policy")]


def test_check_when_a_file_is_new_then_the_full_path_is_not_imported(sandbox):
    code, loaded = probe(sandbox, "check", "--staged", "a.yaml")
    assert 0 == code
    assert "gitops_guard.manifest.plain" in loaded  # the probe sees what is imported
    assert not [name for name in loaded if name.startswith(("gitops_guard.check.evaluate", "gitops_guard.model"))]
    assert set() == loaded & {
        "pygit2",
        "jsonschema",
        "pluggy",
        "importlib.metadata",
        "subprocess",
        "argparse",
        "sqlite3",
    }
