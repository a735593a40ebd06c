"""Code hosts: comments, statuses and check-runs on a pull request. One file a host behind `host.Forge`.

The only part of `pr` and `report` that talks to the network; it is imported when something is to be posted. It knows
texts and states, not plans: what they say is decided elsewhere.
"""
