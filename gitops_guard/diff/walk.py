"""One object against another: a walk over both trees that stops wherever they are the same."""

import marshal
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gitops_guard.diff.classes import class_of_field
from gitops_guard.diff.defaults import Defaults, is_within, known_default
from gitops_guard.diff.embedded import ReadYaml, read_both
from gitops_guard.diff.lists import (
    ListKeys,
    Pair,
    as_set,
    by_key,
    in_order,
    is_shuffled,
    known_list_keys,
    order_counts,
    spelled,
)
from gitops_guard.diff.scalars import duration, is_duration, is_quantity, quantity
from gitops_guard.diff.secrets import VALUES, Mask, is_named_secret, is_secret, values_of
from gitops_guard.diff.server_owned import is_server_owned
from gitops_guard.model import Body, FieldChange, FieldOp, FieldPath, FoldReason, Json, MapKey, ResourceId

_MAPS: Final = frozenset(
    ("data", "stringData", "binaryData", "labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests")
)
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_MARSHAL_VERSION: Final = 2
"""The last one that writes equal values as equal bytes, whether or not they share parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the walk must be told about kinds."""

    list_keys: ListKeys = known_list_keys
    default_of: Defaults = known_default
    read_yaml: ReadYaml | None = None
    """Without it YAML inside of ConfigMaps is compared as text."""


class Place(NamedTuple):
    """Where the walk stands."""

    path: FieldPath
    label: str
    document: str = ""
    secretive: bool = False

    def child(self, key: str, *, secretive: bool = False) -> "Place":
        """Return the place of a field."""
        in_map = bool(self.path) and self.path[-1] in _MAPS and not self.document
        if in_map or _PLAIN_KEY.fullmatch(key) is None:
            return self._replace(path=(*self.path, MapKey(key)), label=f"{self.label}[{key}]", secretive=secretive)
        joint = " " if self.label.endswith(":") else "." if self.label else ""
        return self._replace(path=(*self.path, key), label=f"{self.label}{joint}{key}", secretive=secretive)

    def item(self, index: int, label: str) -> "Place":
        """Return the place of a list's item."""
        return self._replace(path=(*self.path, index), label=f"{self.label}[{label}]", secretive=False)

    def inside(self, document: str) -> "Place":
        """Return the place of the document that a text holds."""
        return self._replace(label=f"{self.label}:", document=document)


def identical(old: Any, new: Any) -> bool:
    """Tell whether two JSON trees are the same, types included; False may also mean that keys are in another order."""
    return old == new and marshal.dumps(old, _MARSHAL_VERSION) == marshal.dumps(new, _MARSHAL_VERSION)


