"""The rules that the engine itself answers for: what the loader, the schemas and the suppressions can report.

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


ENGINE_RULES = _table(
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
"""All ids that the engine reports by itself, sorted."""
