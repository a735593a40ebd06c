"""One graph of what comes before what, from kinds, references and annotations; cycles are told, never guessed away.

An edge says what the later object waits for: that the earlier one was applied, or that it is healthy. Edges that follow
from references alone give way where they contradict what somebody declared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

from gitops_guard.sync.hooks import Hook, Phase
from gitops_guard.sync.objects import Desired, Key
from gitops_guard.sync.references import defined_kind, references, selects, webhook_services

_CRD: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_WEBHOOKS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


class Gate(IntEnum):
    """What an object waits for in another one."""

    APPLIED = 1
    HEALTHY = 2


class Barrier(NamedTuple):
    """A point that some objects pass before others start: the end of a wave, a unit or a group."""

    what: str
    """`wave`, `unit`, `group`; `pre`, `post`: all hooks before, all that is before the hooks after."""

    owner: str
    number: int = 0


Node = Key | Barrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Who waits for whom, and what cannot be ordered."""

    before: Mapping[Node, Mapping[Node, Gate]]
    """Of every node, what comes before it."""

    cycles: tuple[tuple[Key, ...], ...] = ()
    """Objects that wait for each other, each sorted; the plan is refused."""

    unknown: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    """What an object says that it depends on and that is not in the set."""

    def after(self) -> dict[Node, list[Node]]:
        """Return, of every node, what waits for it, sorted."""
        found: dict[Node, list[Node]] = {node: [] for node in self.before}
        for node in sorted(self.before, key=_order):
            for earlier in self.before[node]:
                found[earlier].append(node)
        return found

    def waves(self) -> list[list[Key]]:
        """Return the objects in the order in which they could be applied, a list a step; for people and for tests."""
        waiting = {node: len(earlier) for node, earlier in self.before.items()}
        after = self.after()
        ready = [node for node, number in waiting.items() if not number]
        found: list[list[Key]] = []
        while ready:
            following: list[Node] = []
            step: list[Key] = []
            while ready:  # a barrier takes no step
                node = ready.pop()
                if isinstance(node, Key):
                    step.append(node)
                for later in after[node]:
                    waiting[later] -= 1
                    if not waiting[later]:
                        (ready if isinstance(node, Barrier) else following).append(later)
            found.append(sorted(step))
            ready = following
        return [step for step in found if step]


def build(
    objects: Sequence[Desired],
    unit_order: Mapping[str, Sequence[str]] | None = None,
    hooks: Sequence[Hook] = (),
) -> Graph:
    """Build the graph of what is applied.

    Args:
        objects: All that Git wants, the unchanged ones included.
        unit_order: Of a unit, those that come before it (`dependsOn` of Flux).
        hooks: That are to run: nodes of their own, and applied when they have come to their end.
    """
    return _Builder(objects, unit_order or {}, hooks).graph()


