"""Hazards of a change that its manifests alone give away: one file a rule, each with a page in `gitops_guard/rules/`.

A hazard speaks only of what the change touches: what was so before, and stays so, is for `check` and its policies.
"""
