"""Built-in rules in Python: one module and one page a rule id."""
