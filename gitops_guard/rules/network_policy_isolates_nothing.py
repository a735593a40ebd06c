"""network-policy-isolates-nothing: a NetworkPolicy allows all that it could forbid."""

from collections.abc import Iterator

from gitops_guard.links.outline import Outline
from gitops_guard.links.view import View
from gitops_guard.model import Problem, Severity
from gitops_guard.rules.reference import ReferenceRule


class NetworkPolicyIsolatesNothing(ReferenceRule):
    """Flags policies with a rule that lets everything pass, in every direction that they are about."""

    id = "network-policy-isolates-nothing"
    severity = Severity.NOTE
    kinds = ("NetworkPolicy.networking.k8s.io",)
    summary = "A NetworkPolicy that lets everything pass."

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield the policy when each of its directions has a rule without conditions."""
        del view
        if one.allows_all:
            message = "a rule without conditions lets everything pass, so the policy isolates nothing"
            yield Problem(field=("spec",), message=message, hint="say from where, to where, or at which ports")
