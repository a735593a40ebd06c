"""From what Git wants to a plan that the guards have seen: reads the cluster, writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_guard.cluster import Client
from gitops_guard.errors import SyncError
from gitops_guard.model.sync import GuardTrip
from gitops_guard.sync.graph import Graph, build
from gitops_guard.sync.guard import Situation, trips
from gitops_guard.sync.hooks import Hook, due
from gitops_guard.sync.ignoring import Ignoring
from gitops_guard.sync.objects import Desired, Key
from gitops_guard.sync.planning import Item, Plan, PlanOptions, Sight, Step, make_plan
from gitops_guard.sync.pruning import PruneRules
from gitops_guard.sync.request import Request
from gitops_guard.sync.scanning import scan
from gitops_guard.sync.settling import LeftOut, settle
from gitops_guard.sync.store import Store, Stored

_SUSPENDED = "its unit is suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and all that it was made of."""

    stored: Stored
    objects: Mapping[Key, Desired] = field(repr=False)
    left_out: tuple[LeftOut, ...] = ()
    planned_kinds: frozenset[tuple[str, str]] = frozenset()
    sight: Sight
    graph: Graph = field(repr=False)
    plan: Plan = field(repr=False)
    guards: tuple[GuardTrip, ...] = ()
    ignoring: Ignoring
    hooks: tuple[Hook, ...] = ()
    """All hooks that are not suspended."""

    due_hooks: tuple[Hook, ...] = ()
    """Those that are to run."""

    @property
    def may_write(self) -> bool:
        """Tell whether no guard stops all writes."""
        return all(trip.stops != "write" for trip in self.guards)

    @property
    def may_prune(self) -> bool:
        """Tell whether no guard stops anything."""
        return not self.guards


def prepare(client: Client, request: Request, store: Store, stored: Stored) -> Prepared:
    """Settle, scan, order, plan, guard.

    Args:
        client: Of the cluster.
        request: What is asked for.
        store: Of the set.
        stored: The parent as it was read.

    Raises:
        SyncError: What Git wants cannot be a set.
        ClusterError: The cluster could not be asked.
    """
    ignoring = Ignoring(request.ignore_rules, request.now().date())
    rendered, name = request.rendered, request.name
    has_secrets = any(one.id.kind == "Secret" and not one.id.group for one in rendered.wanted)
    settled = settle(
        rendered.wanted,
        client.resources(),
        set_id=name.id,
        default_namespace=request.default_namespace,
        ignoring=ignoring,
        secret_key=store.secret_key(create=not request.dry_run) if has_secrets else b"",
    )
    hooks = tuple(one for one in settled.hooks if one.desired.unit not in rendered.suspended_units)
    due_hooks = due(hooks, settled.objects, stored.inventory.hooks)
    graph = build(settled.objects, rendered.unit_order, due_hooks)
    if graph.cycles:
        raise SyncError(f"these objects wait for each other: {', '.join(map(str, graph.cycles[0]))}; break the circle")
    sight = scan(client, settled.objects, stored.inventory, set_id=name.id, planned_kinds=settled.planned_kinds)
    plan = _plan(request, settled.objects, stored, sight, graph)
    return Prepared(
        stored=stored,
        objects={one.key: one for one in settled.objects},
        left_out=settled.left_out,
        planned_kinds=settled.planned_kinds,
        sight=sight,
        graph=graph,
        plan=plan,
        guards=trips(_situation(request, stored, plan, len(settled.objects))),
        ignoring=ignoring,
        hooks=hooks,
        due_hooks=due_hooks,
    )


def _plan(request: Request, objects: Sequence[Desired], stored: Stored, sight: Sight, graph: Graph) -> Plan:
    unknown = {key: f"it depends on {names[0]}, which is not in the set" for key, names in graph.unknown.items()}
    rules = PruneRules(set_id=request.name.id, allowed_kinds=request.prune_kinds)
    options = PlanOptions(
        prune=rules,
        adopt=request.adopt,
        # a run that only looks cannot note that it has looked, so it would look again every time
        now_s=0.0 if request.dry_run else request.now().timestamp(),
        verify_all=request.verify_all,
        cycles=unknown,
    )
    plan = make_plan(objects, stored.inventory, sight, options)
    suspended = set(request.rendered.suspended_units)
    moved = _moved(request, plan)
    items = tuple(_moving(_unless_suspended(item, suspended), moved) for item in plan.items)
    return replace(plan, items=items)


def _moved(request: Request, plan: Plan) -> set[Key]:
    """Return what left this set and is still in the repository, for another set to take."""
    if not request.prune or not plan.of(Step.PRUNE):
        return set()
    return {
        Key(one.id.group, one.id.kind, namespace, one.id.name)
        for one in request.history.elsewhere()
        for namespace in ("", one.id.namespace or one.namespace or request.default_namespace)
    }


def _moving(item: Item, moved: set[Key]) -> Item:
    if item.step is not Step.PRUNE or item.key not in moved:
        return item
    return replace(item, step=Step.RELEASE, reason="another unit of the repository has it now: it is left to that one")


def _unless_suspended(item: Item, suspended: set[str]) -> Item:
    if item.desired is None or item.desired.unit not in suspended or item.step is Step.CLEAN:
        return item
    return replace(item, step=Step.SKIP, reason=_SUSPENDED)


def _situation(request: Request, stored: Stored, plan: Plan, wanted: int) -> Situation:
    inventory = stored.inventory
    return Situation(
        wanted=wanted,
        known=len(inventory.entries),
        doomed=[item.live for item in plan.of(Step.PRUNE) if item.live is not None] if request.prune else [],
        broken=request.rendered.broken,
        rewound=_rewound(request, inventory.revision),
        adopting=inventory.adopting,
        approved=request.approved,
        allow_rewind=request.allow_rewind,
        caps=request.caps,
    )


def _rewound(request: Request, last: str) -> str:
    """Return the last revision when the new one does not follow it."""
    if not last or last == request.rendered.revision or request.history.follows(last) is not False:
        return ""
    return last
