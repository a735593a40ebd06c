"""backend-port-missing: a route sends traffic to a port that the Service does not have."""

from collections.abc import Iterator

from gitops_guard.links.outline import Outline
from gitops_guard.links.view import View
from gitops_guard.model import Problem, Severity
from gitops_guard.rules.reference import ReferenceRule, certainty


class BackendPortMissing(ReferenceRule):
    """Flags ports that are in none of the Services that the name may mean."""

    id = "backend-port-missing"
    severity = Severity.ERROR
    kinds = (
        "Ingress.networking.k8s.io",
        "HTTPRoute.gateway.networking.k8s.io",
        "GRPCRoute.gateway.networking.k8s.io",
        "TCPRoute.gateway.networking.k8s.io",
        "TLSRoute.gateway.networking.k8s.io",
        "UDPRoute.gateway.networking.k8s.io",
    )
    summary = "A port of an Ingress or route that its Service does not have."
    targets = frozenset({"Service"})

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield every port that is missing."""
        for use in one.uses:
            if use.how != "backend" or not use.keys or not view.holds("Service", use.name):
                continue
            found = view.find("Service", use.name, use.namespace or one.namespace)
            if not found.objects or any(other.offers is None or other.group for other in found.objects):
                continue
            port = use.keys[0]
            if not any(port in offer for other in found.objects for offer in other.offers or ()):
                message = f"Service {use.name} has no port {port}: requests are answered with an error"
                field, hint = (*use.path, "port"), _hint(found.objects[0])
                yield Problem(field=field, message=message, hint=hint, severity=certainty(found))


def _hint(service: Outline) -> str:
    ports = [f"{number} ({name})" if name else f"{number}" for name, number in service.offers or ()]
    return f"it has {', '.join(ports[:5])}"
