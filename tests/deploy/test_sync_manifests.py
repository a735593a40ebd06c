"""What lies under deploy/sync: it passes our own check, means what its documentation says, and its rights are the ones that are used."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from controlplane import binaries, tools
from controlplane.server import ADMIN, ControlPlane

from gitops_guard import __version__
from gitops_guard.commands.parser import make_parser

ROOT = Path(__file__).parents[2]
SYNC = ROOT / "deploy" / "sync"
OVERLAYS = ("namespaced", "cluster", "interval")
CHART_VALUES = (
    [],
    ["sync.mode=interval", "rbac.scope=namespace", "source.allowedSigners=signers"],
    ["rbac.scope=none", "networkPolicy=false", "source.secret=", "image.digest=sha256:" + "a" * 64],
    ["source.path=apps", "source.cluster=east", "sync.rollbackOnFailure=true", "sync.arguments={--max-prune=9}"],
)


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def built(folder: Path) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl") or str(Path(__import__("sys").executable).with_name("kubectl"))
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def pods(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in objects:
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        elif one["kind"] == "Deployment":
            yield one["spec"]["template"]["spec"]


@pytest.fixture(scope="session")
def helm() -> Path:
    return binaries.obtain(tools.HELM)


@pytest.fixture(scope="module")
def overlays() -> dict[str, list[dict[str, Any]]]:
    return {name: built(SYNC / name) for name in OVERLAYS}


def test_check_of_what_we_hand_out_then_it_finds_nothing(repo: Callable[..., Any]) -> None:
    sandbox = repo()
    shutil.copytree(SYNC, sandbox.root / "sync", ignore=shutil.ignore_patterns("chart"))

    outcome = sandbox.run("check", "--format", "json")

    report = json.loads(outcome.out)
    assert (0, [], []) == (outcome.code, report["findings"], report["errors"])
    assert report["coverage"]["rendered"] > 0


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_when_built_then_its_pod_holds_to_the_restricted_profile(
    overlays: dict[str, list[dict[str, Any]]], name: str
) -> None:
    (pod,) = pods(overlays[name])
    (container,) = pod["containers"]

    assert {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}} == (
        container["securityContext"]
    )
    assert (True, 65532) == (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"])
    assert {"requests", "limits"} == set(container["resources"])
    assert [] == [one for one in pod["volumes"] if "hostPath" in one]


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_when_its_pod_starts_then_our_parser_takes_the_arguments(
    overlays: dict[str, list[dict[str, Any]]], name: str
) -> None:
    (pod,) = pods(overlays[name])
    (container,) = pod["containers"]

    parsed = make_parser().parse_args(container["args"])

    assert f"gitops-guard:{__version__}" == container["image"]
    written = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
    assert {"/var/lib/gitops-guard", "/tmp"} == written  # noqa: S108 (in the container)
    assert str(parsed.git_cache).startswith("/var/lib/gitops-guard/")
    mounted = {one["mountPath"] for one in container["volumeMounts"]}
    assert parsed.git_auth in mounted


def test_cron_job_then_no_run_meets_another_and_none_stays_forever(overlays: dict[str, list[dict[str, Any]]]) -> None:
    (job,) = [one["spec"] for one in overlays["namespaced"] if one["kind"] == "CronJob"]

    assert ("Forbid", 0) == (job["concurrencyPolicy"], job["jobTemplate"]["spec"]["backoffLimit"])
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"]


def test_rights_then_nothing_is_wild_and_nobody_can_be_given_more(overlays: dict[str, list[dict[str, Any]]]) -> None:
    roles = [one for found in overlays.values() for one in found if one["kind"] in ("Role", "ClusterRole")]
    granted = {word for role in roles for rule in role["rules"] for part in rule.values() for word in part}

    assert roles
    assert not granted & {"*", "escalate", "bind", "impersonate", "deletecollection", "update"}


def test_versions_then_they_are_the_products() -> None:
    chart = yaml.safe_load((SYNC / "chart" / "Chart.yaml").read_text())

    assert (__version__, __version__) == (chart["version"], chart["appVersion"])
    assert f"gitops-guard:{__version__} ." in (SYNC / "Containerfile").read_text()


def test_image_then_it_runs_without_root_from_pinned_bases() -> None:
    lines = [line for line in (SYNC / "Containerfile").read_text().replace("\\\n", " ").splitlines() if line[:1] != "#"]
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    stages = {line.split(" AS ")[1] for line in lines if " AS " in line}

    assert all(base in stages or re.search(r":\d+\.\d+[\w.-]*$", base) for base in bases), bases
    assert "run" == bases[-1]
    assert "USER 65532:65532" in lines
    assert 'ENTRYPOINT ["gitops-guard"]' in lines
    assert not [line for line in lines if line.startswith(("ADD ", "VOLUME "))]


def templated(helm: Path, values: list[str], folder: Path) -> str:
    flags = [part for value in values for part in ("--set", value)]
    done = subprocess.run(
        [str(helm), "template", "sync", str(SYNC / "chart"), "--namespace", "gitops", "--kube-version", "1.36.3", *flags],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("values", CHART_VALUES, ids=[" ".join(one)[:40] or "defaults" for one in CHART_VALUES])
def test_chart_when_rendered_then_our_check_finds_nothing_and_our_parser_takes_it(
    helm: Path, repo: Callable[..., Any], tmp_path: Path, values: list[str]
) -> None:
    text = templated(helm, values, tmp_path)
    signers = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: signers, namespace: gitops}\n"
    outcome = repo({"all.yaml": f"{text}\n---\n{signers}"}).run("check", "--format", "json")
    report = json.loads(outcome.out)
    (pod,) = pods(documents(text))

    parsed = make_parser().parse_args(pod["containers"][0]["args"])

    assert (0, [], []) == (outcome.code, report["findings"], report["errors"])
    assert ("sync.mode=interval" in values) == (parsed.interval is not None)
    assert ("sync.arguments={--max-prune=9}" in values) == (parsed.max_prune == 9)


@pytest.mark.parametrize(
    "value", ["source.url=https://user:secret@host/path", "source.url=/etc", "sync.mode=both", "rbac.scope=all", "x=1"]
)
def test_chart_when_a_value_is_wrong_then_helm_says_so(helm: Path, tmp_path: Path, value: str) -> None:
    with pytest.raises(AssertionError, match="values don't meet the specifications|Additional property"):
        templated(helm, [value], tmp_path)


EACH_KIND = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: gitops-guard}
data: {a: "1"}
---
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: gitops-guard}
stringData: {a: "1"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: one, namespace: gitops-guard}
---
apiVersion: v1
kind: Service
metadata: {name: one, namespace: gitops-guard}
spec: {selector: {app: one}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: one, namespace: gitops-guard}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: one, namespace: gitops-guard}
spec: &pods
  selector: &labels {matchLabels: {app: one}}
  template: &template
    metadata: {labels: {app: one}}
    spec: {containers: [{name: one, image: "one:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: one, namespace: gitops-guard}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: one, image: "one:1"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: one, namespace: gitops-guard}
spec:
  serviceName: one
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: one, image: "one:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: one, namespace: gitops-guard}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: one, image: "one:1"}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: one, namespace: gitops-guard}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: one, image: "one:1"}]}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: one, namespace: gitops-guard}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: one}
  maxReplicas: 2
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: one, namespace: gitops-guard}
spec: {defaultBackend: {service: {name: one, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: one, namespace: gitops-guard}
spec: {podSelector: {}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: one, namespace: gitops-guard}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: one}}}
"""
"""An object of each kind that the Role names."""

