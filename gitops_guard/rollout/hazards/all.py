"""Every detector, in order of its rule's id."""

from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards import (
    anti_affinity_needs_spare_node,
    autoscaler_min_above_max,
    crd_with_its_objects,
    deadline_shorter_than_start,
    dropped_connections,
    host_port_needs_spare_node,
    immutable_field_change,
    limit_range_rejects_pods,
    liveness_kills_slow_start,
    missing_config_key,
    missing_reference,
    mutable_image_tag,
    namespace_missing,
    no_node_fits,
    overlapping_pdbs,
    overlapping_selectors,
    paused_change,
    pdb_blocks_drains,
    prestop_exceeds_grace,
    quota_blocks_rollout,
    quota_needs_requests,
    quota_slows_rollouts,
    recreate_downtime,
    removed_reference,
    replicas_cut_in_rollout,
    replicas_fought_by_autoscaler,
    replicas_removed,
    rollout_breaks_pdb,
    rollouts_compete_for_nodes,
    rwo_volume_in_rolling_update,
    service_mixes_workloads,
    service_port_missing,
    service_selects_nothing,
    single_replica_downtime,
    stale_config,
    statefulset_update_trap,
    topology_spread_blocks_rollout,
    unprobed_rollout,
    unserved_api,
    unserved_readiness_gate,
    webhook_without_backend,
)
from gitops_guard.rollout.hazards.hazard import Detector, Hazard

DETECTORS: tuple[Detector, ...] = (
    anti_affinity_needs_spare_node.find,
    autoscaler_min_above_max.find,
    crd_with_its_objects.find,
    deadline_shorter_than_start.find,
    dropped_connections.find,
    host_port_needs_spare_node.find,
    immutable_field_change.find,
    limit_range_rejects_pods.find,
    liveness_kills_slow_start.find,
    missing_config_key.find,
    missing_reference.find,
    mutable_image_tag.find,
    namespace_missing.find,
    no_node_fits.find,
    overlapping_pdbs.find,
    overlapping_selectors.find,
    paused_change.find,
    pdb_blocks_drains.find,
    prestop_exceeds_grace.find,
    quota_blocks_rollout.find,
    quota_needs_requests.find,
    quota_slows_rollouts.find,
    recreate_downtime.find,
    removed_reference.find,
    replicas_cut_in_rollout.find,
    replicas_fought_by_autoscaler.find,
    replicas_removed.find,
    rollout_breaks_pdb.find,
    rollouts_compete_for_nodes.find,
    rwo_volume_in_rolling_update.find,
    service_mixes_workloads.find,
    service_port_missing.find,
    service_selects_nothing.find,
    single_replica_downtime.find,
    stale_config.find,
    statefulset_update_trap.find,
    topology_spread_blocks_rollout.find,
    unprobed_rollout.find,
    unserved_api.find,
    unserved_readiness_gate.find,
    webhook_without_backend.find,
)


SHARED: tuple[Detector, ...] = (
    quota_blocks_rollout.find,
    quota_slows_rollouts.find,
    rollouts_compete_for_nodes.find,
)
"""What units that are rendered apart do to each other in one cluster: one quota, one set of nodes."""


def find_shared_hazards(change: Change) -> list[Hazard]:
    """Return the hazards of a change that is put together from several units of one cluster."""
    return [hazard for detect in SHARED for hazard in detect(change)]


def find_hazards(change: Change) -> list[Hazard]:
    """Return every hazard of a change."""
    return [hazard for detect in DETECTORS for hazard in detect(change)]
