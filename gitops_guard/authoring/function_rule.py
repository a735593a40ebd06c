"""A rule made of a function, and the decorator that makes it."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from inspect import cleandoc
from types import GeneratorType
from typing import Any, Final, overload

from gitops_guard.authoring.fixtures import Function, Plan, needs_of, plan
from gitops_guard.authoring.options import Option, argument, settled
from gitops_guard.authoring.places import place_of, shown
from gitops_guard.authoring.repository import Repository
from gitops_guard.errors import PluginError
from gitops_guard.model import Json, Problem, Resource, RuleContext, Severity, Unevaluated

_ID: Final = re.compile(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*", re.ASCII)
_YIELD: Final = "yield Problem(field=(...), message=...) for each thing that is wrong"


class FunctionRule:
    """A rule whose `check` calls a function with the fixtures that it names."""

    def __init__(
        self,
        function: Function,
        *,
        rule_id: str,
        severity: Severity,
        kinds: tuple[str, ...],
        summary: str,
        documentation: str,
        options: Mapping[str, Option],
    ) -> None:
        """Keep what the decorator checked."""
        self.id = rule_id
        self.severity = severity
        self.kinds = kinds
        self.summary = summary
        self.documentation = documentation
        self.option_schemas = {name: option.schema for name, option in options.items()}
        self.place = place_of(function)
        """File and line of the function: `tools/guard_rules.py:12`."""

        self._function = function
        self._needs = needs_of(function, "rule")
        self._options = options
        self._repository: Repository | None = None
        self._once: dict[tuple[str, ...], tuple[RuleContext, dict[str, Any]]] = {}

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function as it is written, as a test of it does."""
        return self._function(*arguments, **named)

    @cached_property
    def plan(self) -> Plan:
        """Find what the rule needs, when the module that defines it is complete.

        Raises:
            PluginError: It asks for something that nobody makes; the message names file and line.
        """
        return plan(self._function, self._needs, {argument(name) for name in self._options})

    @property
    def needs_repository(self) -> bool:
        """Tell whether verdicts depend on other files of the repository."""
        return "repository" in self.plan.built_in

    @property
    def needs_references(self) -> bool:
        """Tell whether it asks for what the objects of a unit say about one another."""
        return "references" in self.plan.built_in

    def within(self, repository: Repository) -> "FunctionRule":
        """Return the rule, looking at a repository."""
        bound = object.__new__(FunctionRule)
        bound.__dict__.update(self.__dict__)
        bound._repository = repository
        bound._once = {}
        return bound

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem | Unevaluated]:
        """Yield what the function finds.

        Raises:
            PluginError: It yields something else.
        """
        if self.needs_references and context.references is None:
            yield Unevaluated(reason=f"rule {self.id} not evaluated: only told where the whole repository is looked at")
            return
        values: dict[str, Any] = {
            "resource": resource,
            "body": resource.body,
            "references": context.references,
            **self._kept(context),
        }
        for step in self.plan.steps:
            if step.name not in values:
                values[step.name] = step.function(**{name: values[name] for name in step.needs})
        yield from self._sound(self._function(**{name: values[name] for name in self._needs}))

    def _kept(self, context: RuleContext) -> dict[str, Any]:
        """Return what does not differ from resource to resource."""
        kept = self._once.get(context.kubernetes_versions)
        if kept is None or kept[0] is not context:
            values = self._once_a_run(context)
            kept = self._once[context.kubernetes_versions] = (context, values)
        return kept[1]

    def _once_a_run(self, context: RuleContext) -> dict[str, Any]:
        options = {name: context.options.get(name, option.default) for name, option in self._options.items()}
        values: dict[str, Any] = {argument(name): value for name, value in options.items()}
        values |= {"options": options, "kubernetes_versions": context.kubernetes_versions}
        if self.needs_repository:
            if self._repository is None:
                raise PluginError(f"{self.place}: there is no repository to look at here")
            values["repository"] = self._repository
        for step in self.plan.steps:
            if step.name in self.plan.once:
                values[step.name] = step.function(**{name: values[name] for name in step.needs})
        return values

    def _sound(self, result: Any) -> Iterator[Problem | Unevaluated]:
        """Yield what a function gave, as long as it is what a rule gives."""
        if result is None:
            return
        if isinstance(result, (Problem, Unevaluated)):
            result = (result,)
        if isinstance(result, (str, bytes, Mapping)) or not isinstance(result, Iterable):
            raise PluginError(f"it returns a {type(result).__name__} ({self.place}); {_YIELD}")
        for one in result:
            if not isinstance(one, (Problem, Unevaluated)):
                raise PluginError(f"it yields a {type(one).__name__} ({self._line_of(result)}); {_YIELD}")
            yield one

    def _line_of(self, result: Iterable[Any]) -> str:
        """Return the line that a generator stands at."""
        if isinstance(result, GeneratorType) and result.gi_frame is not None:
            return f"{shown(result.gi_frame.f_code.co_filename)}:{result.gi_frame.f_lineno}"
        return self.place


