"""The policies for the Pod Security Standards together say what the API server's own admission of Pods says.

Every Pod that occurs in an example of any policy is asked about: what the standards leave alone must stay unflagged as well.
"""

import pytest

BASELINE = [
    "custom-selinux-options",
    "dangerous-capability",
    "host-ipc",
    "host-network",
    "host-path-volume",
    "host-pid",
    "host-port",
    "privileged-container",
    "probe-to-other-host",
    "unconfined-apparmor-profile",
    "unconfined-seccomp-profile",
    "unmasked-proc-mount",
    "unsafe-sysctl",
    "windows-host-process",
]
RESTRICTED = [
    *BASELINE,
    "extra-capability",
    "missing-run-as-non-root",
    "missing-seccomp-profile",
    "privilege-escalation",
    "run-as-root",
    "undropped-capabilities",
    "unrestricted-volume-type",
]
TEMPLATES = {"CronJob": ("spec", "jobTemplate", "spec", "template"), "Pod": ()}
WITHOUT_PODS = {"ConfigMap", "HorizontalPodAutoscaler", "Ingress", "Namespace", "NetworkPolicy", "PersistentVolumeClaim"}
WITHOUT_PODS |= {"PodDisruptionBudget", "Service", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}


def pod_in(body):
    """Return the Pod that a workload makes."""
    inner = body
    for name in TEMPLATES.get(body["kind"], ("spec", "template")):
        inner = inner[name]
    annotations = inner.get("metadata", {}).get("annotations", {})
    metadata = {"name": "web", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": inner["spec"]}


@pytest.fixture(scope="module")
def pods(policies):
    """All Pods of all examples, each once; but for `hostUsers: false`, where the standards relax and the policies do not."""
    bodies = (example.body for policy in policies for example in policy.examples())
    found = [pod_in(body) for body in bodies if body["kind"] not in WITHOUT_PODS]
    return list({repr(pod): pod for pod in found if pod["spec"].get("hostUsers") is not False}.values())


def test_standards_when_named_then_the_policies_exist(policies):
    assert set() == set(RESTRICTED) - {policy.id for policy in policies}


@pytest.mark.timeout(300)
@pytest.mark.controlplane
@pytest.mark.parametrize(
    ("level", "names"),
    [pytest.param("baseline", BASELINE, id="baseline"), pytest.param("restricted", RESTRICTED, id="restricted")],
)
def test_pod_when_a_standard_is_enforced_then_the_server_denies_what_the_policies_flag(
    level, names, pods, policies, control_plane
):
    api = control_plane.api()
    space = f"standard-{level}"
    control_plane.create_namespace(space)
    account = {"metadata": {"name": "web"}}
    api.expect("POST", f"/api/v1/namespaces/{space}/serviceaccounts", account)
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}
    merge = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", f"/api/v1/namespaces/{space}", labels, headers=merge)
    judges = [policy for policy in policies if policy.id in names]
    denied = 0
    for pod in pods:
        answer = api.request("POST", f"/api/v1/namespaces/{space}/pods", pod, query={"dryRun": "All"})
        said = answer.message if answer.status == 403 else ""
        assert answer.status in (201, 403), answer.message
        assert not said or "violates PodSecurity" in said
        flagged = {judge.id for judge in judges if judge.judge(pod)}
        assert (bool(said), pod["spec"]) == (bool(flagged), pod["spec"]), (said, flagged)
        denied += bool(said)
    assert 0 < denied < len(pods)
