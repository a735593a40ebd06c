"""Every detector, in order of its rule's id."""

from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards import (
    anti_affinity_needs_spare_node,
    deadline_shorter_than_start,
    host_port_needs_spare_node,
    immutable_field_change,
    limit_range_rejects_pods,
    liveness_kills_slow_start,
    missing_config_key,
    mutable_image_tag,
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
    rwo_volume_in_rolling_update,
    service_port_missing,
    service_selects_nothing,
    single_replica_downtime,
    stale_config,
    unprobed_rollout,
    unserved_readiness_gate,
)
from gitops_guard.rollout.hazards.hazard import Detector, Hazard

DETECTORS: tuple[Detector, ...] = (
    anti_affinity_needs_spare_node.find,
    deadline_shorter_than_start.find,
    host_port_needs_spare_node.find,
    immutable_field_change.find,
    limit_range_rejects_pods.find,
    liveness_kills_slow_start.find,
    missing_config_key.find,
    mutable_image_tag.find,
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
    rwo_volume_in_rolling_update.find,
    service_port_missing.find,
    service_selects_nothing.find,
    single_replica_downtime.find,
    stale_config.find,
    unprobed_rollout.find,
    unserved_readiness_gate.find,
)


def find_hazards(change: Change) -> list[Hazard]:
    """Return every hazard of a change."""
    return [hazard for detect in DETECTORS for hazard in detect(change)]