class _Builder:
    def __init__(
        self, objects: Sequence[Desired], unit_order: Mapping[str, Sequence[str]], hooks: Sequence[Hook]
    ) -> None:
        self._hooks = {one.desired.key: one for one in hooks}
        self._objects = {one.key: one for one in (*objects, *(hook.desired for hook in hooks))}
        self._unit_order = unit_order
        self._hard: dict[Node, dict[Node, Gate]] = {key: {} for key in self._objects}
        self._soft: dict[Node, set[Node]] = defaultdict(set)
        self._unknown: dict[Key, list[str]] = defaultdict(list)

    def graph(self) -> Graph:
        self._implicit()
        self._declared()
        cycles = _cycles(self._hard)
        if not cycles:
            self._add_soft()
        return Graph(
            before=self._hard,
            cycles=tuple(cycles),
            unknown={key: tuple(names) for key, names in self._unknown.items()},
        )

    def _hard_edge(self, later: Node, earlier: Node, gate: Gate) -> None:
        edges = self._hard.setdefault(later, {})
        self._hard.setdefault(earlier, {})
        edges[earlier] = max(gate, edges.get(earlier, Gate.APPLIED))

    def _implicit(self) -> None:
        definitions = {defined_kind(one.body): key for key, one in self._objects.items() if key[:2] == _CRD}
        for key, one in self._objects.items():
            space = Key("", "Namespace", "", key.namespace)
            if key.namespace and space in self._objects:
                self._hard_edge(key, space, Gate.APPLIED)
            definition = definitions.get((key.group, key.kind))
            if definition is not None:
                self._hard_edge(key, definition, Gate.APPLIED)
            self._soft[key] |= {other for other in references(key, one.body) if other in self._objects and other != key}
            if key.kind in _WEBHOOKS:
                self._after_backend(key, one)

    def _after_backend(self, key: Key, one: Desired) -> None:
        """Let a webhook configuration wait for its own backend: else it refuses what it needs to run."""
        for service in webhook_services(one.body):
            known = self._objects.get(service)
            if known is None:
                continue
            self._soft[key].add(service)
            workloads = (other for other in self._objects.values() if other.key.namespace == service.namespace)
            self._soft[key] |= {other.key for other in workloads if selects(known.body, other.body)}

    def _declared(self) -> None:
        for key, one in self._objects.items():
            for text in one.instructions.depends_on:
                self._depends_on(key, text)
        self._by_group()
        self._by_wave()
        self._by_unit()
        for phase in (Phase.PRE, Phase.POST):
            self._by_hooks(phase)

    def _depends_on(self, key: Key, text: str) -> None:
        other = parse_reference(text)
        if other is None or other not in self._objects:
            self._unknown[key].append(text)
        else:
            self._hard_edge(key, other, Gate.HEALTHY)

    def _by_group(self) -> None:
        groups: dict[str, list[Key]] = defaultdict(list)
        for key, one in self._objects.items():
            for group in one.instructions.groups:
                groups[group].append(key)
        for group, members in groups.items():
            for key in members:
                self._hard_edge(Barrier("group", group), key, Gate.HEALTHY)
        for key, one in self._objects.items():
            for group in one.instructions.after_groups:
                if group in groups:
                    self._hard_edge(key, Barrier("group", group), Gate.HEALTHY)
            for group in one.instructions.before_groups:
                for later in groups.get(group, ()):
                    self._hard_edge(later, key, Gate.HEALTHY)

    def _by_wave(self) -> None:
        units: dict[str, dict[int, list[Key]]] = defaultdict(lambda: defaultdict(list))
        for key, one in self._objects.items():
            hook = self._hooks.get(key)
            if hook is None or hook.phase is Phase.SYNC:
                units[one.unit][one.instructions.wave if hook is None else hook.wave].append(key)
        for unit, waves in units.items():
            for earlier, later in pairwise(sorted(waves)):
                barrier = Barrier("wave", unit, earlier)
                for key in waves[earlier]:
                    self._hard_edge(barrier, key, Gate.HEALTHY)
                for key in waves[later]:
                    self._hard_edge(key, barrier, Gate.HEALTHY)

    def _by_hooks(self, phase: Phase) -> None:
        units: dict[str, dict[int, list[Key]]] = defaultdict(lambda: defaultdict(list))
        for key, hook in self._hooks.items():
            if hook.phase is phase:
                units[hook.desired.unit][hook.wave].append(key)
        for unit, waves in units.items():
            for earlier, later in pairwise(sorted(waves)):
                for key in waves[later]:
                    for before in waves[earlier]:
                        self._hard_edge(key, before, Gate.APPLIED)
            mine = {key for keys in waves.values() for key in keys}
            if phase is Phase.PRE:
                self._after_hooks(unit, mine)
            else:
                self._before_hooks(unit, mine)

    def _after_hooks(self, unit: str, hooks: set[Key]) -> None:
        """Let a unit wait for its first hooks, but for what they cannot run without."""
        barrier, needed = Barrier("pre", unit), self._needed_by(hooks)
        for key in hooks:
            self._hard_edge(barrier, key, Gate.APPLIED)
        for key, one in self._objects.items():
            is_ground = key.kind == "Namespace" or key[:2] == _CRD
            if one.unit == unit and key not in hooks and key not in needed and not is_ground:
                self._hard_edge(key, barrier, Gate.APPLIED)

    def _before_hooks(self, unit: str, hooks: set[Key]) -> None:
        """Let a unit's last hooks wait until all of it is healthy."""
        barrier = Barrier("post", unit)
        for key, one in self._objects.items():
            if one.unit == unit and key not in hooks:
                self._hard_edge(barrier, key, Gate.APPLIED if key in self._hooks else Gate.HEALTHY)
        for key in hooks:
            self._hard_edge(key, barrier, Gate.APPLIED)

    def _needed_by(self, hooks: set[Key]) -> set[Key]:
        """Return what hooks name or depend on, and what that names in turn."""
        todo, found = list(hooks), set[Key]()
        while todo:
            key = todo.pop()
            one = self._objects[key]
            declared = [other for text in one.instructions.depends_on if (other := parse_reference(text)) is not None]
            for other in (*references(key, one.body), *declared):
                if other in self._objects and other not in found and other not in hooks:
                    found.add(other)
                    todo.append(other)
        return found

    def _by_unit(self) -> None:
        members: dict[str, list[Key]] = defaultdict(list)
        for key, one in self._objects.items():
            members[one.unit].append(key)
        for unit, earlier_units in self._unit_order.items():
            for earlier in earlier_units:
                for key in members.get(unit, ()):
                    self._hard_edge(key, Barrier("unit", earlier), Gate.HEALTHY)
                for key in members.get(earlier, ()):
                    self._hard_edge(Barrier("unit", earlier), key, Gate.HEALTHY)

    def _add_soft(self) -> None:
        """Add what references want, unless something that was declared wants the opposite."""
        both = {
            node: {**dict.fromkeys(self._soft.get(node, ()), Gate.APPLIED), **edges}
            for node, edges in self._hard.items()
        }
        component = {node: index for index, nodes in enumerate(_components(both)) for node in nodes}
        for later, earlier_ones in self._soft.items():
            for earlier in earlier_ones:
                if component[later] != component[earlier]:
                    self._hard[later].setdefault(earlier, Gate.APPLIED)


