"""What a sync leaves behind for those who watch: Events, metrics, health, and one report on several clusters."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from controlplane.processes import free_ports
from controlplane.server import ADMIN, ControlPlane
from prometheus_client.parser import text_string_to_metric_families
from referencing import Registry, Resource

SECRET = "hunter2-hunter2-hunter2"


def config_map(name: str, value: str = "1") -> str:
    return f'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: "{value}"\n'


class Watched:
    """A repository, and a namespace of the real server that it is synced to."""

    def __init__(self, sandbox: Any, plane: ControlPlane, namespace: str, folder: Path) -> None:
        self.repo = sandbox
        self.plane = plane
        self.api = plane.api(ADMIN)
        self.namespace = namespace
        self.folder = folder
        self.kubeconfig = plane.kubeconfig(ADMIN)
        self.metrics_file = folder / "metrics.prom"
        self.target = ("--kubeconfig", str(self.kubeconfig), "--namespace", namespace)

    def run(self, *arguments: str) -> Any:
        return self.repo.run(*arguments, *self.target)

    def edit(self, kind: str, name: str, data: dict[str, str]) -> None:
        self.api.expect(
            "PATCH",
            f"/api/v1/namespaces/{self.namespace}/{kind}/{name}",
            {"data": data},
            query={"fieldManager": "kubectl-edit"},
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def events(self) -> list[dict[str, Any]]:
        found = self.api.expect("GET", f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return sorted(found, key=lambda one: (one["involvedObject"]["name"], one["reason"]))

    def service_account(self, rules: list[dict[str, Any]]) -> Path:
        """Return a kubeconfig of a service account that may do just this in the namespace."""
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        named = {"metadata": {"name": "sync"}}
        self.api.expect("POST", accounts, named)
        self.api.expect("POST", f"{rbac}/roles", {**named, "rules": rules})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "sync"}
        subject = {"kind": "ServiceAccount", "name": "sync", "namespace": self.namespace}
        self.api.expect("POST", f"{rbac}/rolebindings", {**named, "roleRef": reference, "subjects": [subject]})
        token = self.api.expect("POST", f"{accounts}/sync/token", {"spec": {}})["status"]["token"]
        found = yaml.safe_load(self.kubeconfig.read_text())
        found["users"][0]["user"] = {"token": token}
        path = self.folder / "service-account.kubeconfig"
        path.write_text(yaml.safe_dump(found))
        return path

    def metrics(self, text: str | None = None) -> dict[tuple[str, ...], float]:
        """Return values by name and the labels that are not cluster and set; the parser is Prometheus' own."""
        text = self.metrics_file.read_text() if text is None else text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        assert len(samples) == len({(one.name, tuple(sorted(one.labels.items()))) for one in samples})
        return {
            (
                one.name,
                *(value for key, value in sorted(one.labels.items()) if key not in ("cluster", "set")),
            ): one.value
            for one in samples
        }


@pytest.fixture
def watched(control_plane: ControlPlane, namespace: str, repo: Callable[..., Any], tmp_path: Path) -> Watched:
    return Watched(repo(), control_plane, namespace, tmp_path)


