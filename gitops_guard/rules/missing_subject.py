"""missing-subject: a binding gives rights to an account that is not there."""

from gitops_guard.links.outline import Use
from gitops_guard.rules.reference import MissingTarget


class MissingSubject(MissingTarget):
    """Flags accounts among the subjects of a binding that nothing makes."""

    id = "missing-subject"
    kinds = ("RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io")
    summary = "A ServiceAccount that a binding gives rights to and that is not there."
    targets = frozenset({"ServiceAccount"})
    in_own_namespace = False
    known = frozenset({"default"})
    effect = "the rights are nobody's until somebody makes an account of that name"

    def is_known(self, use: Use) -> bool:
        """Leave the accounts that the control plane makes for its controllers."""
        return use.namespace == "kube-system"
