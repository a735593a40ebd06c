"""service-port-missing: a Service sends traffic to a port that its pods do not have."""

from collections.abc import Iterator

from gitops_guard.links.outline import Outline
from gitops_guard.links.view import View
from gitops_guard.model import Problem, Severity
from gitops_guard.rules.reference import ReferenceRule, certainty


class ServicePortMissing(ReferenceRule):
    """Flags target ports that none of the selected pods declares; a number need not be declared to work."""

    id = "service-port-missing"
    severity = Severity.ERROR
    kinds = ("Service",)
    summary = "A target port that no pod behind a Service has."

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield names that no pod has, and numbers that all pods leave out of the ports that they declare."""
        if not one.selector or one.group:
            return
        found = view.pods_of(one.selector, one.namespace)
        chosen = found.objects
        names = {name for pod in chosen for name, _ in pod.ports}
        numbers = {number for pod in chosen for _, number in pod.ports}
        for index, target in one.wants if chosen else ():
            field = ("spec", "ports", index, "targetPort")
            if isinstance(target, str) and target and not target.isdecimal() and target not in names:
                message = f"no pod behind the Service has a port named {target}: it gets no endpoints for this port"
                yield Problem(field=field, message=message, hint=_named(names), severity=certainty(found))
            elif found.near and isinstance(target, int) and target not in {0, *numbers} and all(map(_declares, chosen)):
                message = f"no pod behind the Service declares port {target}"
                hint = f"they declare {', '.join(str(number) for number in sorted(numbers)[:5])}"
                yield Problem(field=field, message=message, hint=hint, severity=Severity.NOTE)


def _declares(pods: Outline) -> bool:
    return bool(pods.ports)


def _named(names: set[str]) -> str:
    known = sorted(name for name in names if name)
    return f"they name {', '.join(known[:5])}" if known else "they name none"
