"""The sync stage: make the cluster what Git says, prune safely, and tell what drifted and who did it.

    objects, instructions -> graph -> scan -> plan -> guard -> inventory -> apply -> wait -> prune -> inventory, report

What is decided without a cluster (graph, plan, guard, prune rules, health, drift of one object) takes data and gives
data; `apply`, `wait`, `lock` and `store` alone talk to it.
"""
