"""Whether a node can take a pod: the filters of kube-scheduler, on a snapshot of a cluster.

Rules from kubernetes v1.36.3, pkg/scheduler/framework/plugins. Scores are left out: among nodes that pass, the real
scheduler chooses by rules that plugins and profiles change, so nothing here says where a pod goes.
"""
