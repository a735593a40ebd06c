"""One command on one cluster or several: each by itself, so that one that is away keeps no other waiting."""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gitops_guard.cluster import Client
from gitops_guard.commands.ending import Ending
from gitops_guard.commands.sync_narration import Narration
from gitops_guard.commands.sync_source import Origin, Place, Source, render_origin
from gitops_guard.commands.sync_target import Target, connected
from gitops_guard.errors import GuardError
from gitops_guard.model.sync import SyncReport
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.locking import Stop

_AT_ONCE: Final = 8
"""Clusters that are talked to at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A cluster, and what Git wants of it."""

    client: Client
    context: str
    name: SetName
    source: Source
    narration: Narration
    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRun:
    """What came of one cluster: a report, or the reason why there is none."""

    context: str
    report: SyncReport | None = None
    error: str = ""
    answers: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """Answers of the API server, by method and status."""


Work: TypeAlias = Callable[[Connected], SyncReport]


def on_one(target: Target, origin: Origin, environment: Mapping[str, str], work: Work, *, ending: Ending) -> ClusterRun:
    """Do the work on one cluster.

    Raises:
        GuardError: Nothing could be done.
    """
    with connected(target, environment) as (client, access, name):
        source = render_origin(origin, Place(context=access.name, server=access.server), environment)
        stop = Stop()
        with Narration(sys.stderr) as narration, ending.in_good_order([client], [stop]):
            place = Connected(
                client=client, context=access.name, name=name, source=source, narration=narration, stop=stop
            )
            report = work(place)
        return ClusterRun(context=access.name, report=report, answers=client.counts)


def on_each(
    targets: Sequence[Target], origin: Origin, environment: Mapping[str, str], work: Work, *, ending: Ending
) -> tuple[ClusterRun, ...]:
    """Do the work on several clusters at once, and return what came of each, in the order given."""
    failed: dict[str, ClusterRun] = {}
    places: list[Connected] = []
    with ExitStack() as stack:
        for target in targets:
            try:
                client, access, name = stack.enter_context(connected(target, environment))
                # One after the other: rendering is work for this machine, waiting is not.
                source = render_origin(origin, Place(context=access.name, server=access.server), environment)
            except GuardError as error:
                failed[target.context] = ClusterRun(context=target.context, error=str(error))
                continue
            narration = stack.enter_context(Narration(sys.stderr, cluster=target.context))
            places.append(
                Connected(
                    client=client,
                    context=target.context,
                    name=name,
                    source=source,
                    narration=narration,
                    stop=Stop(),  # its own: what ends the run on one cluster is nothing to the others
                )
            )
        clients, stops = [one.client for one in places], [one.stop for one in places]
        with ending.in_good_order(clients, stops), ThreadPoolExecutor(_AT_ONCE) as pool:
            done = {run.context: run for run in pool.map(lambda one: _worked(one, work), places)}
    return tuple({**failed, **done}[target.context] for target in targets)


def _worked(place: Connected, work: Work) -> ClusterRun:
    try:
        report = work(place)
    except GuardError as error:
        return ClusterRun(context=place.context, error=str(error), answers=place.client.counts)
    return ClusterRun(context=place.context, report=report, answers=place.client.counts)
