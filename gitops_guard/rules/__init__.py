"""Built-in rules in Python: one module and one page a rule id.

What the loader and the schemas report by themselves is listed in `gitops_guard.check.catalog`; its pages lie here too.
"""

from gitops_guard.model import Rule

RULES: tuple[Rule, ...] = ()
"""Every built-in rule object. The value rules beyond the schema are still to come."""
