"""Tests of the policies that are on. Written by tools/plain_policies.py.

Each takes what `prepare` made of a body, as the API server hands it to a policy, and returns True when the policy
certainly passes. Whatever else it returns or raises means "not sure".
"""

import re

from gitops_guard.policy.plain_values import (
    among,
    either,
    get,
    has,
    items,
    matches,
    number,
    plus,
    repeats,
    same,
    select,
    size,
    text,
    written,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_PATTERN_0 = re.compile(
    "(?i)(password|passwd|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)\\Z", re.ASCII
)
_PATTERN_1 = re.compile(":[A-Za-z0-9_][A-Za-z0-9_.-]*\\Z", re.ASCII)
_PATTERN_2 = re.compile("(^|/)(docker|containerd|crio|cri-dockerd|dockershim|podman)[.]sock/*\\Z", re.ASCII)
_PATTERN_3 = re.compile("^/*(boot|dev|etc|lib|proc|root|run|sys|usr|var|var/lib|var/run)?/*\\Z", re.ASCII)
_PATTERN_4 = re.compile("^/+(etc/kubernetes|root|var/lib/etcd|var/lib/kubelet)(/|\\Z)", re.ASCII)


class Given:
    """A body, and what policies look at in it."""

    __slots__ = (
        "containers",
        "containers_2",
        "containers_3",
        "isWindows",
        "object",
        "podMetadata",
        "podSpec",
        "workload",
    )
    containers: "Any"
    containers_2: "Any"
    containers_3: "Any"
    isWindows: "Any"
    object: "Any"
    podMetadata: "Any"
    podSpec: "Any"
    workload: "Any"


def prepare(body: "Any") -> Given:
    """Look at a decoded body."""
    given = Given()
    given.object = body
    given.podSpec = either(
        (
            get(given.object, "spec")
            if same(select(given.object, "kind"), "Pod")
            else (
                get(given.object, "spec", "jobTemplate", "spec", "template", "spec")
                if same(select(given.object, "kind"), "CronJob")
                else get(given.object, "spec", "template", "spec")
            )
        ),
        {},
    )
    given.podMetadata = either(
        (
            get(given.object, "metadata")
            if same(select(given.object, "kind"), "Pod")
            else (
                get(given.object, "spec", "jobTemplate", "spec", "template", "metadata")
                if same(select(given.object, "kind"), "CronJob")
                else get(given.object, "spec", "template", "metadata")
            )
        ),
        {},
    )
    given.containers = plus(
        plus(either(get(given.podSpec, "containers"), []), either(get(given.podSpec, "initContainers"), [])),
        either(get(given.podSpec, "ephemeralContainers"), []),
    )
    given.containers_2 = plus(
        either(get(given.podSpec, "containers"), []), either(get(given.podSpec, "initContainers"), [])
    )
    given.workload = given.object
    given.containers_3 = either(get(given.podSpec, "containers"), [])
    given.isWindows = same(either(get(given.podSpec, "os", "name"), ""), "windows")
    return given


def duplicate_env_name(given: "Any") -> bool:
    flagged = [c_ for c_ in items(given.containers) if repeats(either(get(c_, "env"), []), "name")]
    return not flagged and items(given.containers) is not None


def literal_secret_env(given: "Any") -> bool:
    pattern = "(?i)(password|passwd|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)$"
    flagged = [
        c_
        for c_ in items(given.containers)
        if any(
            (
                matches(_PATTERN_0, select(e_, "name"))
                and (not same(either(get(e_, "value"), ""), ""))
                and (not text(select(e_, "value")).startswith(text("$(")))
            )
            for e_ in items(either(get(c_, "env"), []))
        )
    ]
    return not flagged and items(given.containers) is not None


def latest_image_tag(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            (not (text("@") in text(either(get(c_, "image"), ""))))
            and (
                (not matches(_PATTERN_1, either(get(c_, "image"), "")))
                or text(either(get(c_, "image"), "")).endswith(text(":latest"))
            )
        )
    ]
    return not flagged and items(given.containers) is not None


def blocking_disruption_budget(given: "Any") -> bool:
    return (not among(written(either(get(given.object, "spec", "maxUnavailable"), 1)), ["0", "0%"])) and (
        not same(written(either(get(given.object, "spec", "minAvailable"), 0)), "100%")
    )


