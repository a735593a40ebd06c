"""A seeded corpus of valid manifests such as GitOps repositories hold, for benchmarks.

Everything is drawn from one seed: the same seed gives the same bytes on every machine. All documents are built-in kinds, valid,
and pass the policies that are on by themselves, so that other validators can be measured on the same files; comments, block and flow style, one to six documents a file.
"""

import random
from collections.abc import Callable
from pathlib import Path

WORDS = (
    "api",
    "web",
    "worker",
    "cache",
    "billing",
    "search",
    "auth",
    "mail",
    "feed",
    "edge",
    "ledger",
    "media",
    "orders",
    "stock",
)
TEAMS = ("payments", "platform", "growth", "data", "storefront")
ENVIRONMENTS = ("dev", "staging", "production", "eu-west", "us-east")


def _name(rng: random.Random) -> str:
    return f"{rng.choice(WORDS)}-{rng.choice(WORDS)}-{rng.randrange(1000)}"


def _metadata(rng: random.Random, name: str, indent: str = "") -> str:
    lines = [
        "metadata:",
        f"  name: {name}",
        f"  namespace: {rng.choice(TEAMS)}",
        "  labels:",
        f"    app.kubernetes.io/name: {name}",
        f"    app.kubernetes.io/part-of: {rng.choice(WORDS)}",
        f'    app.kubernetes.io/version: "{rng.randrange(9)}.{rng.randrange(20)}.{rng.randrange(9)}"',
    ]
    if rng.random() < 0.4:
        lines += [
            "  annotations:",
            f"    example.com/owner: team-{rng.choice(TEAMS)}@example.com",
            f'    example.com/runbook: "https://runbooks.example.com/{name}?tab=1"',
        ]
    return "".join(f"{indent}{line}\n" for line in lines)


def _container(rng: random.Random, name: str, indent: str) -> str:
    lines = [
        f"- name: {name}",
        f"  image: registry.example.com/{rng.choice(TEAMS)}/{name}:{rng.randrange(9)}.{rng.randrange(40)}.{rng.randrange(9)}",
        "  imagePullPolicy: IfNotPresent",
        "  ports:",
        f"    - {{name: http, containerPort: {rng.randrange(3000, 9999)}, protocol: TCP}}"
        if rng.random() < 0.3
        else f"    - name: http\n{indent}      containerPort: {rng.randrange(3000, 9999)}",
        "  env:",
    ]
    for first in rng.sample(WORDS, rng.randrange(2, 9)):
        key = f"{first}_{rng.choice(WORDS)}".upper()
        if rng.random() < 0.25:
            lines += [
                f"    - name: {key}",
                "      valueFrom:",
                "        secretKeyRef:",
                f"          name: {name}-secrets",
                f"          key: {key.lower()}",
            ]
        else:
            lines += [
                f"    - name: {key}",
                f'      value: "{rng.randrange(10_000)}"'
                if rng.random() < 0.5
                else f"      value: {rng.choice(WORDS)}.{rng.choice(TEAMS)}.svc.cluster.local",
            ]
    lines += [
        "  resources:",
        f"    requests: {{cpu: {rng.choice((50, 100, 250, 500))}m, memory: {rng.choice((64, 128, 256, 512))}Mi}}",
        "    limits:",
        f"      memory: {rng.choice((256, 512))}Mi",
        "  readinessProbe:",
        "    httpGet:",
        "      path: /healthz",
        "      port: http",
        f"    initialDelaySeconds: {rng.randrange(1, 30)}",
        "    periodSeconds: 10",
        "  securityContext:",
        "    allowPrivilegeEscalation: false",
        "    readOnlyRootFilesystem: true",
        "    runAsNonRoot: true",
        "    capabilities:",
        "      drop: [ALL]",
    ]
    if rng.random() < 0.5:
        lines += ["  volumeMounts:", "    - name: config", "      mountPath: /etc/config", "      readOnly: true"]
    return "".join(f"{indent}{line}\n" for line in lines)


def _pod_template(rng: random.Random, name: str, indent: str) -> str:
    lines = [
        "template:",
        "  metadata:",
        "    labels:",
        f"      app.kubernetes.io/name: {name}",
        "  spec:",
        f"    serviceAccountName: {name}",
        "    terminationGracePeriodSeconds: 30",
        "    containers:",
    ]
    text = "".join(f"{indent}{line}\n" for line in lines)
    for number in range(1 if rng.random() < 0.7 else 2):
        text += _container(rng, name if number == 0 else f"{name}-sidecar", indent + "      ")
    tail = [
        *("    volumes:", "      - name: config", "        configMap:", f"          name: {name}"),
        *("    topologySpreadConstraints:", "      - maxSkew: 1", "        topologyKey: kubernetes.io/hostname"),
        *("        whenUnsatisfiable: ScheduleAnyway", "        labelSelector:", "          matchLabels:"),
        f"            app.kubernetes.io/name: {name}",
    ]
    if rng.random() < 0.4:
        tail += [
            "    affinity:",
            "      podAntiAffinity:",
            "        preferredDuringSchedulingIgnoredDuringExecution:",
            "          - weight: 100",
            "            podAffinityTerm:",
            "              topologyKey: topology.kubernetes.io/zone",
            "              labelSelector:",
            "                matchLabels:",
            f"                  app.kubernetes.io/name: {name}",
        ]
    return text + "".join(f"{indent}{line}\n" for line in tail)