def test_sync_when_it_ran_then_events_tell_of_the_run_and_of_each_drifted_object(watched: Watched) -> None:
    watched.repo.commit({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    watched.run("sync")
    watched.edit("configmaps", "one", {"a": "2"})
    watched.run("sync")
    watched.run("sync")
    watched.run("sync")

    told = [one for one in watched.events() if one["reason"] == "Synced"]
    (drift,) = [one for one in watched.events() if one["reason"] != "Synced"]
    uid = watched.api.expect("GET", f"/api/v1/namespaces/{watched.namespace}/configmaps/one")["metadata"]["uid"]
    assert {("ConfigMap", "gitops-guard-default", "Normal")} == {
        (one["involvedObject"]["kind"], one["involvedObject"]["name"], one["type"]) for one in told
    }
    assert [1, 1, 2] == sorted(one["count"] for one in told)
    assert all(one["involvedObject"]["uid"] for one in told)
    assert ("DriftCorrected", "one", uid, 1) == (
        drift["reason"], drift["involvedObject"]["name"], drift["involvedObject"]["uid"], drift["count"],
    )  # fmt: skip
    assert 'changed; data[a]: wants "1", has "2"; by kubectl-edit (Update)' in drift["message"]


def test_sync_when_a_secret_drifted_then_no_event_and_no_metric_shows_it(watched: Watched) -> None:
    secret = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: {SECRET}\n"
    watched.repo.commit({"one.yaml": secret})
    watched.run("sync")
    watched.edit("secrets", "login", {"password": "aHVudGVyMy1odW50ZXIz"})

    watched.run("sync", "--metrics-file", str(watched.metrics_file))

    written = json.dumps(watched.events()) + watched.metrics_file.read_text()
    assert "DriftCorrected" in written
    for hidden in (SECRET, "hunter3-hunter3", "aHVudGVy"):
        assert hidden not in written


def test_sync_when_events_are_not_wanted_or_only_looked_at_then_there_are_none(watched: Watched) -> None:
    watched.repo.commit({"one.yaml": config_map("one")})
    watched.run("sync", "--dry-run")
    watched.run("drift")
    watched.run("sync", "--no-events")

    assert [] == watched.events()


def test_sync_when_it_may_not_write_events_then_it_says_so_and_goes_on(watched: Watched) -> None:
    watched.repo.commit({"one.yaml": config_map("one")})
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
    ]
    user = watched.service_account(rules)
    outcome = watched.repo.run("sync", "--kubeconfig", str(user), "--namespace", watched.namespace)

    assert 0 == outcome.code, outcome.out + outcome.err
    assert "no Events were written" in outcome.out


def test_sync_when_it_ends_then_the_metrics_file_tells_and_counts_on(watched: Watched) -> None:
    flags = ("--metrics-file", str(watched.metrics_file))
    watched.repo.commit({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    watched.run("sync", *flags)
    first = watched.metrics()
    watched.edit("configmaps", "one", {"a": "2"})
    drift_code = watched.run("drift", *flags).code
    drifted = watched.metrics()
    broken = watched.run("sync", "--revision", "nowhere", *flags).code
    last = watched.metrics()

    assert (2.0, 1.0) == (first["gitops_guard_objects", "created"], first["gitops_guard_runs_total", "synced"])
    assert 0.0 == first["gitops_guard_drifted_objects", "changed", ""]
    assert (1, 1.0) == (drift_code, drifted["gitops_guard_drifted_objects", "changed", "ConfigMap"])
    assert (
        first["gitops_guard_last_success_timestamp_seconds",] == drifted["gitops_guard_last_success_timestamp_seconds",]
    )
    assert (2, 1.0, 1.0) == (
        broken, last["gitops_guard_runs_total", "synced"], last["gitops_guard_runs_total", "error"],
    )  # fmt: skip
    assert (
        last["gitops_guard_api_requests_total", "200", "GET"] > first["gitops_guard_api_requests_total", "200", "GET"]
    )


def test_sync_when_the_metrics_file_cannot_be_written_then_exit_code_is_2(watched: Watched) -> None:
    watched.repo.commit({"one.yaml": config_map("one")})

    outcome = watched.run("sync", "--metrics-file", str(watched.folder / "nowhere" / "file"))

    assert (2, "") == (outcome.code, outcome.out)
    assert "--metrics-file" in outcome.err
    path = f"/api/v1/namespaces/{watched.namespace}/configmaps/one"
    assert 404 == watched.api.request("GET", path).status


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"did not come: {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def staying(watched: Watched, port: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gitops_guard", "sync", "--interval", "1s", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, *watched.target, *arguments],
        cwd=watched.repo.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_sync_when_it_stays_then_commits_are_applied_and_it_can_be_watched_and_ended(watched: Watched) -> None:
    (free_port,) = free_ports(1)
    watched.repo.commit({"one.yaml": config_map("one")})
    with staying(watched, free_port) as process:
        wait_for(lambda: get(free_port, "/readyz")[0] == 200, "the first run")
        watched.repo.commit({"two.yaml": config_map("two")})
        path = f"/api/v1/namespaces/{watched.namespace}/configmaps/two"
        wait_for(lambda: watched.api.request("GET", path).status == 200, "the second commit")
        watched.repo.commit({"bad.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bad\ndata: []\n"})
        wait_for(lambda: 'runs_total{cluster="' in get(free_port, "/metrics")[1], "metrics")
        wait_for(lambda: '"rejected"' in get(free_port, "/metrics")[1], "a run that is rejected")
        health, (status, text) = get(free_port, "/healthz"), get(free_port, "/metrics")
        values, other = watched.metrics(text), get(free_port, "/other")[0]
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        took_s = time.monotonic() - began

    assert ((200, "ok\n"), 200, 404) == (health, status, other)
    assert values["gitops_guard_runs_total", "synced"] >= 2
    assert process.returncode in (1, 130), (out, err)
    assert took_s < 5
    assert "bad.yaml" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("--listen", "127.0.0.1:0"), "only with --interval", id="listen without interval"),
        pytest.param(("--interval", "0s"), "give a time", id="no time"),
        pytest.param(("--interval", "1s", "--listen", "nonsense"), "is no ADDRESS:PORT", id="no port"),
        pytest.param(("--interval", "1s", "--listen", "127.0.0.1:99999"), "is no ADDRESS:PORT", id="port too high"),
        pytest.param(("--interval", "1s", "--listen", "203.0.113.1:80"), "choose another address", id="not ours"),
    ],
)
def test_sync_when_it_cannot_stay_then_exit_code_is_2(
    repo: Callable[..., Any], arguments: tuple[str, ...], message: str
) -> None:
    outcome = repo().run("sync", *arguments)

    assert (2, "") == (outcome.code, outcome.out)
    assert message in outcome.err


