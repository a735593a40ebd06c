"""service-selects-nothing: no pod stands behind a Service."""

from gitops_guard.rules.reference import SelectsNothing


class ServiceSelectsNothing(SelectsNothing):
    """Flags selectors that match the pods of no workload."""

    id = "service-selects-nothing"
    kinds = ("Service",)
    summary = "A Service whose selector matches no pod."
    effect = "the Service has no endpoints"