def deployment(rng: random.Random) -> str:
    """Return a Deployment with probes, resources and a volume."""
    name = _name(rng)
    head = f"# {name}: owned by {rng.choice(TEAMS)}, see the runbook before scaling\napiVersion: apps/v1\nkind: Deployment\n"
    spec = f"spec:\n  replicas: {rng.randrange(2, 9)}  # sized for the evening peak\n  strategy:\n    type: RollingUpdate\n    rollingUpdate:\n      maxSurge: 25%\n      maxUnavailable: 0\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n"
    return head + _metadata(rng, name) + spec + _pod_template(rng, name, "  ")


def stateful_set(rng: random.Random) -> str:
    """Return a StatefulSet with a claim template."""
    name = _name(rng)
    head = "apiVersion: apps/v1\nkind: StatefulSet\n" + _metadata(rng, name)
    spec = f"spec:\n  serviceName: {name}\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n"
    claims = f"  volumeClaimTemplates:\n    - metadata:\n        name: data\n      spec:\n        accessModes: [ReadWriteOnce]\n        resources:\n          requests:\n            storage: {rng.randrange(1, 200)}Gi\n"
    return head + spec + _pod_template(rng, name, "  ") + claims


def service(rng: random.Random) -> str:
    """Return a ClusterIP Service."""
    name = _name(rng)
    return (
        "apiVersion: v1\nkind: Service\n"
        + _metadata(rng, name)
        + f"spec:\n  type: ClusterIP\n  selector:\n    app.kubernetes.io/name: {name}\n  ports:\n    - name: http\n      port: 80\n      targetPort: {rng.randrange(3000, 9999)}\n"
    )


def config_map(rng: random.Random) -> str:
    """Return a ConfigMap with a block scalar of settings."""
    name = _name(rng)
    lines = "".join(
        f"    {rng.choice(WORDS)}.{rng.choice(WORDS)} = {rng.randrange(100_000)}\n" for _ in range(rng.randrange(3, 30))
    )
    pairs = "".join(
        f'  {rng.choice(WORDS)}.{number}: "{rng.randrange(1000)}"\n' for number in range(rng.randrange(2, 9))
    )
    return (
        "apiVersion: v1\nkind: ConfigMap\n"
        + _metadata(rng, name)
        + "data:\n"
        + pairs
        + "  application.properties: |\n"
        + lines
    )


def ingress(rng: random.Random) -> str:
    """Return an Ingress with TLS."""
    name = _name(rng)
    host = f"{name}.example.com"
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
        + _metadata(rng, name)
        + f"spec:\n  ingressClassName: nginx\n  tls:\n    - hosts: [{host}]\n      secretName: {name}-tls\n  rules:\n    - host: {host}\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: {name}\n                port:\n                  name: http\n"
    )


def cron_job(rng: random.Random) -> str:
    """Return a CronJob."""
    name = _name(rng)
    template = _pod_template(rng, name, "      ").replace(
        "        spec:\n", "        spec:\n          restartPolicy: OnFailure\n", 1
    )
    return (
        "apiVersion: batch/v1\nkind: CronJob\n"
        + _metadata(rng, name)
        + f'spec:\n  schedule: "{rng.randrange(60)} {rng.randrange(24)} * * *"\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n'
        + template
    )


def network_policy(rng: random.Random) -> str:
    """Return a NetworkPolicy."""
    name = _name(rng)
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        + _metadata(rng, name)
        + f"spec:\n  podSelector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: {rng.choice(TEAMS)}\n      ports:\n        - port: 8080\n"
    )


def role_binding(rng: random.Random) -> str:
    """Return a RoleBinding."""
    name = _name(rng)
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
        + _metadata(rng, name)
        + f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: view\nsubjects:\n  - kind: Group\n    name: team-{rng.choice(TEAMS)}\n    apiGroup: rbac.authorization.k8s.io\n"
    )


def autoscaler(rng: random.Random) -> str:
    """Return a HorizontalPodAutoscaler."""
    name = _name(rng)
    return (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
        + _metadata(rng, name)
        + f"spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: 2\n  maxReplicas: {rng.randrange(3, 40)}\n  metrics:\n    - type: Resource\n      resource:\n        name: cpu\n        target: {{type: Utilization, averageUtilization: {rng.randrange(50, 90)}}}\n"
    )


def disruption_budget(rng: random.Random) -> str:
    """Return a PodDisruptionBudget."""
    name = _name(rng)
    return (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
        + _metadata(rng, name)
        + f"spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n"
    )


KINDS: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (deployment, 30),
    (service, 18),
    (config_map, 14),
    (ingress, 8),
    (stateful_set, 5),
    (cron_job, 5),
    (network_policy, 7),
    (role_binding, 5),
    (autoscaler, 5),
    (disruption_budget, 3),
)


def write_corpus(root: Path, *, files: int = 10_000, seed: int = 20_261_124) -> int:
    """Write the corpus below `root` and return how many documents it holds (about two a file)."""
    rng = random.Random(seed)
    makers = [maker for maker, weight in KINDS for _ in range(weight)]
    documents = 0
    for number in range(files):
        folder = (
            root / "clusters" / ENVIRONMENTS[number % 5] / rng.choice(TEAMS) / f"{rng.choice(WORDS)}-{rng.randrange(6)}"
        )
        folder.mkdir(parents=True, exist_ok=True)
        count = rng.choice((1, 1, 1, 2, 2, 3, 4))
        text = "---\n".join(rng.choice(makers)(rng) for _ in range(count))
        (folder / f"{number:05}.yaml").write_text(text)
        documents += count
    return documents
