"""Rules on references: what is flagged, how surely, and what looks like it and is not."""

import re
from pathlib import Path

import pytest

import gitops_guard.rules
from gitops_guard.links.view import LISTED
from gitops_guard.rules import REFERENCE_RULES

PAGES = Path(gitops_guard.rules.__file__).parent
NAMESPACE = "---\nkind: Namespace\napiVersion: v1\nmetadata: {name: shop}\n"
RELEASE = (
    "---\nkind: HelmRelease\napiVersion: helm.toolkit.fluxcd.io/v2\nmetadata: {name: %s, namespace: shop}\nspec: {}\n"
)


def workload(
    spec: str = "", *, kind="Deployment", name="web", labels="app: web", more="", api="apps/v1", ports=""
) -> str:
    return f"""---
kind: {kind}
apiVersion: {api}
metadata: {{name: {name}, namespace: shop}}
spec:
  {more}
  template:
    metadata: {{labels: {{{labels}}}}}
    spec:
      {spec}
      containers: [{{name: web, image: "web:1", ports: [{ports}]}}]
"""


def container(fields: str) -> str:
    return workload().replace("ports: []", fields)


def thing(kind: str, name: str, fields: str = "", *, api="v1", namespace="shop") -> str:
    place = f", namespace: {namespace}" if namespace else ""
    return f"---\nkind: {kind}\napiVersion: {api}\nmetadata: {{name: {name}{place}}}\n{fields}\n"


def service(selector="app: web", port="{port: 80}", name="web") -> str:
    return thing("Service", name, f"spec: {{selector: {{{selector}}}, ports: [{port}]}}")


def pdb(selector: str) -> str:
    return thing("PodDisruptionBudget", "web", f"spec: {{selector: {selector}}}", api="policy/v1")


def policy(spec: str) -> str:
    return thing("NetworkPolicy", "web", f"spec: {spec}", api="networking.k8s.io/v1")


def ingress(backend: str, *, more="") -> str:
    fields = f"spec: {{defaultBackend: {{service: {backend}}}}}"
    return thing("Ingress", "web", fields, api="networking.k8s.io/v1").replace("metadata: {", "metadata: {" + more)


def route(backend: str, kind="HTTPRoute") -> str:
    return thing(kind, "web", f"spec: {{rules: [{{backendRefs: [{backend}]}}]}}", api="gateway.networking.k8s.io/v1")


def hpa(target: str) -> str:
    return thing("HorizontalPodAutoscaler", "web", f"spec: {{scaleTargetRef: {target}}}", api="autoscaling/v2")


def binding(role: str, subject: str = "", kind="RoleBinding") -> str:
    fields = f"roleRef: {{apiGroup: rbac.authorization.k8s.io, {role}}}\nsubjects: [{subject}]"
    return thing(
        kind, "web", fields, api="rbac.authorization.k8s.io/v1", namespace="shop" if kind == "RoleBinding" else ""
    )


def external(name: str, spec="{}") -> str:
    return thing("ExternalSecret", name, f"spec: {spec}", api="external-secrets.io/v1")


SETTINGS = thing("ConfigMap", "settings", "data: {colour: red}")
FROM_SETTINGS = "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: %s}}}]"
SECRET = "envFrom: [{secretRef: {name: %s}}]"
MAP = "envFrom: [{configMapRef: {name: %s}}]"
ROLE = thing("Role", "reader", api="rbac.authorization.k8s.io/v1")
PORTS = "{name: http, containerPort: 8080}"

