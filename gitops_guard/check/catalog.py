"""The rules that the engine itself answers for: what loader, schemas, suppressions and simulation find.

Each has a page `gitops_guard/rules/<id>.md`; rules written as objects (built-in or from plugins) bring their own
data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_guard.model import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInfo:
    """What is shown of a rule."""

    id: str
    severity: Severity
    """The usual one; single problems may be milder."""

    summary: str
    """One sentence: what it flags."""


def _table(*rows: tuple[str, Severity, str]) -> Mapping[str, RuleInfo]:
    return {rule: RuleInfo(id=rule, severity=severity, summary=summary) for rule, severity, summary in rows}


_CHECK_RULES = _table(
    (
        "deprecated-api",
        Severity.WARNING,
        "An API version that is deprecated: a later Kubernetes may remove it.",
    ),
    ("duplicate-list-item", Severity.ERROR, "Two items of a list share the key that must tell them apart."),
    ("invalid-crd", Severity.ERROR, "A CustomResourceDefinition that the API server refuses."),
    ("invalid-value", Severity.ERROR, "A value out of its range, format or pattern."),
    ("missing-field", Severity.ERROR, "A required field is missing."),
    ("missing-schema", Severity.ERROR, "A kind for which there is no schema, where the configuration asks for one."),
    ("non-structural-schema", Severity.ERROR, "A CustomResourceDefinition whose schema is not structural."),
    ("removed-api", Severity.ERROR, "An API version that a target Kubernetes version no longer serves."),
    ("suppression-expired", Severity.WARNING, "A suppression whose date has passed."),
    ("suppression-without-reason", Severity.WARNING, "A suppression that gives no reason."),
    ("unknown-field", Severity.ERROR, "A field that the kind does not have."),
    ("unknown-kind", Severity.ERROR, "A kind or version that Kubernetes has never served in one of its own groups."),
    ("unsupported-value", Severity.ERROR, "A word that is not among those a field takes."),
    ("unused-suppression", Severity.WARNING, "A suppression that silences nothing."),
    ("wrong-type", Severity.ERROR, "A value of the wrong type."),
    ("yaml-alias-budget", Severity.ERROR, "Aliases that expand to more than the API server accepts."),
    ("yaml-alias-cycle", Severity.ERROR, "An alias inside its own anchor."),
    ("yaml-anchor-redefined", Severity.WARNING, "The same anchor twice in one document."),
    ("yaml-bool-word", Severity.WARNING, "An unquoted y, n, yes, no, on or off, which tools read differently."),
    ("yaml-date-rewritten", Severity.NOTE, "An unquoted date, which kustomize rewrites."),
    ("yaml-depth", Severity.ERROR, "Nesting deeper than any reader takes."),
    ("yaml-directive", Severity.ERROR, "A %YAML or %TAG directive, which kubectl refuses."),
    ("yaml-duplicate-key", Severity.ERROR, "The same key twice in one mapping."),
    ("yaml-empty", Severity.NOTE, "A file without any object."),
    ("yaml-encoding", Severity.ERROR, "Bytes that are no UTF-8, or a text encoding that tools read differently."),
    ("yaml-key-not-string", Severity.WARNING, "A key that is a number, boolean or date."),
    ("yaml-key-type", Severity.ERROR, "A key that is null, a list, a map or a number out of range."),
    ("yaml-lost-text", Severity.ERROR, "Text that the reader in use drops without a word."),
    ("yaml-merge-after-key", Severity.ERROR, "A merge that overwrites a key written before it."),
    ("yaml-merge-value", Severity.ERROR, "A merge of something that is no mapping."),
    ("yaml-not-finite", Severity.ERROR, "An infinite number or NaN, which JSON cannot hold."),
    ("yaml-not-json", Severity.WARNING, "A file that starts like JSON but is none."),
    ("yaml-not-object", Severity.ERROR, "A document that is a list or a scalar."),
    ("yaml-number-rounded", Severity.WARNING, "A number that loses digits on its way to the API server."),
    ("yaml-octal", Severity.WARNING, "A leading zero that makes a number octal."),
    ("yaml-reader-dependent", Severity.NOTE, "A scalar that other YAML readers read as another type."),
    ("yaml-separator", Severity.ERROR, "Text after the --- of a document separator."),
    ("yaml-syntax", Severity.ERROR, "Text that is no YAML."),
    ("yaml-too-large", Severity.ERROR, "A document larger than the API server takes."),
    ("yaml-wrong-scalar", Severity.ERROR, "An unquoted number or boolean where the field wants a string."),
)
"""What `check` finds."""

HAZARD_RULES = _table(
    (
        "anti-affinity-needs-spare-node",
        Severity.WARNING,
        "A rollout that needs one node more than there are pods, by anti-affinity.",
    ),
    ("autoscaler-min-above-max", Severity.ERROR, "An autoscaler whose least number of replicas is above its most."),
    ("crd-with-its-objects", Severity.NOTE, "A kind that is defined and used in one change."),
    (
        "deadline-shorter-than-start",
        Severity.ERROR,
        "A progress deadline that passes before the probes let a pod be ready.",
    ),
    ("dropped-connections", Severity.NOTE, "A rollout behind a load balancer without a preStop hook."),
    ("host-port-needs-spare-node", Severity.ERROR, "A rollout whose old and new pods need the same port of a node."),
    ("immutable-field-change", Severity.ERROR, "A change of a field that the API server lets nobody change."),
    ("limit-range-rejects-pods", Severity.ERROR, "A container outside of its namespace's LimitRange."),
    ("liveness-kills-slow-start", Severity.WARNING, "A liveness probe that kills before the readiness probe begins."),
    ("missing-reference", Severity.ERROR, "A reference to what is neither in the cluster nor in the change."),
    ("mutable-image-tag", Severity.NOTE, "An image tag that people move: new bits roll nothing."),
    ("namespace-missing", Severity.ERROR, "Objects for a namespace that is neither in the cluster nor in the change."),
    ("no-node-fits", Severity.ERROR, "New pods that no node of the cluster can take."),
    ("overlapping-pdbs", Severity.WARNING, "Two PodDisruptionBudgets that cover the same pods."),
    ("overlapping-selectors", Severity.ERROR, "Two workloads whose selectors match the same pods."),
    ("paused-change", Severity.WARNING, "A new pod template in a workload that is paused."),
    ("pdb-blocks-drains", Severity.WARNING, "A PodDisruptionBudget that lets no pod be evicted."),
    ("prestop-exceeds-grace", Severity.WARNING, "A preStop hook that uses up the grace period."),
    ("quota-blocks-rollout", Severity.ERROR, "A ResourceQuota without room for the pods that a change needs."),
    ("quota-needs-requests", Severity.ERROR, "A container without the requests or limits that a ResourceQuota counts."),
    (
        "quota-slows-rollouts",
        Severity.WARNING,
        "Rollouts of one change that fit into a ResourceQuota only one after the other.",
    ),
    ("recreate-downtime", Severity.WARNING, "A rollout by Recreate: nothing serves meanwhile."),
    (
        "removed-reference",
        Severity.ERROR,
        "A ConfigMap, Secret, claim or account that a change removes while pods refer to it.",
    ),
    ("replicas-cut-in-rollout", Severity.WARNING, "Fewer replicas and a new pod template in one change."),
    ("replicas-fought-by-autoscaler", Severity.WARNING, "A number of replicas in Git that an autoscaler sets too."),
    ("replicas-removed", Severity.WARNING, "A number of replicas that leaves Git: one pod is left for a while."),
    (
        "rollout-breaks-pdb",
        Severity.WARNING,
        "A rollout that takes more pods away than a PodDisruptionBudget lets anyone else.",
    ),
    ("rollouts-compete-for-nodes", Severity.WARNING, "Rollouts of one change that do not fit on the nodes together."),
    (
        "rwo-volume-in-rolling-update",
        Severity.WARNING,
        "A rolling update whose new pod waits for a volume that the old one holds.",
    ),
    (
        "service-mixes-workloads",
        Severity.WARNING,
        "A Service that takes in pods of another workload because its selector asks for less.",
    ),
    ("single-replica-downtime", Severity.WARNING, "A single pod that goes before its successor is ready."),
    ("stale-config", Severity.WARNING, "A changed ConfigMap or Secret that pods in use do not see."),
    (
        "statefulset-update-trap",
        Severity.ERROR,
        "An ordered StatefulSet whose update cannot become ready, and cannot be reverted.",
    ),
    (
        "topology-spread-blocks-rollout",
        Severity.ERROR,
        "A topology spread constraint that leaves no node for new pods.",
    ),
    ("unprobed-rollout", Severity.WARNING, "A rollout behind a Service without a readiness probe."),
    ("unserved-api", Severity.ERROR, "An object of a kind and version that the cluster does not serve."),
    ("unserved-readiness-gate", Severity.ERROR, "A readiness gate that no known controller sets."),
    ("webhook-without-backend", Severity.WARNING, "A webhook that is created together with what answers it."),
)
"""What only `simulate` finds, which knows what was before: to `check` no suppression of one is unused."""

ENGINE_RULES: Mapping[str, RuleInfo] = {**_CHECK_RULES, **HAZARD_RULES}
"""All ids that the engine reports by itself."""
