"""What Git gave and gives no more, and taking it out of an object that is not applied server-side (yet).

Server-side apply removes a field that its own manager owned. Of an object that `kubectl apply`, Helm or Argo CD wrote
by updates it removes nothing, although those tools do; so this is done here, and the server is asked about the result.
"""

from collections.abc import Iterator
from typing import TypeAlias

from gitops_guard.diff.lists import ListKeys
from gitops_guard.model import Body, Json, ResourceId

Step: TypeAlias = "str | tuple[tuple[str, Json], ...]"
Steps: TypeAlias = tuple[Step, ...]
"""Names of fields; an item of a list by its keys."""


def removed_paths(owner: ResourceId, base: Body, head: Body, list_keys: ListKeys) -> Iterator[Steps]:
    """Yield what the base gives and the head does not; a list without keys is one value."""
    for key, value in base.items():
        if key in head:
            yield from _removed(owner, (key,), (key,), value, head[key], list_keys)
        elif value is not None:
            yield (key,)


def _removed(
    owner: ResourceId, steps: Steps, path: tuple[str | int, ...], base: Json, head: Json, list_keys: ListKeys
) -> Iterator[Steps]:
    if isinstance(base, dict) and isinstance(head, dict):
        for key, value in base.items():
            if key in head:
                yield from _removed(owner, (*steps, key), (*path, key), value, head[key], list_keys)
            elif value is not None:
                yield (*steps, key)
    elif isinstance(base, list) and isinstance(head, list) and (keys := list_keys(owner, path)):
        yield from _removed_items(owner, steps, path, (base, head), keys, list_keys)


def _removed_items(
    owner: ResourceId,
    steps: Steps,
    path: tuple[str | int, ...],
    lists: tuple[list[Json], list[Json]],
    keys: tuple[str, ...],
    list_keys: ListKeys,
) -> Iterator[Steps]:
    kept = {step: item for item in lists[1] if (step := _step(item, keys)) is not None}
    for index, item in enumerate(lists[0]):
        step = _step(item, keys)
        if step is None:
            continue
        if step in kept:
            yield from _removed(owner, (*steps, step), (*path, index), item, kept[step], list_keys)
        else:
            yield (*steps, step)


def _step(item: Json, keys: tuple[str, ...]) -> tuple[tuple[str, Json], ...] | None:
    """Return the keys of an item; None when it has none that can name it."""
    if not isinstance(item, dict):
        return None
    found = tuple((key, item[key]) for key in keys if key in item)
    return found if found and all(isinstance(value, (str, int)) for _, value in found) else None


def has(body: Json, steps: Steps) -> bool:
    """Tell whether an object has something there."""
    node = body
    for step in steps:
        if isinstance(step, str):
            if not isinstance(node, dict) or step not in node:
                return False
            node = node[step]
        else:
            place = _place(node, step)
            if place is None or not isinstance(node, list):
                return False
            node = node[place]
    return True


def without(body: Json, steps: Steps) -> Json:
    """Return an object without what is there; the object itself stays as it is."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if not isinstance(body, dict) or step not in body:
            return body
        if not rest:
            return {key: value for key, value in body.items() if key != step}
        return {**body, step: without(body[step], rest)}
    place = _place(body, step)
    if place is None or not isinstance(body, list):
        return body
    inner = [without(body[place], rest)] if rest else []
    return [*body[:place], *inner, *body[place + 1 :]]


def _place(node: Json, step: tuple[tuple[str, Json], ...]) -> int | None:
    items = node if isinstance(node, list) else []
    return next(
        (
            index
            for index, item in enumerate(items)
            if isinstance(item, dict) and all(item.get(key) == value for key, value in step)
        ),
        None,
    )