FLAGGED = [
    ("a service next to the workload of its name", service("app: wbe") + workload(), "warning service-selects-nothing"),
    ("a service with a slip in a label", service("app: store", name="x") + workload(labels="app: stroe"), "warning service-selects-nothing"),
    ("a service in a namespace of which all is known", NAMESPACE + service("app: other", name="x") + workload(), "warning service-selects-nothing"),
    ("a service that may be for pods of elsewhere", service("app: other", name="x") + workload(), "note service-selects-nothing"),
    ("a port name that no pod has", service(port="{port: 80, targetPort: htpp}") + workload(ports=PORTS), "error service-port-missing"),
    ("a port number that no pod declares", service(port="{port: 80, targetPort: 8081}") + workload(ports=PORTS), "note service-port-missing"),
    ("a budget", pdb("{matchLabels: {app: wbe}}") + workload(), "warning pdb-selects-nothing"),
    ("a budget by expressions", NAMESPACE + pdb("{matchExpressions: [{key: app, operator: In, values: [a]}]}") + workload(), "warning pdb-selects-nothing"),
    ("a network policy", policy("{podSelector: {matchLabels: {app: wbe}}}") + workload(), "warning network-policy-selects-nothing"),
    ("a network policy that allows all", policy("{podSelector: {}, ingress: [{}]}"), "note network-policy-isolates-nothing"),
    ("a network policy that allows all both ways", policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}"), "note network-policy-isolates-nothing"),
    ("an ingress without service", ingress("{name: nowhere, port: {number: 80}}"), "note missing-service"),
    ("an ingress with a slip", thing("Service", "storefront") + ingress("{name: storefrnt, port: {number: 80}}"), "warning missing-service"),
    ("an ingress to another port", service() + workload() + ingress("{name: web, port: {number: 81}}"), "error backend-port-missing"),
    ("an ingress to a port of another name", service(port="{name: http, port: 80}") + workload() + ingress("{name: web, port: {name: https}}"), "error backend-port-missing"),
    ("a route without service", route("{name: nowhere, port: 80}"), "note missing-service"),
    ("a grpc route to another port", service() + workload() + route("{name: web, port: 81}", "GRPCRoute"), "error backend-port-missing"),
    ("an autoscaler", hpa("{apiVersion: apps/v1, kind: Deployment, name: nowhere}"), "note missing-workload"),
    ("an autoscaler of another kind", NAMESPACE + workload(kind="StatefulSet", name="db") + workload() + hpa("{apiVersion: apps/v1, kind: Deployment, name: db}"), "warning missing-workload"),
    ("a config map in envFrom", container(MAP % "nowhere"), "note missing-config-map"),
    ("a config map with a slip", SETTINGS + container(MAP % "setings"), "warning missing-config-map"),
    ("a config map in a namespace of which all is known", NAMESPACE + SETTINGS + container(MAP % "other"), "warning missing-config-map"),
    ("a config map of another namespace", thing("ConfigMap", "settings", namespace="other") + container(MAP % "settings"), "note missing-config-map"),
    ("a config map in a projected volume", workload("volumes: [{name: a, projected: {sources: [{configMap: {name: nowhere}}]}}]"), "note missing-config-map"),
    ("a key in env", SETTINGS + container(FROM_SETTINGS % "color"), "error missing-config-key"),
    ("a key in items", SETTINGS + workload("volumes: [{name: a, configMap: {name: settings, items: [{key: color, path: a}]}}]"), "error missing-config-key"),
    ("a key of a secret", thing("Secret", "s", "stringData: {user: a}") + container("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: pass}}}]"), "error missing-config-key"),
    ("a secret in envFrom", container(SECRET % "nowhere"), "note missing-secret"),
    ("a secret to pull with", workload("imagePullSecrets: [{name: nowhere}]"), "note missing-secret"),
    ("a secret of a service account", thing("ServiceAccount", "web", "imagePullSecrets: [{name: nowhere}]"), "note missing-secret"),
    ("a secret near an external one", external("database") + container(SECRET % "databse"), "warning missing-secret"),
    ("an account", workload("serviceAccountName: nowhere"), "note missing-service-account"),
    ("a claim", workload("volumes: [{name: a, persistentVolumeClaim: {claimName: nowhere}}]"), "note missing-volume-claim"),
    ("a claim of a cron job", workload("", kind="CronJob", more="").replace("  template:", "  jobTemplate:\n   spec:\n    template:\n     spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: nowhere}}], containers: []}\n  ignored:"), "note missing-volume-claim"),
    ("a class with a slip", thing("StorageClass", "local-path", namespace="") + thing("PersistentVolumeClaim", "a", "spec: {storageClassName: local-pth}"), "warning misspelt-storage-class"),
    ("a role", NAMESPACE + ROLE + binding("kind: Role, name: writer"), "warning missing-role"),
    ("a subject", binding("kind: ClusterRole, name: view", "{kind: ServiceAccount, name: nowhere, namespace: shop}"), "note missing-subject"),
    ("a rollout's service", workload(kind="Rollout", api="argoproj.io/v1alpha1", more="strategy: {canary: {stableService: nowhere}}"), "note missing-service"),
    ("a rollout's workload", thing("Rollout", "web", "spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: nowhere}}", api="argoproj.io/v1alpha1"), "note missing-workload"),
    ("the service of a stateful set", workload(kind="StatefulSet", more="serviceName: nowhere"), "note missing-service"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [pytest.param(text, expected, id=name) for name, text, expected in FLAGGED]
)
def test_reference_when_nothing_answers_then_it_is_flagged_as_surely_as_can_be(judge, text, expected):
    assert [expected] == [f"{severity} {rule}" for severity, rule, _ in judge(text)]


CLEAN = [
    ("a service with pods", service() + workload()),
    ("a service without selector", thing("Service", "web", "spec: {ports: [{port: 80}]}")),
    ("an external name", thing("Service", "web", "spec: {type: ExternalName, externalName: a.b, selector: {app: x}}")),
    ("a service of a rollout", service() + workload(kind="Rollout", api="argoproj.io/v1alpha1")),
    ("a service of a job", service() + workload(kind="Job", api="batch/v1")),
    ("a service of a knative-like template", service() + workload(kind="CloneSet", api="apps.kruise.io/v1alpha1")),
    ("a service of pods that a release makes", service("app: other", name="x") + workload() + RELEASE % "other"),
    ("a service with a substituted label", service("app: '${APP}'") + workload()),
    ("a service of pods without namespace", service() + workload().replace(", namespace: shop", "")),
    ("a port by number that containers leave out", service(port="{port: 80, targetPort: 8080}") + workload()),
    ("a numeric text as port", service(port='{port: 80, targetPort: "8080"}') + workload()),
    ("a budget of all pods", pdb("{}")),
    ("a network policy of all pods", policy("{podSelector: {}, policyTypes: [Ingress]}")),
    ("a network policy that denies all", policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")),
    ("a network policy open one way", policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}")),
    ("a network policy with ports", policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}")),
    ("an ingress by name", service(port="{name: http, port: 80}") + workload() + ingress("{name: web, port: {name: http}}")),
    ("an action of a load balancer", ingress("{name: redirect, port: {name: use-annotation}}")),
    ("a route to another kind", route("{kind: Backend, group: gateway.envoyproxy.io, name: nowhere}")),
    ("a route to another namespace", thing("Service", "web", "spec: {ports: [{port: 80}]}", namespace="other") + route("{name: web, namespace: other, port: 80}")),
    ("an autoscaler", workload() + hpa("{apiVersion: apps/v1, kind: Deployment, name: web}")),
    ("an autoscaler of a custom kind", hpa("{apiVersion: example.com/v1, kind: Queue, name: nowhere}")),
    ("an optional config map", container("envFrom: [{configMapRef: {name: nowhere, optional: true}}]")),
    ("an optional key", SETTINGS + container("env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: b, optional: true}}}]")),
    ("an optional secret volume", workload("volumes: [{name: a, secret: {secretName: nowhere, optional: true}}]")),
    ("a config map that every namespace has", workload("volumes: [{name: a, configMap: {name: kube-root-ca.crt}}]")),
    ("a key of binary data", thing("ConfigMap", "settings", "binaryData: {colour: cmVk}") + container(FROM_SETTINGS % "colour")),
    ("a key of an empty map that others fill", thing("ConfigMap", "settings", "data: {}") + container(FROM_SETTINGS % "colour")),
    ("a key of a map with an injected certificate", thing("ConfigMap", "settings", "data: {a: b}").replace("shop}", "shop, labels: {config.openshift.io/inject-trusted-cabundle: 'true'}}") + container(FROM_SETTINGS % "ca-bundle.crt")),
    ("a key of an encrypted secret", thing("Secret", "settings", "data: {a: b}\nsops: {mac: a}") + container("env: [{name: A, valueFrom: {secretKeyRef: {name: settings, key: b}}}]")),
    ("a key of an external secret", external("s") + container("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: b}}}]")),
    ("an external secret with a target", external("x", "{target: {name: s}}") + container(SECRET % "s")),
    ("a sealed secret", thing("SealedSecret", "s", "spec: {}", api="bitnami.com/v1alpha1") + container(SECRET % "s")),
    ("a certificate", thing("Certificate", "x", "spec: {secretName: s}", api="cert-manager.io/v1") + container(SECRET % "s")),
    ("a secret of an operator's object", thing("Cluster", "db", "spec: {}", api="postgresql.cnpg.io/v1") + container(SECRET % "db-app")),
    ("a secret that an operator's object names", thing("Cluster", "db", "spec: {bootstrap: {secret: {name: s}}}", api="postgresql.cnpg.io/v1") + container(SECRET % "s")),
    ("a secret of a release", RELEASE % "redis" + container(SECRET % "redis-password")),
    ("a generated config map", "---\nkind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nconfigMapGenerator: [{name: settings}]\n" + container(MAP % "settings")),
    ("a substituted name", container(MAP % '"${NAME}-settings"')),
    ("a name that a substituted one may be", thing("ConfigMap", '"${NAME}-settings"') + container(MAP % "web-settings")),
    ("a generated name", "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {generateName: settings-, namespace: shop}\n" + container(MAP % "settings-x7")),
    ("the default account", workload("serviceAccountName: default")),
    ("a claim of a template", workload(kind="StatefulSet", name="db", more="volumeClaimTemplates: [{metadata: {name: data}}]") + workload("volumes: [{name: a, persistentVolumeClaim: {claimName: data-db-0}}]")),
    ("a claim in place of which a template stands", workload("volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]", kind="StatefulSet", more="volumeClaimTemplates: [{metadata: {name: data}}]")),
    ("a class of the cluster", thing("StorageClass", "fast", namespace="") + thing("PersistentVolumeClaim", "a", "spec: {storageClassName: gp3}")),
    ("a role of the API server", binding("kind: ClusterRole, name: system:auth-delegator")),
    ("a subject of the control plane", binding("kind: ClusterRole, name: view", "{kind: ServiceAccount, name: x, namespace: kube-system}")),
    ("a group as subject", binding("kind: ClusterRole, name: view", "{kind: Group, name: nowhere}")),
    ("a cluster role in any namespace", thing("ClusterRole", "r", api="rbac.authorization.k8s.io/v1", namespace="") + binding("kind: ClusterRole, name: r")),
    ("a rollout's services", workload(kind="Rollout", api="argoproj.io/v1alpha1", more="strategy: {canary: {stableService: web}}") + service()),
]  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CLEAN])
def test_reference_when_something_may_answer_then_nothing_is_said(judge, text):
    assert [] == judge(text)


