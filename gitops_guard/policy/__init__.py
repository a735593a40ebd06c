"""Policies as data: ValidatingAdmissionPolicy, evaluated on manifests as the API server would on requests.

    policies = load(sources, versions=("1.36",))     files in, `PolicySet` out: rules, and errors with their places
    rule.within(World(...)).check(resource, context) problems, as any other rule yields them

Reads no file and asks no repository: `commands/` brings bytes and resources. `check/` does not know where a rule came
from.
"""
