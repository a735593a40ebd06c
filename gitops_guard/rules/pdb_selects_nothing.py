"""pdb-selects-nothing: a PodDisruptionBudget protects no pod."""

from gitops_guard.rules.reference import SelectsNothing


class PdbSelectsNothing(SelectsNothing):
    """Flags selectors that match the pods of no workload."""

    id = "pdb-selects-nothing"
    kinds = ("PodDisruptionBudget.policy",)
    summary = "A PodDisruptionBudget whose selector matches no pod."
    effect = "the budget protects nothing"
