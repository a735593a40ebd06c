"""A plugin for gitops-guard with one rule, `missing-team-label`: an example to start from."""
