"""network-policy-selects-nothing: a NetworkPolicy holds for no pod."""

from gitops_guard.rules.reference import SelectsNothing


class NetworkPolicySelectsNothing(SelectsNothing):
    """Flags pod selectors that match the pods of no workload."""

    id = "network-policy-selects-nothing"
    kinds = ("NetworkPolicy.networking.k8s.io",)
    summary = "A NetworkPolicy whose pod selector matches no pod."
    field = ("spec", "podSelector")
    effect = "the policy isolates nothing"