def parse_reference(text: str) -> Key | None:
    """Read `GROUP/namespaces/NAMESPACE/KIND/NAME` or `GROUP/KIND/NAME`; the core group is empty."""
    parts = text.strip().split("/")
    if len(parts) == 5 and parts[1] == "namespaces":
        return Key(parts[0], parts[3], parts[2], parts[4])
    if len(parts) == 3:
        return Key(parts[0], parts[1], "", parts[2])
    return None


def _order(node: Node) -> tuple[bool, tuple[str, ...]]:
    return (isinstance(node, Barrier), tuple(str(part) for part in node))


def _cycles(edges: Mapping[Node, Mapping[Node, Gate]]) -> list[tuple[Key, ...]]:
    return sorted(
        tuple(sorted(node for node in nodes if isinstance(node, Key)))
        for nodes in _components(edges)
        if len(nodes) > 1 or nodes[0] in edges.get(nodes[0], {})
    )


def _components(edges: Mapping[Node, Iterable[Node]]) -> Iterator[list[Node]]:
    """Yield the strongly connected components (Tarjan), without recursion: chains may be long."""
    index: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    stack: list[Node] = []
    on_stack: set[Node] = set()
    for root in edges:
        if root in index:
            continue
        work: list[tuple[Node, Iterator[Node]]] = [(root, iter(edges[root]))]
        index[root] = lowest[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            other = next(following, None)
            if other is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == index[node]:
                    yield _popped(stack, on_stack, node)
            elif other not in index:
                index[other] = lowest[other] = len(index)
                stack.append(other)
                on_stack.add(other)
                work.append((other, iter(edges.get(other, ()))))
            elif other in on_stack:
                lowest[node] = min(lowest[node], index[other])


def _popped(stack: list[Node], on_stack: set[Node], last: Node) -> list[Node]:
    found = []
    while True:
        node = stack.pop()
        on_stack.discard(node)
        found.append(node)
        if node == last:
            return found
