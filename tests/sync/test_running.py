"""A whole run on the real server."""

from __future__ import annotations


def test_sync_when_new_then_all_is_created_and_the_next_run_finds_nothing(fleet, words):
    make, actions = words, words.actions
    fleet.want(make.config_map(fleet.namespace), make.deployment(fleet.namespace))

    first = fleet.sync()
    second = fleet.sync()

    assert {"ConfigMap settings": "created", "Deployment web": "created"} == actions(first)
    assert {"ConfigMap settings": "unchanged", "Deployment web": "unchanged"} == actions(second)
    assert ("synced", "synced") == (first.verdict, second.verdict)
