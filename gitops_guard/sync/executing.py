"""The graph, walked: every object as soon as what it waits for is there; a failure stops its dependents alone."""

import heapq
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from gitops_guard.model.sync import HealthStatus, SyncAction
from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.graph import Gate, Graph, Node
from gitops_guard.sync.health import Verdict
from gitops_guard.sync.objects import Key
from gitops_guard.sync.planning import Item, Step

_WORKERS: Final = 32
"""Threads; how many requests run at a time is the limiter's to say."""

_SPARE: Final = 2
"""So many more are begun, so that the next one is ready when a request ends."""

_FIRST_POLL_S: Final = 0.05
_LONGEST_POLL_S: Final = 2.0
_TICK_S: Final = 0.25
_WORK: Final = frozenset((Step.CREATE, Step.UPDATE, Step.SUSPECT))
_GOOD: Final = (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the walk does with an object."""

    apply: Callable[[Item], Outcome]
    health: Callable[[Item], Verdict]
    """Asked for objects that others wait to see healthy."""

    capacity: Callable[[], int] = lambda: _WORKERS
    """How many requests the server takes at a time: more would only wait, and could not be called off."""

    told: Callable[[Outcome], None] = lambda _outcome: None
    """Told of each object that is done, in the order in which they are."""


@dataclass(slots=True)
class _Pending:
    """An object that is applied and not healthy yet, and that others wait for."""

    item: Item
    poll_at: float
    interval_s: float = _FIRST_POLL_S


class Execution:
    """One walk over a graph."""

    def __init__(
        self,
        graph: Graph,
        items: Mapping[Key, Item],
        tools: Tools,
        *,
        stopped: threading.Event,
        healthy_within_s: float,
    ) -> None:
        self._graph = graph
        self._items = items
        self._tools = tools
        self._stopped = stopped
        self._deadline = time.monotonic() + healthy_within_s
        self._after = graph.after()
        self._waits = {node: set(earlier) for node, earlier in graph.before.items()}
        self._why_not: dict[Node, str] = {}
        self._ready: list[tuple[bool, tuple[str, ...], Node]] = []
        self._running: dict[Future[Outcome | Verdict], Key] = {}
        self._pending: dict[Key, _Pending] = {}
        self._busy = self._leading_to_work()
        self.outcomes: dict[Key, Outcome] = {}

    def run(self) -> dict[Key, Outcome]:
        """Walk, and return what became of every object that was to be written.

        Raises:
            ClusterError: The run cannot go on.
        """
        for node, earlier in self._waits.items():
            if not earlier:
                self._push(node)
        with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="apply") as pool:
            try:
                while self._step(pool):
                    pass
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return self.outcomes

    def _leading_to_work(self) -> set[Node]:
        """Return the nodes that something to be written waits for; the others need not be looked at."""
        todo: list[Node] = [
            key for key, item in self._items.items() if item.step in _WORK and key in self._graph.before
        ]
        found = set(todo)
        while todo:
            for earlier in self._graph.before.get(todo.pop(), ()):
                if earlier not in found:
                    found.add(earlier)
                    todo.append(earlier)
        return found

    def _step(self, pool: ThreadPoolExecutor) -> bool:
        """Start what is ready, wait for something to end; False when all is done."""
        if self._stopped.is_set():
            self._ready.clear()
            self._pending.clear()
        most = min(_WORKERS, self._tools.capacity() + _SPARE)
        while self._ready and len(self._running) < most:
            self._start(pool, heapq.heappop(self._ready)[2])
        self._poll(pool)
        if self._running:
            done, _ = wait(self._running, timeout=_TICK_S, return_when=FIRST_COMPLETED)
            for future in done:
                self._ended(self._running.pop(future), future.result())
        elif self._pending and not self._ready:
            self._stopped.wait(
                min(_TICK_S, max(0.0, min(one.poll_at for one in self._pending.values()) - time.monotonic()))
            )
        return bool(self._ready or self._running or self._pending)

    def _push(self, node: Node) -> None:
        heapq.heappush(self._ready, (not isinstance(node, Key), tuple(str(part) for part in node), node))

    def _start(self, pool: ThreadPoolExecutor, node: Node) -> None:
        item = self._items.get(node) if isinstance(node, Key) else None
        if node in self._why_not:
            self._skip(node, item)
        elif item is None or item.step not in _WORK:
            self._settled_without_work(node, item)
        else:
            self._running[pool.submit(self._tools.apply, item)] = item.key

    def _skip(self, node: Node, item: Item | None) -> None:
        reason = self._why_not[node]
        if item is not None and item.step in _WORK:
            self._done(Outcome(item=item, action=SyncAction.SKIPPED, reason=reason, is_held=True))
        self._release(node, reason)

    def _settled_without_work(self, node: Node, item: Item | None) -> None:
        if item is not None and item.step is Step.BLOCK:
            self._release(node, f"{item.key} is blocked")
        elif item is not None and node in self._busy and self._is_gate(item.key):
            self._await(item)
        else:
            self._release(node, "")

    def _ended(self, key: Key, result: Outcome | Verdict) -> None:
        if isinstance(result, Outcome):
            self._done(result)
            if result.is_failed:
                self._release(key, f"it waits for {key}, which failed")
            elif self._is_gate(key):
                self._await(self._items[key])
            else:
                self._release(key, "")
        elif key in self._pending:
            self._judged(key, result)

    def _done(self, outcome: Outcome) -> None:
        self.outcomes[outcome.item.key] = outcome
        self._tools.told(outcome)

    def _is_gate(self, key: Key) -> bool:
        """Tell whether something that matters waits for the object to be healthy."""
        later = self._after.get(key, ())
        return any(self._graph.before[node][key] is Gate.HEALTHY and node in self._busy for node in later)

    def _await(self, item: Item) -> None:
        for node in self._after.get(item.key, ()):
            if self._graph.before[node][item.key] is Gate.APPLIED:
                self._passed(node, item.key, "")
        self._pending[item.key] = _Pending(item, time.monotonic())

    def _poll(self, pool: ThreadPoolExecutor) -> None:
        now, asked = time.monotonic(), set(self._running.values())
        for key, pending in sorted(self._pending.items()):
            if pending.poll_at <= now and key not in asked and len(self._running) < _WORKERS:
                self._running[pool.submit(self._tools.health, pending.item)] = key

    def _judged(self, key: Key, verdict: Verdict) -> None:
        pending = self._pending[key]
        if verdict.status in _GOOD:
            del self._pending[key]
            self._release(key, "")
        elif verdict.status is HealthStatus.FAILED or time.monotonic() > self._deadline:
            del self._pending[key]
            said = verdict.message or verdict.reason or str(verdict.status)
            self._release(key, f"it waits for {key}, which is not healthy: {said}")
        else:
            pending.poll_at = time.monotonic() + pending.interval_s
            pending.interval_s = min(pending.interval_s * 2, _LONGEST_POLL_S)

    def _release(self, node: Node, why_not: str) -> None:
        """Let what waits for a node go on, or tell it that it cannot."""
        for later in self._after.get(node, ()):
            self._passed(later, node, why_not)

    def _passed(self, later: Node, earlier: Node, why_not: str) -> None:
        if why_not:
            self._why_not.setdefault(later, why_not)
        waiting = self._waits[later]
        if earlier in waiting:
            waiting.discard(earlier)
            if not waiting:
                self._push(later)