class Walk:
    """The differences of one object."""

    def __init__(
        self, owner: ResourceId, *, knowledge: Knowledge, mask: Mask, is_whole: bool = True, renamed: bool = False
    ) -> None:
        """Prepare.

        Args:
            owner: The object's new identity.
            knowledge: Keys of lists, defaults, a YAML reader.
            mask: Hides what Secrets hold.
            is_whole: Whether what is left out gets its default; in a patch it stays as it is.
            renamed: Whether the object has another name than before; it is then a new one to the server.
        """
        self._owner = owner
        self._knowledge = knowledge
        self._mask = mask
        self._is_whole = is_whole
        self._renamed = renamed
        self._is_secret = is_secret(owner)
        self._before: Body = {}
        self.shown: list[FieldChange] = []
        self.folded: list[FieldChange] = []

    def run(self, before: Body, after: Body) -> None:
        """Fill `shown` and `folded`."""
        self._before = before
        if self._is_secret:
            self._secret(before, after)
        self._struct(before, after, Place((), ""))
        self.shown.sort(key=lambda change: (change.field, change.op, change.path != ()))
        self.folded.sort(key=lambda change: (change.field, change.op))

    def _secret(self, before: Body, after: Body) -> None:
        for field in VALUES:
            old, new = before.get(field), after.get(field)
            if not (isinstance(old, dict | None) and isinstance(new, dict | None)) and not identical(old, new):
                self._emit(Place((field,), field), FieldOp.CHANGED, old, new)
        old_values, new_values = values_of(before), values_of(after)
        for key in sorted(old_values.keys() | new_values.keys()):
            self._secret_value(key, before, after, old_values, new_values)

    def _secret_value(
        self, key: str, before: Body, after: Body, old: Mapping[str, object], new: Mapping[str, object]
    ) -> None:
        field, other = _holder(after if key in new else before, key), _holder(before, key)
        at = Place((field,), field).child(key)
        if key not in old:
            self._emit(at, FieldOp.ADDED, None, "value")
        elif key not in new:
            self._emit(at, FieldOp.REMOVED, "value", None)
        elif type(old[key]) is not type(new[key]) or old[key] != new[key]:
            self._emit(at, FieldOp.CHANGED, "value", "value")
        elif field != other or not identical(_entry(before, field, key), _entry(after, field, key)):
            self._emit(at, FieldOp.CHANGED, "value", "value", FoldReason.SECRET_FORM)

    def _struct(self, old: Body, new: Body, at: Place) -> None:
        named = is_named_secret(old) or is_named_secret(new)
        for key in sorted(old.keys() | new.keys()):
            place = at.child(key, secretive=named and key == "value")
            if not at.document and self._is_passed_over(place.path):
                continue
            self._field(old, new, key, place)

    def _is_passed_over(self, path: FieldPath) -> bool:
        return (self._is_secret and path[0] in VALUES) or (self._renamed and path == ("metadata", "name"))

    def _field(self, old: Body, new: Body, key: str, at: Place) -> None:
        had, has = old.get(key), new.get(key)
        if not at.document and len(at.path) <= 3 and is_server_owned(at.path):
            if not identical(had, has):
                self._emit(at, FieldOp.CHANGED, had, has, FoldReason.SERVER_OWNED)
        elif at.document and (key in old) != (key in new):
            self._emit(at, FieldOp.ADDED if key in new else FieldOp.REMOVED, had, has)
        elif at.document or (had is not None and has is not None):
            self._value(had, has, at)
        elif had is None and has is None:
            if (key in old) != (key in new):
                self._emit(at, FieldOp.CHANGED, None, None, FoldReason.NULL)
        elif had is None:
            self._one_sided(has, at, FieldOp.ADDED, old)
        else:
            self._one_sided(had, at, FieldOp.REMOVED, new)

    def _one_sided(self, value: Json, at: Place, op: FieldOp, lacking: Body) -> None:
        """Judge a field that one side leaves out."""
        added = op is FieldOp.ADDED
        if isinstance(value, dict) and value and at.path in (("metadata",), ("metadata", "annotations")):
            self._struct({} if added else value, value if added else {}, at)  # some of it may be the server's
            return
        is_default = self._is_whole and is_within(value, self._knowledge.default_of(self._owner, at.path, lacking))
        reason = FoldReason.DEFAULT if is_default else None
        self._emit(at, op, None if added else value, value if added else None, reason)

    def _value(self, old: Json, new: Json, at: Place) -> None:
        if identical(old, new):
            return
        if isinstance(old, dict) and isinstance(new, dict):
            self._struct(old, new, at)
        elif isinstance(old, list) and isinstance(new, list):
            self._list(old, new, at)
        else:
            self._scalar(old, new, at)

    def _scalar(self, old: Json, new: Json, at: Place) -> None:
        if at.document:
            self._emit(at, FieldOp.CHANGED, old, new)
        elif is_quantity(self._owner, at.path) and (amount := quantity(old)) is not None and amount == quantity(new):
            self._emit(at, FieldOp.CHANGED, old, new, FoldReason.QUANTITY)
        elif is_duration(self._owner, at.path) and (time := duration(old)) is not None and time == duration(new):
            self._emit(at, FieldOp.CHANGED, old, new, FoldReason.DURATION)
        elif not (self._may_embed(at) and self._embedded(old, new, at)):
            self._emit(at, FieldOp.CHANGED, old, new)

    def _may_embed(self, at: Place) -> bool:
        return self._owner.kind == "ConfigMap" and len(at.path) == 2 and at.path[0] == "data"

    def _embedded(self, old: Json, new: Json, at: Place) -> bool:
        """Compare inside of the two texts; False when they cannot be read, or say the same in other words."""
        if not isinstance(old, str) or not isinstance(new, str):
            return False
        found = read_both(str(at.path[-1]), old, new, self._knowledge.read_yaml)
        if found is None:
            return False
        known = len(self.shown)
        self._value(found.old, found.new, at.inside(found.format))
        if len(self.shown) > known:
            return True
        if found.same_words:
            self._emit(at, FieldOp.CHANGED, old, new, FoldReason.EMBEDDED)
        return found.same_words

    def _list(self, old: Sequence[Json], new: Sequence[Json], at: Place) -> None:
        keys = None if at.document else self._knowledge.list_keys(self._owner, at.path)
        pairs = None if keys is None else by_key(old, new, keys) if keys else as_set(old, new)
        if pairs is None:
            if sorted(map(spelled, old)) == sorted(map(spelled, new)):
                self._reordered(old, new, at)
                return
            pairs = in_order(old, new)
        elif is_shuffled(pairs):
            counts = order_counts(at.path, old, new)
            names = _names(pairs, len(old), len(new)) if keys else (old, new)
            self._reordered(*names, at, reason=None if counts else FoldReason.ORDER)
        for pair in pairs:
            self._item(old, new, pair, at)

    def _item(self, old: Sequence[Json], new: Sequence[Json], pair: Pair, at: Place) -> None:
        label = self._mask.text(pair.label)
        if pair.old is not None and pair.new is not None:
            self._value(old[pair.old], new[pair.new], at.item(pair.new, label))
        elif pair.new is not None:
            self._emit(at.item(pair.new, label), FieldOp.ADDED, None, new[pair.new])
        elif pair.old is not None:
            self._emit(at.item(pair.old, label), FieldOp.REMOVED, old[pair.old], None)

    def _reordered(self, old: Sequence[Json], new: Sequence[Json], at: Place, reason: FoldReason | None = None) -> None:
        if not identical(old, new):  # equal to the eye of the key order alone
            self._emit(at, FieldOp.REORDERED, list(old), list(new), reason)

    def _emit(self, at: Place, op: FieldOp, old: Json, new: Json, reason: FoldReason | None = None) -> None:
        shown_old = self._mask.value(self._owner, at.path, old, secretive=at.secretive)
        shown_new = self._mask.value(self._owner, at.path, new, secretive=at.secretive)
        change = FieldChange(
            path=at.path,
            field=at.label,
            op=op,
            old=shown_old.value,
            new=shown_new.value,
            change_class=class_of_field(self._owner, at.path, None if self._renamed else self._before),
            masked=shown_old.masked or shown_new.masked,
            document=at.document,
            reason=reason,
        )
        (self.shown if reason is None else self.folded).append(change)


def _names(pairs: Sequence[Pair], old_length: int, new_length: int) -> tuple[list[Json], list[Json]]:
    """Return the labels of both lists' items in their orders."""
    old: list[Json] = [None] * old_length
    new: list[Json] = [None] * new_length
    for pair in pairs:
        if pair.old is not None:
            old[pair.old] = pair.label
        if pair.new is not None:
            new[pair.new] = pair.label
    return old, new


def _holder(body: Body, key: str) -> str:
    text = body.get("stringData")
    return "stringData" if isinstance(text, dict) and key in text else "data"


def _entry(body: Body, field: str, key: str) -> Json:
    entries = body.get(field)
    return entries.get(key) if isinstance(entries, dict) else None
