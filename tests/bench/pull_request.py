"""How long `gitops-guard pr` takes on a large repository: 500 units on 50 clusters, of which a commit touches ten.

    python tests/bench/pull_request.py            about two minutes, most of it the first run ever

Not a part of `make bench`: the first run renders every unit, which is kustomize's time. The runs after it see a new commit
each, with what is remembered of the ones before, as a job with a kept cache does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: web
        image: registry.example.com/{name}:1.0.0
        ports: [{{containerPort: 8080}}]
        resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 128Mi}}}}
        readinessProbe: {{httpGet: {{path: /, port: 8080}}}}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{level: info}}\n"
REPLICAS = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {number}}}\n"
EACH = 10
"""Apps on a cluster, and clusters that an app is on."""


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def write(root: Path, clusters: int) -> None:
    """Make a repository of as many apps as clusters, each app on ten of them, on the branch `main`."""
    files = {".gitops-guard.yaml": "clusters:\n"}
    for app in range(clusters):
        name = f"app-{app:03}"
        texts = {"deployment": DEPLOYMENT, "service": SERVICE, "config": CONFIG}
        files |= {f"base/{name}/{kind}.yaml": text.format(name=name) for kind, text in texts.items()}
        files[f"base/{name}/kustomization.yaml"] = "resources: [deployment.yaml, service.yaml, config.yaml]\n"
    for cluster in range(clusters):
        files[".gitops-guard.yaml"] += f'  c{cluster:03}: {{paths: ["clusters/c{cluster:03}/**"]}}\n'
        for app in range(cluster, cluster + EACH):
            name = f"app-{app % clusters:03}"
            folder = f"clusters/c{cluster:03}/{name}"
            files[f"{folder}/kustomization.yaml"] = (
                f"namespace: {name}\nresources: [../../../base/{name}]\npatches:\n- path: replicas.yaml\n"
            )
            files[f"{folder}/replicas.yaml"] = REPLICAS.format(name=name, number=2 + cluster % 3)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "base")
    git(root, "checkout", "--quiet", "-b", "feature")


def touch(root: Path, app: int) -> None:
    """Commit a new image of one app, which is on ten clusters, and nothing else."""
    git(root, "reset", "--quiet", "--hard", "main")
    path = root / f"base/app-{app:03}/deployment.yaml"
    path.write_text(path.read_text().replace("1.0.0", f"1.{app}.1"))
    git(root, "commit", "--quiet", "--all", "--message", f"app {app}")


PROGRAM = """
import resource, sys
from gitops_guard.cli import main
code = main(sys.argv[1:])
own, tools = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(own.ru_utime + own.ru_stime, tools.ru_utime + tools.ru_stime, own.ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


def judged(root: Path, work: Path) -> tuple[float, list[float], int]:
    """Run `pr`; return seconds, what it used (own CPU, tools' CPU, megabytes), and how many units changed."""
    plan = work / "plan.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GITOPS_GUARD_CACHE_DIR": str(work / "cache")}
    environment |= {"XDG_STATE_HOME": str(work / "state")}
    command = [sys.executable, "-c", PROGRAM, "pr", "--from", "main", "--to", "feature", "--plan", str(plan)]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    used = [float(word) for word in done.stderr.splitlines()[-1].split()]
    return seconds, used, len(json.loads(plan.read_text())["units"])


def main() -> int:
    """Measure, print, and return 1 when a warm run takes longer than wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--wanted", type=float, default=15.0, help="seconds that a warm run may take on two processors")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pull-request-") as folder:
        root, work = Path(folder, "repository"), Path(folder)
        root.mkdir()
        write(root, arguments.clusters)
        slowest = 0.0
        for number, what in enumerate(["first run ever", "a new commit", "a new commit", "a new commit"]):
            touch(root, 7 + number)
            seconds, (own, tools, megabytes), units = judged(root, work)
            assert units == EACH, units
            slowest = max(slowest, seconds) if number else 0.0
            print(f"{what:<16} {units} of {EACH * arguments.clusters} units:", end=" ")
            print(f"{seconds:6.1f} s, own CPU {own:5.1f} s, tools {tools:5.1f} s, {megabytes:.0f} MB", flush=True)
    return 0 if slowest <= arguments.wanted else 1


if __name__ == "__main__":
    sys.exit(main())
