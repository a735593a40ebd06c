"""missing-role: a binding refers to a role that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget


class MissingRole(MissingTarget):
    """Flags bindings whose role nothing makes; those of the cluster itself are known."""

    id = "missing-role"
    kinds = ("RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io")
    summary = "A binding whose role is not there."
    targets = frozenset({"Role", "ClusterRole"})
    in_own_namespace = False
    known = frozenset({"admin", "cluster-admin", "edit", "view"})
    effect = "the binding gives no rights"

    def is_known(self, use: Use) -> bool:
        """Tell whether the API server makes the role itself."""
        return use.name.startswith("system:") or use.name == "extension-apiserver-authentication-reader"
