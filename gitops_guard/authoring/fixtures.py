"""Fixtures: values that rules and other fixtures ask for by the name of an argument."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from gitops_guard.authoring.places import place_of
from gitops_guard.errors import PluginError

BUILT_IN: Final = {
    "resource": "the resource that is judged: `resource.id`, `resource.body`, `resource.origin`",
    "body": "its content, `resource.body`",
    "options": "this rule's options by name, with their defaults",
    "kubernetes_versions": "the target versions, oldest first",
    "repository": "the repository: `resources(kind)`, `find(kind, name)`, `read(path)`, `paths`",
    "references": "who answers to a name or selector: `exists(kind, name)`, `resources(kind, name)`, `selected(...)`",
}
"""What every rule can ask for, beside its options and the fixtures of its module."""

OF_A_RESOURCE: Final = frozenset({"resource", "body", "references"})
"""What differs from resource to resource; a fixture that needs none of these is made once a run."""

Function: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Fixture:
    """A function that makes a value."""

    name: str
    function: Function
    needs: tuple[str, ...]
    """Names of its arguments."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function as it is written, as a test of it does."""
        return self.function(*arguments, **named)


def fixture(function: Function) -> Fixture:
    """Let rules and fixtures of this module ask for what a function returns, by the function's name.

    One that needs neither `resource`, `body` nor `references`, directly or through others, is called once a run.

    Raises:
        PluginError: It is no function with plain arguments, or has the name of a built-in fixture.

    Example:
        >>> @fixture
        ... def containers(body):
        ...     return body["spec"]["template"]["spec"]["containers"]
    """
    needs = needs_of(function, "fixture")
    name = function.__name__
    if inspect.isgeneratorfunction(function):
        raise PluginError(f"{place_of(function)}: fixture {name} yields; return the value")
    if name in BUILT_IN:
        raise PluginError(f"{place_of(function)}: fixture {name} has the name of a built-in one; rename it")
    return Fixture(name, function, needs)


def needs_of(function: Function, what: str) -> tuple[str, ...]:
    """Return the names of a function's arguments.

    Raises:
        PluginError: It is no plain function, or has arguments that no fixture can fill.
    """
    if not inspect.isfunction(function):
        raise PluginError(f"@{what} marks functions, and {type(function).__name__} is none")
    place = f"{place_of(function)}: {what} {function.__name__}"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"{place} is async; write it with def")
    needs: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise PluginError(f"{place} has the argument {parameter}; every argument is a fixture by its name")
        if parameter.default is not parameter.empty:
            raise PluginError(
                f"{place}: argument {parameter.name} has a default, and fixtures have none; declare it in options="
            )
        needs.append(parameter.name)
    return tuple(needs)


@dataclass(frozen=True, slots=True)
class Plan:
    """In which order a rule's fixtures are made."""

    steps: tuple[Fixture, ...]
    """The module's own, each after all that it needs."""

    built_in: frozenset[str]
    """The built-in ones that anything needs."""

    once: frozenset[str]
    """Names of steps that are made once a run."""


def plan(function: Function, needs: tuple[str, ...], options: Collection[str]) -> Plan:
    """Find what a rule needs: built in, an option, or a fixture of its module.

    Raises:
        PluginError: There is no fixture of some name, or fixtures need one another.
    """
    planner = _Planner(function, options)
    for name in needs:
        planner.add(name, asked_by=f"rule {function.__name__}", place=place_of(function), above=())
    return Plan(tuple(planner.steps.values()), frozenset(planner.built_in), frozenset(planner.once))


class _Planner:
    """Walks from a rule to all that it needs."""

    def __init__(self, function: Function, options: Collection[str]) -> None:
        self._options = options
        space: Mapping[str, Any] = function.__globals__
        self._own = {value.name: value for value in space.values() if isinstance(value, Fixture)}
        self.steps: dict[str, Fixture] = {}
        self.built_in: set[str] = set()
        self.once: set[str] = set()

    def add(self, name: str, *, asked_by: str, place: str, above: tuple[str, ...]) -> None:
        """Add a fixture and all that it needs."""
        if name in above:
            raise PluginError(f"{place}: fixtures need one another: {' -> '.join((*above, name))}")
        if name in BUILT_IN:
            self.built_in.add(name)
        elif name in self._own and name not in self.steps:
            one = self._own[name]
            for needed in one.needs:
                self.add(needed, asked_by=f"fixture {name}", place=place_of(one.function), above=(*above, name))
            self.steps[name] = one
            if not any(needed in OF_A_RESOURCE or self._is_per_resource(needed) for needed in one.needs):
                self.once.add(name)
        elif name not in self._own and name not in self._options:
            raise PluginError(
                f"{place}: {asked_by} asks for {name!r}, and there is no such fixture; {self._hint(name)}"
            )

    def _is_per_resource(self, name: str) -> bool:
        return name in self.steps and name not in self.once

    def _hint(self, name: str) -> str:
        known = sorted({*BUILT_IN, *self._own, *self._options})
        near = get_close_matches(name, known, n=1)
        return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
