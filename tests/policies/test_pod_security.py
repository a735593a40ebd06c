"""The policies for the Pod Security Standards together say what the API server's own admission of Pods says.

Every Pod that occurs in an example of any policy is asked about, and Pods made at random: what the standards leave alone must stay
unflagged as well.
"""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

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
WITHOUT_PODS = {
    "ConfigMap",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolumeClaim",
}
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


def context(**more):
    """Return security contexts, of which each field is there or not."""
    profiles = [{"type": "RuntimeDefault"}, {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "web"}]
    selinux = [{"type": "container_t"}, {"type": "spc_t"}, {"level": "s0"}, {"user": "u"}, {"role": "r"}, {}]
    fields = {
        "runAsNonRoot": st.booleans(),
        "runAsUser": st.sampled_from([0, 1000]),
        "seccompProfile": st.sampled_from(profiles),
        "appArmorProfile": st.sampled_from(profiles),
        "seLinuxOptions": st.sampled_from(selinux),
        **more,
    }
    return st.fixed_dictionaries({}, optional=fields)


CAPABILITIES = [
    {"drop": ["ALL"]},
    {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    {"drop": ["NET_RAW"]},
    {"add": ["CHOWN"]},
    {"add": ["SYS_ADMIN"]},
]
TIGHT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINERS = st.fixed_dictionaries(
    {"image": st.just("registry.example/web:1")},
    optional={
        "securityContext": st.just(TIGHT)
        | context(
            privileged=st.booleans(),
            allowPrivilegeEscalation=st.booleans(),
            capabilities=st.sampled_from(CAPABILITIES),
        ).map(lambda loose: TIGHT | loose),
        "ports": st.sampled_from([[{"containerPort": 80}], [{"containerPort": 80, "hostPort": 80}]]),
        "livenessProbe": st.sampled_from([{"tcpSocket": {"port": 1}}, {"tcpSocket": {"port": 1, "host": "h"}}]),
        "lifecycle": st.sampled_from([{"preStop": {"httpGet": {"port": 1, "host": "h"}}}, {}]),
    },
)
VOLUMES = [{"hostPath": {"path": "/a"}}, {"nfs": {"server": "a", "path": "/"}}, {"emptyDir": {}}, {}]
SYSCTLS = ["kernel.msgmax", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies"]
SPECS = st.fixed_dictionaries(
    {"containers": st.lists(CONTAINERS, min_size=1, max_size=2)},
    optional={
        "securityContext": context(sysctls=st.sampled_from(SYSCTLS).map(lambda name: [{"name": name, "value": "1"}])),
        "hostNetwork": st.booleans(),
        "hostPID": st.booleans(),
        "os": st.sampled_from([{"name": "linux"}, {"name": "windows"}]),
        "volumes": st.sampled_from(VOLUMES).map(lambda volume: [{"name": "v", **volume}]),
    },
)


def pod_of(spec):
    """Name what has to have a name."""
    containers = [{"name": f"web-{number}", **one} for number, one in enumerate(spec["containers"])]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {**spec, "containers": containers}}


class Standard:
    """A namespace in which the API server enforces a standard, and the policies that stand for it."""

    def __init__(self, level, api, judges):
        self._level, self._api, self._judges = level, api, judges

    def path(self, plural):
        return f"/api/v1/namespaces/{self._level}/{plural}"

    def agree(self, pod):
        """Compare the verdicts and return whether the Pod is denied; None where the server refuses it as invalid."""
        answer = self._api.request("POST", self.path("pods"), pod, query={"dryRun": "All"})
        if answer.status == 422:
            return None
        is_denied = answer.status == 403 and f'violates PodSecurity "{self._level}' in answer.message
        assert is_denied or answer.status == 201, answer.message
        flagged = [judge.id for judge in self._judges if judge.judge(pod)]
        assert is_denied == bool(flagged), (answer.message, flagged, pod["spec"])
        return is_denied


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("baseline", BASELINE), id="baseline"),
        pytest.param(("restricted", RESTRICTED), id="restricted"),
    ],
)
def standard(request, control_plane, policies):
    level, names = request.param
    api = control_plane.api()
    control_plane.create_namespace(level)
    standard = Standard(level, api, [policy for policy in policies if policy.id in names])
    api.expect("POST", standard.path("serviceaccounts"), {"metadata": {"name": "web"}})
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}
    merge = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", f"/api/v1/namespaces/{level}", labels, headers=merge)
    return standard


@pytest.mark.timeout(300)
@pytest.mark.controlplane
def test_pod_of_an_example_when_a_standard_is_enforced_then_the_server_denies_what_is_flagged(pods, standard):
    assert {True, False} == {standard.agree(pod) for pod in pods}


@pytest.mark.timeout(300)
@pytest.mark.controlplane
@settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(spec=SPECS)
def test_pod_at_random_when_a_standard_is_enforced_then_the_server_denies_what_is_flagged(standard, spec):
    assume(standard.agree(pod_of(spec)) is not None)
