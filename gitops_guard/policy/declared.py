"""What the API server's type checker knows about a policy's variables: their fields, and results that have no type."""

from collections.abc import Mapping

from gitops_guard.cel import CelCompileError, Profile
from gitops_guard.cel.static import DYN, UNDECIDED, static_type
from gitops_guard.cel.syntax import Ident, Node, Select
from gitops_guard.policy.syntax import walk

_KIND = {"group": None, "version": None, "kind": None}
_RESOURCE = {"group": None, "version": None, "resource": None}
_METADATA = (
    *("name", "generateName", "namespace", "labels", "annotations", "UID", "creationTimestamp"),
    *("deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion", "finalizers"),
)
Fields = Mapping[str, "Fields | None"]
"""Fields by name; None where everything below is allowed."""

_FIELDS: Fields = {
    "request": {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": None,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": None,
        "name": None,
        "namespace": None,
        "operation": None,
        "userInfo": {"username": None, "uid": None, "groups": None, "extra": None},
        "dryRun": None,
        "options": None,
    },
    "namespaceObject": {
        "metadata": dict.fromkeys(_METADATA),
        "spec": {"finalizers": None},
        "status": {"conditions": None, "phase": None},
    },
}


def check_fields(node: Node, variables: Mapping[str, str], *, has_variables: bool) -> None:
    """Refuse a field that a variable with declared fields does not have.

    Args:
        node: The expression.
        variables: Those of the policy that are declared before it.
        has_variables: Whether the expression may use them at all.

    Raises:
        CelCompileError: There is such a field.
    """
    roots = {**_FIELDS, "variables": dict.fromkeys(variables)} if has_variables else _FIELDS
    for part in walk(node):
        if isinstance(part, Select):
            parent = _fields_of(part.operand, roots)
            if parent is not None and part.field not in parent:
                raise CelCompileError(f"undefined field '{part.field}'", part.offset)


def _fields_of(node: Node, roots: Fields) -> Fields | None:
    """Return the declared fields of what a chain of selections denotes; None where they are not declared."""
    if isinstance(node, Ident):
        return roots.get(node.name)
    if isinstance(node, Select):
        parent = _fields_of(node.operand, roots)
        return None if parent is None else parent.get(node.field)
    return None


def result_type(node: Node, variables: Mapping[str, str], environment: Profile) -> str:
    """Return the type of an expression's result as far as it can be told: `bool`, `DYN`, `UNDECIDED`.

    Args:
        node: The expression.
        variables: Types of the policy's variables, as this function returned them.
        environment: What it is compiled for.
    """
    if isinstance(node, Select) and isinstance(node.operand, Ident) and node.operand.name == "variables":
        return variables.get(node.field, UNDECIDED)
    return static_type(node, lambda name: name.name in environment.dynamic)


def check_result(found: str, wanted: tuple[str, ...]) -> None:
    """Refuse a result that is of none of the types wanted, or of no type.

    Raises:
        CelCompileError: It is.
    """
    if wanted and found != UNDECIDED and found not in wanted:
        words = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        raise CelCompileError(f"must evaluate to {words} but got {'dyn' if found == DYN else found}", 0)
