"""missing-config-map: pods use a ConfigMap that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget


class MissingConfigMap(MissingTarget):
    """Flags ConfigMaps that pods cannot start without and that nothing makes."""

    id = "missing-config-map"
    kinds = ("*",)
    summary = "A ConfigMap that pods need and that is not there."
    targets = frozenset({"ConfigMap"})
    known = frozenset({
        "extension-apiserver-authentication", "istio-ca-root-cert", "kube-root-ca.crt", "openshift-service-ca.crt",
    })  # fmt: skip

    def effect_of(self, use: Use) -> str:
        """Say in which state pods wait."""
        return f"pods wait in {'CreateContainerConfigError' if use.how == 'environment' else 'ContainerCreating'}"