@overload
def rule(function: Function, /) -> FunctionRule: ...


@overload
def rule(
    *,
    id: str = "",
    severity: Severity | str = "warning",
    kinds: Iterable[str] | str = "*",
    summary: str = "",
    options: "Mapping[str, Json | Option] | None" = None,
    page: str = "",
) -> Callable[[Function], FunctionRule]: ...


def rule(
    function: Function | None = None,
    /,
    *,
    id: str = "",  # noqa: A002  # the word that rules and configuration use
    severity: Severity | str = "warning",
    kinds: Iterable[str] | str = "*",
    summary: str = "",
    options: "Mapping[str, Json | Option] | None" = None,
    page: str = "",
) -> FunctionRule | Callable[[Function], FunctionRule]:
    """Make a rule of a function that yields a `Problem` for each thing that is wrong with a resource.

    Args:
        function: The function, where the decorator is written without brackets.
        id: Rule id; the function's name with `-` for `_` by default.
        severity: `error`, `warning` or `note`: that of a problem that names none itself.
        kinds: What it looks at, as `Kind` or `Kind.group`; everything by default.
        summary: One sentence for lists of rules; the first paragraph of the docstring by default.
        options: Defaults by name, or an `Option`; the configuration sets them under `rules: {<id>: {...}}`.
        page: Markdown file beside the module, for `gitops-guard explain`; the docstring by default.

    Raises:
        PluginError: Anything is wrong with the rule itself; the message names file and line.
    """

    def make(function: Function) -> FunctionRule:
        needs_of(function, "rule")
        try:
            return _made(function, id, severity, kinds, summary, options or {}, page)
        except PluginError as error:
            raise PluginError(f"{place_of(function)}: rule {id or function.__name__}: {error}") from error

    return make if function is None else make(function)


def _made(
    function: Function,
    rule_id: str,
    severity: Severity | str,
    kinds: Iterable[str] | str,
    summary: str,
    options: "Mapping[str, Json | Option]",
    page: str,
) -> FunctionRule:
    rule_id = rule_id or function.__name__.strip("_").replace("_", "-")
    if not _ID.fullmatch(rule_id):
        raise PluginError(f"{rule_id!r} is no rule id; ids look like floating-tag")
    words = [str(word) for word in Severity]
    if severity not in words:
        raise PluginError(f"severity must be one of {', '.join(words)}, not {severity!r}")
    listed = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not listed or not all(isinstance(kind, str) and kind for kind in listed):
        raise PluginError("kinds must name at least one kind, such as Deployment.apps")
    docstring = cleandoc(function.__doc__ or "")
    summary = summary or " ".join(docstring.partition("\n\n")[0].split())
    if not summary:
        raise PluginError("it needs a docstring or a summary that says what it flags")
    declared = settled(options)
    text = _page(function, page) if page else _written(rule_id, docstring or summary, declared, (str(severity), listed))
    return FunctionRule(
        function,
        rule_id=rule_id,
        severity=Severity(severity),
        kinds=listed,
        summary=summary,
        documentation=text,
        options=declared,
    )


def _page(function: Function, page: str) -> str:
    path = os.path.join(os.path.dirname(str(function.__globals__.get("__file__", ""))), page)
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"the page {page} beside the module cannot be read: {type(error).__name__}") from error


def _written(rule_id: str, docstring: str, options: Mapping[str, Option], facts: tuple[str, tuple[str, ...]]) -> str:
    """Return a page made of the docstring, the options, severity and kinds."""
    lines = [f"# {rule_id}", "", docstring, ""]
    if options:
        lines += ["## Options", "", "```yaml", "rules:", f"  {rule_id}:"]
        lines += [f"    {name}: {_yaml(option.default)}" for name, option in sorted(options.items())]
        lines += ["```", ""]
        helps = [f"- `{name}`: {option.help}" for name, option in sorted(options.items()) if option.help]
        lines += [*helps, ""] if helps else []
    lines += ["## Facts", "", f"- severity: {facts[0]}", f"- kinds: {', '.join(facts[1])}", ""]
    return "\n".join(lines)


def _yaml(value: Json) -> str:
    """Return a value as it may stand in a configuration: JSON is YAML."""
    import json  # only pages need it

    return json.dumps(value)