def missing_pod_anti_affinity(given: "Any") -> bool:
    isApart = (
        plus(
            size(
                either(
                    get(given.podSpec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"),
                    [],
                )
            ),
            size(
                either(
                    get(
                        given.podSpec, "affinity", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution"
                    ),
                    [],
                )
            ),
        )
        > 0
    )
    isSpread = size(either(get(given.podSpec, "topologySpreadConstraints"), [])) > 0
    return (number(either(get(given.object, "spec", "replicas"), 1)) < 2) or isApart or isSpread


def missing_readiness_probe(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_3)
        if ((size(either(get(c_, "ports"), [])) > 0) and (not has(c_, "readinessProbe")))
    ]
    return not flagged and items(given.containers_3) is not None


def missing_topology_spread(given: "Any") -> bool:
    return (number(either(get(given.object, "spec", "replicas"), 1)) < 2) or (
        size(either(get(given.podSpec, "topologySpreadConstraints"), [])) > 0
    )


def single_replica(given: "Any") -> bool:
    return not same(either(get(given.object, "spec", "replicas"), 1), 1)


def single_replica_autoscaler(given: "Any") -> bool:
    return number(either(get(given.object, "spec", "minReplicas"), 1)) > 1


def memory_in_milli_units(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if any(
            (
                among(k_, either(get(c_, "resources"), {}))
                and text(written(either(get(select(select(c_, "resources"), text(k_)), "memory"), ""))).endswith(
                    text("m")
                )
            )
            for k_ in ["requests", "limits"]
        )
    ]
    return not flagged and items(given.containers_2) is not None


def missing_cpu_request(given: "Any") -> bool:
    isSetForPod = among("cpu", either(get(given.podSpec, "resources", "requests"), {})) or among(
        "cpu", either(get(given.podSpec, "resources", "limits"), {})
    )
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            (not isSetForPod)
            and (
                not (
                    has(c_, "resources")
                    and has(select(c_, "resources"), "requests")
                    and among("cpu", select(select(c_, "resources"), "requests"))
                )
            )
            and (
                not (
                    has(c_, "resources")
                    and has(select(c_, "resources"), "limits")
                    and among("cpu", select(select(c_, "resources"), "limits"))
                )
            )
        )
    ]
    return not flagged and items(given.containers_2) is not None


def missing_memory_limit(given: "Any") -> bool:
    isSetForPod = among("memory", either(get(given.podSpec, "resources", "limits"), {}))
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            (not isSetForPod)
            and (
                not (
                    has(c_, "resources")
                    and has(select(c_, "resources"), "limits")
                    and among("memory", select(select(c_, "resources"), "limits"))
                )
            )
        )
    ]
    return not flagged and items(given.containers_2) is not None


def missing_memory_request(given: "Any") -> bool:
    isSetForPod = among("memory", either(get(given.podSpec, "resources", "requests"), {})) or among(
        "memory", either(get(given.podSpec, "resources", "limits"), {})
    )
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            (not isSetForPod)
            and (
                not (
                    has(c_, "resources")
                    and has(select(c_, "resources"), "requests")
                    and among("memory", select(select(c_, "resources"), "requests"))
                )
            )
            and (
                not (
                    has(c_, "resources")
                    and has(select(c_, "resources"), "limits")
                    and among("memory", select(select(c_, "resources"), "limits"))
                )
            )
        )
    ]
    return not flagged and items(given.containers_2) is not None


def container_runtime_socket(given: "Any") -> bool:
    flagged = [
        v_
        for v_ in items(either(get(given.podSpec, "volumes"), []))
        if (has(v_, "hostPath") and matches(_PATTERN_2, select(select(v_, "hostPath"), "path")))
    ]
    return not flagged and items(either(get(given.podSpec, "volumes"), [])) is not None


def dangerous_capability(given: "Any") -> bool:
    allowed = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
    flagged = [
        c_
        for c_ in items(given.containers)
        if any((not among(x_, allowed)) for x_ in items(either(get(c_, "securityContext", "capabilities", "add"), [])))
    ]
    return not flagged and items(given.containers) is not None


def host_ipc(given: "Any") -> bool:
    return not same(either(get(given.podSpec, "hostIPC"), False), True)


def host_network(given: "Any") -> bool:
    return not same(either(get(given.podSpec, "hostNetwork"), False), True)


def host_pid(given: "Any") -> bool:
    return not same(either(get(given.podSpec, "hostPID"), False), True)