def test_reference_when_another_unit_of_the_namespace_answers_then_nothing_is_said(judge):
    assert [] == judge(container(MAP % "settings") + service(), SETTINGS, workload(name="other"))


def test_key_when_the_nearest_map_has_it_not_then_one_further_away_does_not_count(judge):
    other = thing("ConfigMap", "settings", "data: {color: red}")
    assert [("error", "missing-config-key", "web")] == judge(SETTINGS + container(FROM_SETTINGS % "color"), other)


def test_key_when_the_map_may_be_another_then_it_is_a_warning(judge):
    loose = SETTINGS.replace(", namespace: shop", "")
    assert [("warning", "missing-config-key", "web")] == judge(container(FROM_SETTINGS % "color"), loose)


def test_notes_when_there_are_many_then_none_is_listed_unless_somebody_asks(judge):
    text = "".join(container(MAP % f"nowhere-{number}") for number in range(LISTED + 1))
    assert [] == judge(text)
    assert LISTED + 1 == len(judge(text, listed={"missing-config-map"}))
    assert LISTED == len(judge(text.rpartition("---")[0]))


def example(rule: str, heading: str) -> str:
    section = (PAGES / f"{rule}.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0]


@pytest.mark.parametrize("rule", [rule.id for rule in REFERENCE_RULES])
def test_page_when_judged_then_what_it_shows_is_true(judge, rule):
    assert rule in {found for _, found, _ in judge(example(rule, "Flagged"))}
    assert [] == judge(example(rule, "Fixed"))