@pytest.fixture
def two_contexts(watched: Watched, tmp_path: Path) -> Path:
    """Return a kubeconfig with the real server twice, as `east` and `west`, and one that nobody answers for."""
    found = yaml.safe_load(watched.kubeconfig.read_text())
    cluster, user = found["clusters"][0], found["users"][0]
    dead = {"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}}
    found["clusters"].append(dead)
    found["contexts"] = [
        {"name": name, "context": {"cluster": place, "user": user["name"], "namespace": watched.namespace}}
        for name, place in (("east", cluster["name"]), ("west", cluster["name"]), ("gone", "dead"))
    ]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(found))
    return path


def test_sync_when_one_of_several_clusters_is_away_then_the_others_are_synced(
    watched: Watched, two_contexts: Path
) -> None:
    watched.repo.commit({"one.yaml": config_map("one")})
    contexts = ("--context", "west", "--context", "gone", "--context", "nowhere")
    flags = ("--kubeconfig", str(two_contexts), "--metrics-file", str(watched.metrics_file))

    outcome = watched.repo.run("sync", *contexts, *flags, "--format", "json")
    report = json.loads(outcome.out)
    text = watched.repo.run("drift", "--context", "east", "--context", "gone", "--kubeconfig", str(two_contexts))
    both = ("--context", "east", "--context", "west", "--kubeconfig", str(two_contexts))
    markdown = watched.repo.run("drift", *both, "--format", "markdown")

    registry = Registry().with_resources(
        (name, Resource.from_contents(json.loads(files("gitops_guard.report.sync").joinpath(name).read_text("utf-8"))))
        for name in ("sync.schema.json", "sync-clusters.schema.json")
    )
    jsonschema.Draft202012Validator(registry.contents("sync-clusters.schema.json"), registry=registry).validate(report)
    assert 2 == outcome.code
    assert ["west", "gone", "nowhere"] == [one["context"] for one in report["clusters"]]
    assert ["synced", None, None] == [one["report"] and one["report"]["verdict"] for one in report["clusters"]]
    assert "127.0.0.1" in report["clusters"][1]["error"] or "reached" in report["clusters"][1]["error"]
    assert "no context" in report["clusters"][2]["error"]
    assert text.out.startswith("== east\n")
    assert text.out.endswith("2 clusters: 1 error, 1 synced\n")
    assert (0, True) == (markdown.code, "## west" in markdown.out)
    assert {"west", "gone", "nowhere"} == {
        sample.labels["cluster"]
        for family in text_string_to_metric_families(watched.metrics_file.read_text())
        for sample in family.samples
    }