CLUSTER_WIDE = """
---
apiVersion: v1
kind: LimitRange
metadata: {name: one, namespace: gitops-guard-other}
spec: {limits: [{type: Pod, max: {cpu: "1"}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: one, namespace: gitops-guard-other}
spec: {hard: {pods: "9"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one, namespace: gitops-guard-other}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one, namespace: gitops-guard-other}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one}
subjects: [{kind: ServiceAccount, name: one, namespace: gitops-guard}]
"""
NOT_NEEDED_HERE = {
    # A namespace is gone when its controller has emptied it; a definition takes the server half a minute.
    ("namespaces", "delete"),
    ("customresourcedefinitions", "delete"),
    # Only while pods are there, for why they do not become ready: see tests/sync/test_with_controllers.py.
    ("pods", "list"),
    ("replicasets", "list"),
    # Only while one of them is not well, which without controllers they never are or always.
    *((kind, "watch") for kind in ("persistentvolumeclaims", "services", "namespaces", "customresourcedefinitions")),
    *((kind, "watch") for kind in ("ingresses", "horizontalpodautoscalers", "poddisruptionbudgets")),
}
ACCOUNT = "system:serviceaccount:gitops-guard:gitops-guard-sync"


class Installed:
    """An overlay on a server of its own, and its service account."""

    def __init__(self, plane: ControlPlane, objects: list[dict[str, Any]], folder: Path) -> None:
        self.plane = plane
        self.api = plane.api(ADMIN)
        self.objects = objects
        self._apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gitops-guard"}})
        for one in sorted(objects, key=lambda body: body["kind"] != "Namespace"):
            self._apply(one)
        path = "/api/v1/namespaces/gitops-guard/serviceaccounts/gitops-guard-sync/token"
        token = self.api.expect("POST", path, {"spec": {}})["status"]["token"]
        found = yaml.safe_load(plane.kubeconfig(ADMIN).read_text())
        found["users"][0]["user"] = {"token": token}
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(found))

    def _apply(self, body: dict[str, Any]) -> None:
        plural = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}.get(
            body["kind"], body["kind"].lower() + "s"
        )
        group = body["apiVersion"]
        base = f"/apis/{group}" if "/" in group else f"/api/{group}"
        namespace = body["metadata"].get("namespace")
        where = f"{base}/namespaces/{namespace}/{plural}" if namespace else f"{base}/{plural}"
        self.api.expect(
            "PATCH",
            f"{where}/{body['metadata']['name']}",
            body,
            query={"fieldManager": "install", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
        )

    def granted(self) -> set[tuple[str, str]]:
        """Return every resource and verb of the roles."""
        rules = [rule for one in self.objects if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]
        return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}

    def asked(self) -> dict[tuple[str, str], set[int]]:
        """Return every resource and verb that the account asked for, with the answers."""
        found: dict[tuple[str, str], set[int]] = {}
        for event in self.plane.audit_events():
            target = event.get("objectRef") or {}
            is_ours = event["user"]["username"] == ACCOUNT and event["stage"].startswith("Response")
            # everybody may ask what he may
            if is_ours and target and target.get("apiGroup") != "authorization.k8s.io":
                found.setdefault((target["resource"], event["verb"]), set()).add(event["responseStatus"]["code"])
        # The server wants `create` for a patch that creates, and notes a patch.
        created = {
            (resource, "create"): codes for (resource, verb), codes in found.items() if verb == "patch" and 201 in codes
        }
        return {**created, **found}


