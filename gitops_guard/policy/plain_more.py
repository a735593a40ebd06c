"""Tests of the policies that are off. Written by tools/plain_policies.py.

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
    same,
    select,
    size,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_PATTERN_0 = re.compile(
    "(?i)(password|passwd|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)\\Z", re.ASCII
)
_PATTERN_1 = re.compile("^(.*/)?(email|contact)\\Z", re.ASCII)
_PATTERN_2 = re.compile(
    "\\A[\\U00000000-\\U0000001f\\U00000021-\\U0000003f\\U00000041-\\U0010ffff]+@[\\U00000000-\\U0000001f\\U00000021-\\U0000003f\\U00000041-\\U0010ffff]+\\.[\\U00000000-\\U0000001f\\U00000021-\\U0000003f\\U00000041-\\U0010ffff]+\\Z",
    re.ASCII,
)
_PATTERN_3 = re.compile("^(.*/)?(owner|team)\\Z", re.ASCII)
_PATTERN_4 = re.compile("^([a-zA-Z0-9-]+[.][a-zA-Z0-9.-]+|localhost|[a-zA-Z0-9.-]+:[0-9]+)(:[0-9]+)?/", re.ASCII)
_PATTERN_5 = re.compile("@sha((?:256|512)):[\\U00000030-\\U00000039\\U00000061-\\U00000066]{64,128}\\Z", re.ASCII)
_PATTERN_6 = re.compile(":[A-Za-z0-9_][A-Za-z0-9_.-]*\\Z", re.ASCII)
_PATTERN_7 = re.compile("^nginx[.]ingress[.]kubernetes[.]io/(.*-)?snippet\\Z", re.ASCII)
_PATTERN_8 = re.compile(
    "\\A\\ *((?:@every\\ [\\U00000000-\\U00000009\\U0000000b-\\U0010ffff]*|\\*(/1)?\\ +\\*(/1)?\\ +\\*(/1)?\\ +\\*(/1)?\\ +\\*(/1)?\\ *))\\Z",
    re.ASCII,
)
_PATTERN_9 = re.compile(
    "\\A\\ *[\\U00000000-\\U0000001f\\U00000021-\\U0010ffff]+\\ +[\\U00000000-\\U0000001f\\U00000021-\\U0010ffff]+\\ +((?:30|31|30,31|30\\-31))\\ +((?:2|02|feb|FEB|Feb))\\ +[\\U0000002a\\U0000003f]\\ *\\Z",
    re.ASCII,
)
_PATTERN_10 = re.compile(
    "\\A\\ *[\\U00000000-\\U0000001f\\U00000021-\\U0010ffff]+\\ +[\\U00000000-\\U0000001f\\U00000021-\\U0010ffff]+\\ +31\\ +(((?:4|04|6|06|9|09|11|apr|APR|jun|JUN|sep|SEP|nov|NOV)),?)+\\ +[\\U0000002a\\U0000003f]\\ *\\Z",
    re.ASCII,
)


def config_map_credentials(given: "Any") -> bool:
    data = either(get(given.object, "data"), {})
    flagged = [
        k_
        for k_ in items(data)
        if (
            (not same(select(data, text(k_)), ""))
            and (matches(_PATTERN_0, k_) or (text("PRIVATE KEY-----") in text(select(data, text(k_)))))
        )
    ]
    return not flagged and items(data) is not None


def default_namespace(given: "Any") -> bool:
    return not same(either(get(select(given.object, "metadata"), "namespace"), ""), "default")


def deprecated_annotation(given: "Any") -> bool:
    deprecated = [
        "kubernetes.io/ingress.class",
        "volume.beta.kubernetes.io/storage-class",
        "volume.beta.kubernetes.io/mount-options",
        "scheduler.alpha.kubernetes.io/critical-pod",
        "service.alpha.kubernetes.io/tolerate-unready-endpoints",
        "seccomp.security.alpha.kubernetes.io/pod",
        "security.alpha.kubernetes.io/sysctls",
        "security.alpha.kubernetes.io/unsafe-sysctls",
    ]
    flagged = [
        select(l_, text(0))
        for l_ in [
            l_
            for l_ in [
                [
                    a_
                    for a_ in items(either(get(m_, "annotations"), {}))
                    if (
                        among(a_, deprecated)
                        or text(a_).startswith(text("container.seccomp.security.alpha.kubernetes.io/"))
                        or text(a_).startswith(text("service.beta.kubernetes.io/external-traffic"))
                        or text(a_).startswith(text("service.alpha.kubernetes.io/"))
                    )
                ]
                for m_ in [select(given.object, "metadata"), given.podMetadata]
            ]
            if (size(l_) > 0)
        ]
    ]
    return same(size(flagged), 0)


def mismatched_instance_label(given: "Any") -> bool:
    return same(
        either(
            get(get(select(given.object, "metadata"), "labels"), text("app.kubernetes.io/instance")),
            either(get(select(given.object, "metadata"), "name"), ""),
        ),
        either(get(select(given.object, "metadata"), "name"), ""),
    )


def missing_contact_annotation(given: "Any") -> bool:
    return any(
        (
            matches(_PATTERN_1, a_)
            and matches(_PATTERN_2, select(select(select(given.object, "metadata"), "annotations"), text(a_)))
        )
        for a_ in items(either(get(select(given.object, "metadata"), "annotations"), {}))
    )


def missing_owner_label(given: "Any") -> bool:
    return any(
        (
            matches(_PATTERN_3, l_)
            and (not same(select(select(select(given.object, "metadata"), "labels"), text(l_)), ""))
        )
        for l_ in items(either(get(select(given.object, "metadata"), "labels"), {}))
    )


def missing_recommended_labels(given: "Any") -> bool:
    flagged = [
        l_
        for l_ in ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of"]
        if (not among(l_, either(get(select(given.object, "metadata"), "labels"), {})))
    ]
    return same(size(flagged), 0)


def secret_env(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            any((get(e_, "valueFrom", "secretKeyRef") is not None) for e_ in items(either(get(c_, "env"), [])))
            or any(has(e_, "secretRef") for e_ in items(either(get(c_, "envFrom"), [])))
        )
    ]
    return not flagged and items(given.containers) is not None


def implicit_registry(given: "Any") -> bool:
    flagged = [c_ for c_ in items(given.containers) if (not matches(_PATTERN_4, either(get(c_, "image"), "")))]
    return not flagged and items(given.containers) is not None


def missing_image_digest(given: "Any") -> bool:
    flagged = [c_ for c_ in items(given.containers) if (not matches(_PATTERN_5, either(get(c_, "image"), "")))]
    return not flagged and items(given.containers) is not None


def never_pull_policy(given: "Any") -> bool:
    flagged = [c_ for c_ in items(given.containers) if same(either(get(c_, "imagePullPolicy"), ""), "Never")]
    return not flagged and items(given.containers) is not None


def non_always_pull_policy(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            not same(
                either(
                    get(c_, "imagePullPolicy"),
                    (
                        "IfNotPresent"
                        if (text("@") in text(either(get(c_, "image"), "")))
                        else (
                            "Always"
                            if (
                                text(either(get(c_, "image"), "")).endswith(text(":latest"))
                                or (not matches(_PATTERN_6, either(get(c_, "image"), "")))
                            )
                            else "IfNotPresent"
                        )
                    ),
                ),
                "Always",
            )
        )
    ]
    return not flagged and items(given.containers) is not None


def redundant_always_pull(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            (text("@") in text(either(get(c_, "image"), ""))) and same(either(get(c_, "imagePullPolicy"), ""), "Always")
        )
    ]
    return not flagged and items(given.containers) is not None


def stale_floating_image(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            (not (text("@") in text(either(get(c_, "image"), ""))))
            and (
                (not matches(_PATTERN_6, either(get(c_, "image"), "")))
                or text(either(get(c_, "image"), "")).endswith(text(":latest"))
            )
            and (not same(either(get(c_, "imagePullPolicy"), "Always"), "Always"))
        )
    ]
    return not flagged and items(given.containers) is not None


def duplicate_container_port(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if any(
            same(
                (
                    [
                        (
                            same(select(q_, "containerPort"), select(p_, "containerPort"))
                            and same(either(get(q_, "protocol"), "TCP"), either(get(p_, "protocol"), "TCP"))
                        )
                        for q_ in items(select(c_, "ports"))
                    ].count(True)
                    == 1
                ),
                False,
            )
            for p_ in items(either(get(c_, "ports"), []))
        )
    ]
    return not flagged and items(given.containers_2) is not None


def exposed_service(given: "Any") -> bool:
    return not among(either(get(given.object, "spec", "type"), "ClusterIP"), ["NodePort", "LoadBalancer"])


def external_name_service(given: "Any") -> bool:
    return not same(either(get(given.object, "spec", "type"), "ClusterIP"), "ExternalName")


def host_port(given: "Any") -> bool:
    isOnHostNetwork = same(either(get(given.podSpec, "hostNetwork"), False), True)
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            (not isOnHostNetwork)
            and any((not same(either(get(p_, "hostPort"), 0), 0)) for p_ in items(either(get(c_, "ports"), [])))
        )
    ]
    return not flagged and items(given.containers_2) is not None


def ingress_snippet(given: "Any") -> bool:
    flagged = [
        a_ for a_ in items(either(get(select(given.object, "metadata"), "annotations"), {})) if matches(_PATTERN_7, a_)
    ]
    return not flagged and items(either(get(select(given.object, "metadata"), "annotations"), {})) is not None


def ingress_without_host(given: "Any") -> bool:
    return all(
        (not same(either(get(r_, "host"), ""), "")) for r_ in items(either(get(given.object, "spec", "rules"), []))
    ) and (not (get(given.object, "spec", "defaultBackend") is not None))


def ingress_without_tls(given: "Any") -> bool:
    return size(either(get(given.object, "spec", "tls"), [])) > 0


def missing_dns_options(given: "Any") -> bool:
    return any(
        same(either(get(o_, "name"), ""), "ndots")
        for o_ in items(either(get(given.podSpec, "dnsConfig", "options"), []))
    )


def open_network_policy(given: "Any") -> bool:
    flagged = (
        ["ingress"]
        if any(
            (
                same(size(either(get(r_, "from"), [])), 0)
                or any(
                    (
                        text(either(get(p_, "ipBlock", "cidr"), "")).endswith(text("/0"))
                        and same(size(either(get(p_, "ipBlock", "except"), [])), 0)
                    )
                    for p_ in items(select(r_, "from"))
                )
            )
            for r_ in items(either(get(given.object, "spec", "ingress"), []))
        )
        else []
    ) + (
        ["egress"]
        if any(
            (same(size(either(get(r_, "to"), [])), 0) and same(size(either(get(r_, "ports"), [])), 0))
            for r_ in items(either(get(given.object, "spec", "egress"), []))
        )
        else []
    )
    return same(size(flagged), 0)


def privileged_port(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if any((number(select(p_, "containerPort")) < 1024) for p_ in items(either(get(c_, "ports"), [])))
    ]
    return not flagged and items(given.containers_2) is not None


def service_external_ip(given: "Any") -> bool:
    return same(size(either(get(given.object, "spec", "externalIPs"), [])), 0)


def ssh_port(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if any(
            (same(select(p_, "containerPort"), 22) and same(either(get(p_, "protocol"), "TCP"), "TCP"))
            for p_ in items(either(get(c_, "ports"), []))
        )
    ]
    return not flagged and items(given.containers_2) is not None


def wildcard_ingress_host(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "spec", "rules"), []))
        if (text("*") in text(either(get(r_, "host"), "")))
    ]
    return not flagged and items(either(get(given.object, "spec", "rules"), [])) is not None


def all_powerful_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            among("*", either(get(r_, "verbs"), []))
            and among("*", either(get(r_, "resources"), []))
            and among("*", either(get(r_, "apiGroups"), []))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def anonymous_binding(given: "Any") -> bool:
    return all(
        (
            (not (same(select(s_, "kind"), "User") and same(select(s_, "name"), "system:anonymous")))
            and (not (same(select(s_, "kind"), "Group") and same(select(s_, "name"), "system:unauthenticated")))
        )
        for s_ in items(either(get(given.object, "subjects"), []))
    )


def broad_group_binding(given: "Any") -> bool:
    return all(
        (
            (not same(select(s_, "kind"), "Group"))
            or (
                (not among(select(s_, "name"), ["system:authenticated", "system:serviceaccounts"]))
                and (not text(select(s_, "name")).startswith(text("system:serviceaccounts:")))
            )
        )
        for s_ in items(either(get(given.object, "subjects"), []))
    )


def certificate_signing_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", "certificates.k8s.io"]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and (
                (
                    any(
                        among(x_, ["*", "certificatesigningrequests/approval"])
                        for x_ in items(either(get(r_, "resources"), []))
                    )
                    and any(among(x_, ["*", "update", "patch"]) for x_ in items(either(get(r_, "verbs"), [])))
                )
                or (
                    any(among(x_, ["*", "signers"]) for x_ in items(either(get(r_, "resources"), [])))
                    and any(among(x_, ["*", "approve", "sign"]) for x_ in items(either(get(r_, "verbs"), [])))
                )
            )
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def cluster_admin_binding(given: "Any") -> bool:
    return (not same(either(get(given.object, "roleRef", "name"), ""), "cluster-admin")) or (
        not same(either(get(given.object, "roleRef", "kind"), ""), "ClusterRole")
    )


def default_service_account_binding(given: "Any") -> bool:
    return all(
        ((not same(select(s_, "kind"), "ServiceAccount")) or (not same(select(s_, "name"), "default")))
        for s_ in items(either(get(given.object, "subjects"), []))
    )


def masters_group_binding(given: "Any") -> bool:
    return all(
        ((not same(select(s_, "kind"), "Group")) or (not same(select(s_, "name"), "system:masters")))
        for s_ in items(either(get(given.object, "subjects"), []))
    )


def node_proxy_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(among(x_, ["*", "nodes/proxy"]) for x_ in items(either(get(r_, "resources"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def persistent_volume_creating_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(among(x_, ["*", "persistentvolumes"]) for x_ in items(either(get(r_, "resources"), [])))
            and any(among(x_, ["*", "create"]) for x_ in items(either(get(r_, "verbs"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def pod_creating_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", "", "apps", "batch"]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(
                among(
                    x_,
                    [
                        "*",
                        "pods",
                        "deployments",
                        "statefulsets",
                        "daemonsets",
                        "replicasets",
                        "replicationcontrollers",
                        "jobs",
                        "cronjobs",
                    ],
                )
                for x_ in items(either(get(r_, "resources"), []))
            )
            and any(among(x_, ["*", "create"]) for x_ in items(either(get(r_, "verbs"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def pod_exec_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(
                among(x_, ["*", "pods/exec", "pods/attach", "pods/portforward", "pods/*"])
                for x_ in items(either(get(r_, "resources"), []))
            )
            and any(among(x_, ["*", "create", "get"]) for x_ in items(either(get(r_, "verbs"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def privilege_granting_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            (
                any(among(x_, ["*", "rbac.authorization.k8s.io"]) for x_ in items(either(get(r_, "apiGroups"), [])))
                and any(among(x_, ["*", "roles", "clusterroles"]) for x_ in items(either(get(r_, "resources"), [])))
                and any(among(x_, ["*", "escalate", "bind"]) for x_ in items(either(get(r_, "verbs"), [])))
            )
            or (
                any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
                and any(
                    among(x_, ["*", "users", "groups", "serviceaccounts"])
                    for x_ in items(either(get(r_, "resources"), []))
                )
                and any(among(x_, ["*", "impersonate"]) for x_ in items(either(get(r_, "verbs"), [])))
            )
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def secret_reading_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(among(x_, ["*", "secrets"]) for x_ in items(either(get(r_, "resources"), [])))
            and any(among(x_, ["*", "get", "list", "watch"]) for x_ in items(either(get(r_, "verbs"), [])))
            and same(size(either(get(r_, "resourceNames"), [])), 0)
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def token_creating_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", ""]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(among(x_, ["*", "serviceaccounts/token"]) for x_ in items(either(get(r_, "resources"), [])))
            and any(among(x_, ["*", "create"]) for x_ in items(either(get(r_, "verbs"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def webhook_writing_role(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            any(among(x_, ["*", "admissionregistration.k8s.io"]) for x_ in items(either(get(r_, "apiGroups"), [])))
            and any(
                among(
                    x_,
                    [
                        "*",
                        "validatingwebhookconfigurations",
                        "mutatingwebhookconfigurations",
                        "mutatingadmissionpolicies",
                        "mutatingadmissionpolicybindings",
                    ],
                )
                for x_ in items(either(get(r_, "resources"), []))
            )
            and any(among(x_, ["*", "create", "update", "patch"]) for x_ in items(either(get(r_, "verbs"), [])))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def wildcard_rbac_rule(given: "Any") -> bool:
    flagged = [
        r_
        for r_ in items(either(get(given.object, "rules"), []))
        if (
            among("*", either(get(r_, "verbs"), []))
            or among("*", either(get(r_, "resources"), []))
            or among("*", either(get(r_, "apiGroups"), []))
        )
    ]
    return not flagged and items(either(get(given.object, "rules"), [])) is not None


def bare_pod(given: "Any") -> bool:
    return size(either(get(select(given.object, "metadata"), "ownerReferences"), [])) > 0


def blanket_toleration(given: "Any") -> bool:
    return all(
        ((not same(either(get(t_, "key"), ""), "")) or (not same(either(get(t_, "operator"), "Equal"), "Exists")))
        for t_ in items(either(get(given.podSpec, "tolerations"), []))
    )


def discarded_failed_jobs(given: "Any") -> bool:
    return number(either(get(given.object, "spec", "failedJobsHistoryLimit"), 1)) > 0


def empty_disruption_budget(given: "Any") -> bool:
    return (get(given.object, "spec", "minAvailable") is not None) or (
        get(given.object, "spec", "maxUnavailable") is not None
    )


def endless_job(given: "Any") -> bool:
    return (
        (get(given.workload, "spec", "activeDeadlineSeconds") is not None)
        or (get(given.workload, "spec", "jobTemplate", "spec", "activeDeadlineSeconds") is not None)
        or (get(given.workload, "spec", "template", "spec", "activeDeadlineSeconds") is not None)
        or (get(given.workload, "spec", "jobTemplate", "spec", "template", "spec", "activeDeadlineSeconds") is not None)
    )


def fixed_size_autoscaler(given: "Any") -> bool:
    return number(either(get(given.object, "spec", "maxReplicas"), 1)) > number(
        either(get(given.object, "spec", "minReplicas"), 1)
    )


def frequent_cron_job(given: "Any") -> bool:
    return not matches(_PATTERN_8, either(get(given.object, "spec", "schedule"), ""))


def identical_probes(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_3)
        if (
            has(c_, "livenessProbe")
            and has(c_, "readinessProbe")
            and any(
                (
                    among(k_, select(c_, "livenessProbe"))
                    and among(k_, select(c_, "readinessProbe"))
                    and same(
                        select(select(c_, "livenessProbe"), text(k_)), select(select(c_, "readinessProbe"), text(k_))
                    )
                )
                for k_ in ["httpGet", "tcpSocket", "exec", "grpc"]
            )
            and (
                number(either(get(select(c_, "livenessProbe"), "failureThreshold"), 3))
                <= number(either(get(select(c_, "readinessProbe"), "failureThreshold"), 3))
            )
            and (
                number(either(get(select(c_, "livenessProbe"), "periodSeconds"), 10))
                <= number(either(get(select(c_, "readinessProbe"), "periodSeconds"), 10))
            )
        )
    ]
    return not flagged and items(given.containers_3) is not None


def large_job_history(given: "Any") -> bool:
    return (number(either(get(given.object, "spec", "successfulJobsHistoryLimit"), 3)) <= 10) and (
        number(either(get(given.object, "spec", "failedJobsHistoryLimit"), 1)) <= 10
    )


def missing_cron_job_deadline(given: "Any") -> bool:
    return get(given.object, "spec", "startingDeadlineSeconds") is not None


def missing_job_ttl(given: "Any") -> bool:
    return (get(given.object, "spec", "ttlSecondsAfterFinished") is not None) or any(
        same(select(o_, "kind"), "CronJob")
        for o_ in items(either(get(select(given.object, "metadata"), "ownerReferences"), []))
    )


def missing_liveness_probe(given: "Any") -> bool:
    flagged = [c_ for c_ in items(given.containers_3) if (not has(c_, "livenessProbe"))]
    return not flagged and items(given.containers_3) is not None


def missing_node_affinity(given: "Any") -> bool:
    return (get(given.podSpec, "affinity", "nodeAffinity") is not None) or (
        size(either(get(given.podSpec, "nodeSelector"), {})) > 0
    )


def missing_priority_class(given: "Any") -> bool:
    return not same(either(get(given.podSpec, "priorityClassName"), ""), "")


def missing_stateful_set_service(given: "Any") -> bool:
    return not same(either(get(given.object, "spec", "serviceName"), ""), "")


def missing_unhealthy_pod_eviction_policy(given: "Any") -> bool:
    return get(given.object, "spec", "unhealthyPodEvictionPolicy") is not None


def never_running_schedule(given: "Any") -> bool:
    return (not matches(_PATTERN_9, either(get(given.object, "spec", "schedule"), ""))) and (
        not matches(_PATTERN_10, either(get(given.object, "spec", "schedule"), ""))
    )


def non_rolling_update(given: "Any") -> bool:
    return same(either(get(given.workload, "spec", "strategy", "type"), "RollingUpdate"), "RollingUpdate") and same(
        either(get(given.workload, "spec", "updateStrategy", "type"), "RollingUpdate"), "RollingUpdate"
    )


def overlapping_cron_job(given: "Any") -> bool:
    return not same(either(get(given.object, "spec", "concurrencyPolicy"), "Allow"), "Allow")


def pre_stop_past_grace_period(given: "Any") -> bool:
    grace = either(get(given.podSpec, "terminationGracePeriodSeconds"), 30)
    flagged = [
        c_
        for c_ in items(given.containers_3)
        if (
            (number(either(get(c_, "lifecycle", "preStop", "sleep", "seconds"), 0)) >= number(grace))
            and (number(grace) > 0)
        )
    ]
    return not flagged and items(given.containers_3) is not None


def zero_grace_period(given: "Any") -> bool:
    return number(either(get(given.podSpec, "terminationGracePeriodSeconds"), 30)) > 0


def missing_cpu_limit(given: "Any") -> bool:
    isSetForPod = among("cpu", either(get(given.podSpec, "resources", "limits"), {}))
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            (not isSetForPod)
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


def missing_ephemeral_storage_limit(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers_2)
        if (
            not (
                has(c_, "resources")
                and has(select(c_, "resources"), "limits")
                and among("ephemeral-storage", select(select(c_, "resources"), "limits"))
            )
        )
    ]
    return not flagged and items(given.containers_2) is not None


def missing_storage_class(given: "Any") -> bool:
    return (
        (get(given.object, "spec", "storageClassName") is not None)
        or (get(given.object, "spec", "volumeName") is not None)
        or among(
            "volume.beta.kubernetes.io/storage-class", either(get(select(given.object, "metadata"), "annotations"), {})
        )
    )


def unlimited_empty_dir(given: "Any") -> bool:
    flagged = [
        v_
        for v_ in items(either(get(given.podSpec, "volumes"), []))
        if (has(v_, "emptyDir") and (not has(select(v_, "emptyDir"), "sizeLimit")))
    ]
    return not flagged and items(either(get(given.podSpec, "volumes"), [])) is not None


def automounted_service_account_token(given: "Any") -> bool:
    return same(either(get(given.podSpec, "automountServiceAccountToken"), True), False)


def default_service_account(given: "Any") -> bool:
    return not among(either(get(given.podSpec, "serviceAccountName"), ""), ["", "default"])


def extra_capability(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if any(
                (not same(x_, "NET_BIND_SERVICE"))
                for x_ in items(either(get(c_, "securityContext", "capabilities", "add"), []))
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def host_path_volume(given: "Any") -> bool:
    flagged = [v_ for v_ in items(either(get(given.podSpec, "volumes"), [])) if has(v_, "hostPath")]
    return not flagged and items(either(get(given.podSpec, "volumes"), [])) is not None


def low_user_id(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (
                number(
                    either(
                        either(
                            get(c_, "securityContext", "runAsUser"), get(given.podSpec, "securityContext", "runAsUser")
                        ),
                        10000,
                    )
                )
                < 10000
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def missing_hardening(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (
                (
                    not (
                        either(
                            get(c_, "securityContext", "seccompProfile", "type"),
                            get(given.podSpec, "securityContext", "seccompProfile", "type"),
                        )
                        is not None
                    )
                )
                and (
                    not (
                        either(
                            get(c_, "securityContext", "appArmorProfile", "type"),
                            get(given.podSpec, "securityContext", "appArmorProfile", "type"),
                        )
                        is not None
                    )
                )
                and (
                    not (
                        either(
                            get(c_, "securityContext", "seLinuxOptions"),
                            get(given.podSpec, "securityContext", "seLinuxOptions"),
                        )
                        is not None
                    )
                )
                and same(size(either(get(c_, "securityContext", "capabilities", "drop"), [])), 0)
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def missing_pod_security_level(given: "Any") -> bool:
    return not same(
        either(get(get(select(given.object, "metadata"), "labels"), text("pod-security.kubernetes.io/enforce")), ""), ""
    )


def missing_run_as_non_root(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            (
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
            or same(either(get(given.podSpec, "securityContext", "runAsNonRoot"), True), False)
        )
    ]
    return not flagged and items(given.containers) is not None


def missing_seccomp_profile(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (
                not among(
                    either(
                        either(
                            get(c_, "securityContext", "seccompProfile", "type"),
                            get(given.podSpec, "securityContext", "seccompProfile", "type"),
                        ),
                        "",
                    ),
                    ["RuntimeDefault", "Localhost"],
                )
            )
        ]
    )
    return not flagged and items(given.containers) is not None


def privileged_namespace(given: "Any") -> bool:
    return not same(
        either(get(get(select(given.object, "metadata"), "labels"), text("pod-security.kubernetes.io/enforce")), ""),
        "privileged",
    )


def root_group(given: "Any") -> bool:
    flagged = (
        [
            plus(select(c_, "name"), ".runAsGroup")
            for c_ in [
                c_
                for c_ in items(given.containers)
                if same(
                    either(
                        either(
                            get(c_, "securityContext", "runAsGroup"),
                            get(given.podSpec, "securityContext", "runAsGroup"),
                        ),
                        1,
                    ),
                    0,
                )
            ]
        ]
        + (["fsGroup"] if same(either(get(given.podSpec, "securityContext", "fsGroup"), 1), 0) else [])
    ) + (
        ["supplementalGroups"]
        if among(0, either(get(given.podSpec, "securityContext", "supplementalGroups"), []))
        else []
    )
    return same(size(flagged), 0)


def shared_process_namespace(given: "Any") -> bool:
    return not same(either(get(given.podSpec, "shareProcessNamespace"), False), True)


def unconfined_apparmor_profile(given: "Any") -> bool:
    podProfile = get(given.podSpec, "securityContext", "appArmorProfile", "type")
    flagged = [
        c_
        for c_ in items(given.containers)
        if (
            same(either(either(get(c_, "securityContext", "appArmorProfile", "type"), podProfile), ""), "Unconfined")
            or same(
                either(
                    get(
                        get(given.podMetadata, "annotations"),
                        text(plus("container.apparmor.security.beta.kubernetes.io/", select(c_, "name"))),
                    ),
                    "",
                ),
                "unconfined",
            )
        )
    ]
    return not flagged and items(given.containers) is not None


def unconfined_seccomp_profile(given: "Any") -> bool:
    flagged = (
        ["the Pod"]
        if same(either(get(given.podSpec, "securityContext", "seccompProfile", "type"), ""), "Unconfined")
        else []
    ) + [
        select(c_, "name")
        for c_ in [
            c_
            for c_ in items(given.containers)
            if same(either(get(c_, "securityContext", "seccompProfile", "type"), ""), "Unconfined")
        ]
    ]
    return same(size(flagged), 0)


def undropped_capabilities(given: "Any") -> bool:
    flagged = (
        []
        if given.isWindows
        else [
            c_
            for c_ in items(given.containers)
            if (not among("ALL", either(get(c_, "securityContext", "capabilities", "drop"), [])))
        ]
    )
    return not flagged and items(given.containers) is not None


def unmasked_proc_mount(given: "Any") -> bool:
    flagged = [
        c_
        for c_ in items(given.containers)
        if same(either(get(c_, "securityContext", "procMount"), "Default"), "Unmasked")
    ]
    return not flagged and items(given.containers) is not None


def unrestricted_volume_type(given: "Any") -> bool:
    allowed = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
    flagged = [
        v_
        for v_ in items(either(get(given.podSpec, "volumes"), []))
        if any(((not same(k_, "name")) and (not among(k_, allowed))) for k_ in items(v_))
    ]
    return not flagged and items(either(get(given.podSpec, "volumes"), [])) is not None


def unsafe_sysctl(given: "Any") -> bool:
    safe = [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
    flagged = [
        s_
        for s_ in items(either(get(given.podSpec, "securityContext", "sysctls"), []))
        if (not among(select(s_, "name"), safe))
    ]
    return not flagged and items(either(get(given.podSpec, "securityContext", "sysctls"), [])) is not None


def windows_host_process(given: "Any") -> bool:
    flagged = (
        ["the Pod"]
        if same(either(get(given.podSpec, "securityContext", "windowsOptions", "hostProcess"), False), True)
        else []
    ) + [
        select(c_, "name")
        for c_ in [
            c_
            for c_ in items(given.containers)
            if same(either(get(c_, "securityContext", "windowsOptions", "hostProcess"), False), True)
        ]
    ]
    return same(size(flagged), 0)


def writable_host_path_mount(given: "Any") -> bool:
    hostPaths = [
        select(v_, "name")
        for v_ in [v_ for v_ in items(either(get(given.podSpec, "volumes"), [])) if has(v_, "hostPath")]
    ]
    flagged = [
        c_
        for c_ in items(given.containers)
        if any(
            (among(select(m_, "name"), hostPaths) and (not same(either(get(m_, "readOnly"), False), True)))
            for m_ in items(either(get(c_, "volumeMounts"), []))
        )
    ]
    return not flagged and items(given.containers) is not None


TESTS = {
    "config-map-credentials": config_map_credentials,
    "default-namespace": default_namespace,
    "deprecated-annotation": deprecated_annotation,
    "mismatched-instance-label": mismatched_instance_label,
    "missing-contact-annotation": missing_contact_annotation,
    "missing-owner-label": missing_owner_label,
    "missing-recommended-labels": missing_recommended_labels,
    "secret-env": secret_env,
    "implicit-registry": implicit_registry,
    "missing-image-digest": missing_image_digest,
    "never-pull-policy": never_pull_policy,
    "non-always-pull-policy": non_always_pull_policy,
    "redundant-always-pull": redundant_always_pull,
    "stale-floating-image": stale_floating_image,
    "duplicate-container-port": duplicate_container_port,
    "exposed-service": exposed_service,
    "external-name-service": external_name_service,
    "host-port": host_port,
    "ingress-snippet": ingress_snippet,
    "ingress-without-host": ingress_without_host,
    "ingress-without-tls": ingress_without_tls,
    "missing-dns-options": missing_dns_options,
    "open-network-policy": open_network_policy,
    "privileged-port": privileged_port,
    "service-external-ip": service_external_ip,
    "ssh-port": ssh_port,
    "wildcard-ingress-host": wildcard_ingress_host,
    "all-powerful-role": all_powerful_role,
    "anonymous-binding": anonymous_binding,
    "broad-group-binding": broad_group_binding,
    "certificate-signing-role": certificate_signing_role,
    "cluster-admin-binding": cluster_admin_binding,
    "default-service-account-binding": default_service_account_binding,
    "masters-group-binding": masters_group_binding,
    "node-proxy-role": node_proxy_role,
    "persistent-volume-creating-role": persistent_volume_creating_role,
    "pod-creating-role": pod_creating_role,
    "pod-exec-role": pod_exec_role,
    "privilege-granting-role": privilege_granting_role,
    "secret-reading-role": secret_reading_role,
    "token-creating-role": token_creating_role,
    "webhook-writing-role": webhook_writing_role,
    "wildcard-rbac-rule": wildcard_rbac_rule,
    "bare-pod": bare_pod,
    "blanket-toleration": blanket_toleration,
    "discarded-failed-jobs": discarded_failed_jobs,
    "empty-disruption-budget": empty_disruption_budget,
    "endless-job": endless_job,
    "fixed-size-autoscaler": fixed_size_autoscaler,
    "frequent-cron-job": frequent_cron_job,
    "identical-probes": identical_probes,
    "large-job-history": large_job_history,
    "missing-cron-job-deadline": missing_cron_job_deadline,
    "missing-job-ttl": missing_job_ttl,
    "missing-liveness-probe": missing_liveness_probe,
    "missing-node-affinity": missing_node_affinity,
    "missing-priority-class": missing_priority_class,
    "missing-stateful-set-service": missing_stateful_set_service,
    "missing-unhealthy-pod-eviction-policy": missing_unhealthy_pod_eviction_policy,
    "never-running-schedule": never_running_schedule,
    "non-rolling-update": non_rolling_update,
    "overlapping-cron-job": overlapping_cron_job,
    "pre-stop-past-grace-period": pre_stop_past_grace_period,
    "zero-grace-period": zero_grace_period,
    "missing-cpu-limit": missing_cpu_limit,
    "missing-ephemeral-storage-limit": missing_ephemeral_storage_limit,
    "missing-storage-class": missing_storage_class,
    "unlimited-empty-dir": unlimited_empty_dir,
    "automounted-service-account-token": automounted_service_account_token,
    "default-service-account": default_service_account,
    "extra-capability": extra_capability,
    "host-path-volume": host_path_volume,
    "low-user-id": low_user_id,
    "missing-hardening": missing_hardening,
    "missing-pod-security-level": missing_pod_security_level,
    "missing-run-as-non-root": missing_run_as_non_root,
    "missing-seccomp-profile": missing_seccomp_profile,
    "privileged-namespace": privileged_namespace,
    "root-group": root_group,
    "shared-process-namespace": shared_process_namespace,
    "unconfined-apparmor-profile": unconfined_apparmor_profile,
    "unconfined-seccomp-profile": unconfined_seccomp_profile,
    "undropped-capabilities": undropped_capabilities,
    "unmasked-proc-mount": unmasked_proc_mount,
    "unrestricted-volume-type": unrestricted_volume_type,
    "unsafe-sysctl": unsafe_sysctl,
    "windows-host-process": windows_host_process,
    "writable-host-path-mount": writable_host_path_mount,
}
"""By policy; one that is missing is never sure."""


KINDS: "dict[tuple[str, str], tuple[str, ...]]" = {
    ("apps/v1", "DaemonSet"): (
        "default-namespace",
        "deprecated-annotation",
        "mismatched-instance-label",
        "missing-contact-annotation",
        "missing-owner-label",
        "missing-recommended-labels",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "full-outage-rollout",
        "identical-probes",
        "missing-liveness-probe",
        "missing-priority-class",
        "non-rolling-update",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("apps/v1", "Deployment"): (
        "default-namespace",
        "deprecated-annotation",
        "mismatched-instance-label",
        "missing-contact-annotation",
        "missing-owner-label",
        "missing-recommended-labels",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "full-outage-rollout",
        "identical-probes",
        "missing-liveness-probe",
        "missing-node-affinity",
        "missing-priority-class",
        "non-rolling-update",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("apps/v1", "ReplicaSet"): (
        "default-namespace",
        "deprecated-annotation",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "identical-probes",
        "missing-liveness-probe",
        "missing-priority-class",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("apps/v1", "StatefulSet"): (
        "default-namespace",
        "deprecated-annotation",
        "mismatched-instance-label",
        "missing-contact-annotation",
        "missing-owner-label",
        "missing-recommended-labels",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "identical-probes",
        "missing-liveness-probe",
        "missing-node-affinity",
        "missing-priority-class",
        "missing-stateful-set-service",
        "non-rolling-update",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): ("fixed-size-autoscaler",),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): ("fixed-size-autoscaler",),
    ("batch/v1", "CronJob"): (
        "default-namespace",
        "deprecated-annotation",
        "mismatched-instance-label",
        "missing-contact-annotation",
        "missing-owner-label",
        "missing-recommended-labels",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "discarded-failed-jobs",
        "endless-job",
        "frequent-cron-job",
        "large-job-history",
        "missing-cron-job-deadline",
        "missing-priority-class",
        "never-running-schedule",
        "overlapping-cron-job",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("batch/v1", "Job"): (
        "default-namespace",
        "deprecated-annotation",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "endless-job",
        "missing-job-ttl",
        "missing-priority-class",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("networking.k8s.io/v1", "Ingress"): (
        "deprecated-annotation",
        "ingress-snippet",
        "ingress-without-host",
        "ingress-without-tls",
        "wildcard-ingress-host",
    ),
    ("networking.k8s.io/v1", "NetworkPolicy"): ("open-network-policy",),
    ("policy/v1", "PodDisruptionBudget"): ("empty-disruption-budget", "missing-unhealthy-pod-eviction-policy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): (
        "all-powerful-role",
        "certificate-signing-role",
        "node-proxy-role",
        "persistent-volume-creating-role",
        "pod-creating-role",
        "pod-exec-role",
        "privilege-granting-role",
        "secret-reading-role",
        "token-creating-role",
        "webhook-writing-role",
        "wildcard-rbac-rule",
    ),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): (
        "anonymous-binding",
        "broad-group-binding",
        "cluster-admin-binding",
        "default-service-account-binding",
        "masters-group-binding",
    ),
    ("rbac.authorization.k8s.io/v1", "Role"): (
        "all-powerful-role",
        "certificate-signing-role",
        "node-proxy-role",
        "persistent-volume-creating-role",
        "pod-creating-role",
        "pod-exec-role",
        "privilege-granting-role",
        "secret-reading-role",
        "token-creating-role",
        "webhook-writing-role",
        "wildcard-rbac-rule",
    ),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): (
        "anonymous-binding",
        "broad-group-binding",
        "cluster-admin-binding",
        "default-service-account-binding",
        "masters-group-binding",
    ),
    ("v1", "ConfigMap"): ("config-map-credentials",),
    ("v1", "Namespace"): ("missing-pod-security-level", "privileged-namespace"),
    ("v1", "PersistentVolumeClaim"): ("deprecated-annotation", "missing-storage-class"),
    ("v1", "Pod"): (
        "default-namespace",
        "deprecated-annotation",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "bare-pod",
        "identical-probes",
        "missing-liveness-probe",
        "missing-priority-class",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("v1", "ReplicationController"): (
        "default-namespace",
        "deprecated-annotation",
        "secret-env",
        "implicit-registry",
        "missing-image-digest",
        "never-pull-policy",
        "non-always-pull-policy",
        "redundant-always-pull",
        "stale-floating-image",
        "untrusted-registry",
        "duplicate-container-port",
        "host-port",
        "missing-dns-options",
        "privileged-port",
        "ssh-port",
        "blanket-toleration",
        "identical-probes",
        "missing-liveness-probe",
        "missing-priority-class",
        "pre-stop-past-grace-period",
        "undeclared-probe-port",
        "zero-grace-period",
        "missing-cpu-limit",
        "missing-ephemeral-storage-limit",
        "unequal-requests-and-limits",
        "unlimited-empty-dir",
        "automounted-service-account-token",
        "custom-selinux-options",
        "default-service-account",
        "extra-capability",
        "host-path-volume",
        "low-user-id",
        "missing-hardening",
        "missing-run-as-non-root",
        "missing-seccomp-profile",
        "probe-to-other-host",
        "root-group",
        "shared-process-namespace",
        "unconfined-apparmor-profile",
        "unconfined-seccomp-profile",
        "undropped-capabilities",
        "unmasked-proc-mount",
        "unrestricted-volume-type",
        "unsafe-sysctl",
        "windows-host-process",
        "writable-host-path-mount",
    ),
    ("v1", "Service"): (
        "deprecated-annotation",
        "exposed-service",
        "external-name-service",
        "service-external-ip",
        "unrestricted-load-balancer",
    ),
}
"""What looks at a version and kind."""
