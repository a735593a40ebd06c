"""Schemas by version and kind, and what does not fit them; the only user of kubernetes-validate."""