@pytest.mark.parametrize(
    ("overlay", "manifests"),
    [
        pytest.param("namespaced", EACH_KIND, id="namespace"),
        pytest.param("cluster", EACH_KIND + CLUSTER_WIDE, id="cluster"),
    ],
)
def test_rights_when_a_sync_does_all_it_can_then_none_is_missing_and_none_is_left_over(
    start_control_plane: Callable[..., ControlPlane],
    overlays: dict[str, list[dict[str, Any]]],
    repo: Callable[..., Any],
    tmp_path: Path,
    overlay: str,
    manifests: str,
) -> None:
    installed = Installed(start_control_plane(), overlays[overlay], tmp_path)
    (pod,) = pods(installed.objects)
    sandbox = repo()
    own = {"--source": str(sandbox.root), "--git-auth": str(tmp_path), "--git-cache": str(tmp_path / "cache"),
           "--timeout": "1s", "--revision": "main"}  # fmt: skip
    arguments = [
        f"{name}={own[name]}" if name in own else argument
        for argument in pod["containers"][0]["args"]
        for name in [argument.partition("=")[0]]
    ]
    kinds = ("--prune-kind", "PersistentVolumeClaim")
    guards = ("--max-prune", "99", "--max-prune-percent", "100", "--kubeconfig", str(installed.kubeconfig), *kinds)

    kept = KEPT if overlay == "namespaced" else f"{KEPT}---\n{KEPT_TOO}"
    sandbox.commit({"all.yaml": manifests, ".gitops-guard.yaml": "policies: []\n", "kept.yaml": kept})
    first = sandbox.run(*arguments, *guards, "--format", "json")
    again = re.sub(r"metadata: \{name: ([\w.-]+)", r"metadata: {annotations: {a: b}, name: \1", manifests)
    sandbox.commit({"all.yaml": again})
    installed.api.expect(
        "PATCH", "/api/v1/namespaces/gitops-guard/configmaps/kept", {"data": {"a": "2"}},
        query={"fieldManager": "kubectl-edit"}, headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    second = sandbox.run(*arguments, *guards, "--format", "json", "--verify")
    for _ in range(2):  # the same said again
        sandbox.run(*arguments, *guards)
    sandbox.git("rm", "-q", "all.yaml")
    sandbox.commit({"README.md": "gone\n"})
    stopped = sandbox.run(*arguments, *guards, "--format", "json")
    approval = ("--approve-prune", json.loads(stopped.out)["guards"][0]["message"].rpartition(" ")[2])
    last = sandbox.run(*arguments, *guards, *approval, "--format", "json")

    asked = installed.asked()
    report = json.loads(first.out)
    created = {one["action"] for one in report["changes"]}
    assert ({"created"}, "unhealthy") == (created, report["verdict"]), first.out + first.err
    assert [] == [note for note in report["notes"] if "may not" in note or "Events" in note]
    assert {"configured"} == {one["action"] for one in json.loads(second.out)["changes"]}, second.out + second.err
    assert {"deleted"} == {one["action"] for one in json.loads(last.out)["changes"]}, last.out + last.err
    assert {} == {what: codes for what, codes in asked.items() if 403 in codes}
    assert set() == installed.granted() - set(asked) - NOT_NEEDED_HERE


KEPT_TOO = """
apiVersion: v1
kind: Namespace
metadata: {name: gitops-guard-other}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ones.deploy.gitops-guard.test}
spec:
  group: deploy.gitops-guard.test
  names: {kind: One, plural: ones}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
KEPT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: gitops-guard}\ndata: {a: '1'}\n"


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_when_a_real_server_is_asked_then_it_takes_every_object_and_pod(
    control_plane: ControlPlane, overlays: dict[str, list[dict[str, Any]]], namespace: str, name: str
) -> None:
    api = control_plane.api(ADMIN)
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", f"/api/v1/namespaces/{namespace}", labels, headers=headers)
    (pod,) = pods(overlays[name])
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": pod["serviceAccountName"]}}
    api.expect("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sync"}, "spec": pod}

    answer = api.expect(
        "POST", f"/api/v1/namespaces/{namespace}/pods", body, query={"fieldValidation": "Strict", "dryRun": "All"}
    )

    assert pod["containers"][0]["args"] == answer["spec"]["containers"][0]["args"]
