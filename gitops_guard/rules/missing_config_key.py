"""missing-config-key: pods ask for a key that the ConfigMap or Secret does not have."""

from collections.abc import Iterator

from gitops_guard.links.outline import Outline
from gitops_guard.links.view import View
from gitops_guard.model import Problem, Severity
from gitops_guard.rules.reference import ReferenceRule, certainty


class MissingConfigKey(ReferenceRule):
    """Flags keys that are in none of the objects that the name may mean."""

    id = "missing-config-key"
    severity = Severity.ERROR
    kinds = ("*",)
    summary = "A key that the ConfigMap or Secret which pods use does not have."
    targets = frozenset({"ConfigMap", "Secret"})

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield every key that is missing."""
        for use in one.uses:
            if not use.keys or use.optional or use.kind not in {"ConfigMap", "Secret"}:
                continue
            if not view.holds(use.kind, use.name):
                continue
            found = view.find(use.kind, use.name, one.namespace)
            if not found.objects or any(other.kind != use.kind or other.offers is None for other in found.objects):
                continue
            missing = [key for key in use.keys if all(key not in (other.offers or ()) for other in found.objects)]
            if missing:
                state = "CreateContainerConfigError" if use.how == "environment" else "ContainerCreating"
                message = f"{use.kind} {use.name} has no key {missing[0]}: pods wait in {state}"
                yield Problem(field=use.path, message=message, severity=certainty(found))
