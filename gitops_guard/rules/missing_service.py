"""missing-service: a route, a rollout or a StatefulSet names a Service that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget

_EFFECTS = {
    "backend": "requests are answered with an error",
    "serviceName": "its pods have no names in DNS",
}


class MissingService(MissingTarget):
    """Flags backends of Ingresses and routes, and Services of Argo Rollouts and StatefulSets, that nothing makes."""

    id = "missing-service"
    kinds = (
        "Ingress.networking.k8s.io",
        "HTTPRoute.gateway.networking.k8s.io",
        "GRPCRoute.gateway.networking.k8s.io",
        "TCPRoute.gateway.networking.k8s.io",
        "TLSRoute.gateway.networking.k8s.io",
        "UDPRoute.gateway.networking.k8s.io",
        "Rollout.argoproj.io",
        "StatefulSet.apps",
    )
    summary = "A Service that something sends traffic to and that is not there."
    targets = frozenset({"Service"})
    in_own_namespace = False
    known = frozenset({"kubernetes", "webhook-receiver"})  # the API server's, and that of Flux's receivers

    def effect_of(self, use: Use) -> str:
        """Say what the Service is needed for."""
        return _EFFECTS.get(use.how, "the rollout is not carried out (InvalidSpec)")