def net_raw_capability(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (
                (
                    not any(
                        among(x_, ["NET_RAW", "ALL"])
                        for x_ in items(either(get(c_, "securityContext", "capabilities", "drop"), []))
                    )
                )
                or any(
                    among(x_, ["NET_RAW", "ALL"])
                    for x_ in items(either(get(c_, "securityContext", "capabilities", "add"), []))
                )
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def privilege_escalation(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (not same(either(get(c_, "securityContext", "allowPrivilegeEscalation"), True), False))
        ]
    )
    return not flagged and items(given.containers) is not None


def privileged_container(given: "Any") -> bool:
    flagged = [
        c_ for c_ in items(given.containers) if same(either(get(c_, "securityContext", "privileged"), False), True)
    ]
    return not flagged and items(given.containers) is not None


def run_as_root(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (
                same(
                    either(
                        either(
                            get(c_, "securityContext", "runAsUser"), get(given.podSpec, "securityContext", "runAsUser")
                        ),
                        -1,
                    ),
                    0,
                )
                or (
                    (
                        number(
                            either(
                                either(
                                    get(c_, "securityContext", "runAsUser"),
                                    get(given.podSpec, "securityContext", "runAsUser"),
                                ),
                                -1,
                            )
                        )
                        < 0
                    )
                    and (
                        not same(
                            either(
                                either(
                                    get(c_, "securityContext", "runAsNonRoot"),
                                    get(given.podSpec, "securityContext", "runAsNonRoot"),
                                ),
                                False,
                            ),
                            True,
                        )
                    )
                )
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def sensitive_host_path(given: "Any") -> bool:
    flagged = [
        v_
        for v_ in items(either(get(given.podSpec, "volumes"), []))
        if (
            has(v_, "hostPath")
            and (
                matches(_PATTERN_3, select(select(v_, "hostPath"), "path"))
                or matches(_PATTERN_4, select(select(v_, "hostPath"), "path"))
            )
        )
    ]
    return not flagged and items(either(get(given.podSpec, "volumes"), [])) is not None


def writable_root_filesystem(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers_2)
            if (not same(either(get(c_, "securityContext", "readOnlyRootFilesystem"), False), True))
        ]
    )
    return not flagged and items(given.containers_2) is not None


TESTS = {
    "duplicate-env-name": duplicate_env_name,
    "literal-secret-env": literal_secret_env,
    "latest-image-tag": latest_image_tag,
    "blocking-disruption-budget": blocking_disruption_budget,
    "missing-pod-anti-affinity": missing_pod_anti_affinity,
    "missing-readiness-probe": missing_readiness_probe,
    "missing-topology-spread": missing_topology_spread,
    "single-replica": single_replica,
    "single-replica-autoscaler": single_replica_autoscaler,
    "memory-in-milli-units": memory_in_milli_units,
    "missing-cpu-request": missing_cpu_request,
    "missing-memory-limit": missing_memory_limit,
    "missing-memory-request": missing_memory_request,
    "container-runtime-socket": container_runtime_socket,
    "dangerous-capability": dangerous_capability,
    "host-ipc": host_ipc,
    "host-network": host_network,
    "host-pid": host_pid,
    "net-raw-capability": net_raw_capability,
    "privilege-escalation": privilege_escalation,
    "privileged-container": privileged_container,
    "run-as-root": run_as_root,
    "sensitive-host-path": sensitive_host_path,
    "writable-root-filesystem": writable_root_filesystem,
}
"""By policy; one that is missing is never sure."""


KINDS: "dict[tuple[str, str], tuple[str, ...]]" = {
    ("apps/v1", "DaemonSet"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-readiness-probe",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("apps/v1", "Deployment"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-pod-anti-affinity",
        "missing-readiness-probe",
        "missing-topology-spread",
        "single-replica",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("apps/v1", "ReplicaSet"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-readiness-probe",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("apps/v1", "StatefulSet"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-pod-anti-affinity",
        "missing-readiness-probe",
        "missing-topology-spread",
        "single-replica",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): ("single-replica-autoscaler",),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): ("single-replica-autoscaler",),
    ("batch/v1", "CronJob"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("batch/v1", "Job"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("policy/v1", "PodDisruptionBudget"): ("blocking-disruption-budget",),
    ("v1", "Pod"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-readiness-probe",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
    ("v1", "ReplicationController"): (
        "duplicate-env-name",
        "literal-secret-env",
        "latest-image-tag",
        "missing-readiness-probe",
        "memory-in-milli-units",
        "missing-cpu-request",
        "missing-memory-limit",
        "missing-memory-request",
        "container-runtime-socket",
        "dangerous-capability",
        "host-ipc",
        "host-network",
        "host-pid",
        "net-raw-capability",
        "privilege-escalation",
        "privileged-container",
        "run-as-root",
        "sensitive-host-path",
        "writable-root-filesystem",
    ),
}
"""What looks at a version and kind."""
