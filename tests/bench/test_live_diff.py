"""The live diff of 1,000 objects against `kubectl diff --server-side` on the same objects and the same API server."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from controlplane.server import ControlPlane

from gitops_guard.cluster import Client, in_parallel, load_access

OBJECTS = 1_000
ALLOWED = 0.5
"""Of kubectl's time, with every twentieth object changed by the merge."""

Body = dict[str, Any]
KINDS = 4


def _body(namespace: str, number: int, *, value: str) -> Body:
    name = f"object-{number:04}"
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name, "part": "bench"}}
    if number % KINDS == 0:
        container = {
            "name": "web",
            "image": f"registry.example/web:{value}",
            "ports": [{"name": "http", "containerPort": 8080}],
            "env": [{"name": f"VARIABLE_{index}", "value": f"value-{index}"} for index in range(5)],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        }
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    if number % KINDS == 1:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value, "a": "b"}}
    if number % KINDS == 2:
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        spec = {"selector": {"app": name, "value": value}, "ports": ports, "clusterIP": "None"}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    metadata["annotations"] = {"value": value}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _write(folder: Path, namespace: str, *, every: int) -> None:
    """Write 40 files of 50 objects; every so-many-th object has another value."""
    for file in range(OBJECTS // 50):
        numbers = range(file * 50, file * 50 + 50)
        bodies = [_body(namespace, number, value="2" if every and number % every == 0 else "1") for number in numbers]
        text = "".join(f"---\n{json.dumps(body, indent=1)}\n" for body in bodies)
        (folder / f"objects-{file:02}.yaml").write_text(text)


def _seconds(command: list[str], folder: Path, environment: dict[str, str], *, codes: set[int]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False)
    seconds = time.perf_counter() - started
    assert done.returncode in codes, done.stderr.decode()[-2000:]
    return seconds, done.stdout.decode()


@pytest.mark.bench
@pytest.mark.timeout(600)
def test_live_diff_when_1000_objects_then_it_takes_half_of_kubectl(
    slack: float, start_control_plane: Any, kubectl: Path, tmp_path: Path
) -> None:
    plane: ControlPlane = start_control_plane()
    namespace = "bench"
    plane.create_namespace(namespace)
    config = str(plane.kubeconfig())
    with Client(load_access({}, kubeconfig=config)) as client:
        bodies = [_body(namespace, number, value="1") for number in range(OBJECTS)]
        in_parallel(lambda body: client.apply(body, manager="kubectl"), bodies)
    tree = tmp_path / "tree"
    (tree / "objects").mkdir(parents=True)
    _write(tree / "objects", namespace, every=0)
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=tree, check=True)
    environment = {"KUBECONFIG": config, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(Path.cwd())}
    ours = [sys.executable, "-m", "gitops_guard", "diff", "--context", "test", "--format", "json"]
    theirs = [str(kubectl), "diff", "--server-side", "-f", "objects"]
    ratios = {}
    for every in (20, 1, 0):
        _write(tree / "objects", namespace, every=every)
        kubectl_s, _ = _seconds(theirs, tree, environment, codes={0, 1})
        ours_s, out = _seconds(ours, tree, environment, codes={0})
        told = json.loads(out)["clusters"][0]
        assert len(told["effect"]) == (OBJECTS // every if every else 0)
        assert (told["drift"], told["objects"], told["compared"]) == ([], [], OBJECTS)
        ratios[every] = ours_s / kubectl_s
        print(
            f"{OBJECTS} objects, {len(told['effect'])} changed: {ours_s:.1f} s ({told['dry_runs']} dry-runs), "
            f"kubectl {kubectl_s:.1f} s, ratio {ratios[every]:.2f}"
        )
    assert ratios[20] <= ALLOWED * slack
