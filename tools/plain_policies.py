"""Write what the clean path knows of the policies that come along: a plain test for each of them, and their list.

    python tools/plain_policies.py

Translates the expressions of `policies/` to Python that says "certainly passes" or "not sure" of a decoded body (see
gitops_guard/policy/plain.py). Of a policy whose expressions hold more than is translated here there is no test, and it
is never sure. Run it when a policy changes; a test compares the files with what this writes.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from gitops_guard.cel.parser import parse
from gitops_guard.cel.regexes import compile_regex
from gitops_guard.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    Node,
    Select,
    Unary,
)
from gitops_guard.policy.kinds import builtin_resources
from gitops_guard.policy.load import PolicySource, load
from gitops_guard.policy.match import Match
from gitops_guard.policy.packs import pack_folder, pack_names
from gitops_guard.policy.rule import PolicyRule

PACKAGE = Path(__file__).resolve().parent.parent / "gitops_guard" / "policy"
VERSION = "1.37"
SHARED = frozenset({"podSpec", "podMetadata", "containers", "isWindows", "workload"})
"""Variables of the house pattern: computed once for all policies."""

_HEAD = '''"""{about} Written by tools/plain_policies.py.

Each takes what `prepare` made of a body, as the API server hands it to a policy, and returns True when the policy
certainly passes. Whatever else it returns or raises means "not sure".
"""

import re

from gitops_guard.policy.plain_values import (
{names}
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
'''


class UntranslatableError(Exception):
    """The expression holds something that only the engine understands."""


class Code(NamedTuple):
    """A Python expression and what is known of its value."""

    text: str
    kind: str = ""
    """`bool`, `int`, `list`, `optional` (None for absent), or empty for anything."""


class Translation:
    """Expressions of one policy, as Python."""

    def __init__(self, patterns: dict[str, str]) -> None:
        self._patterns = patterns
        self.variables: dict[str, Code] = {}
        self._constants: dict[str, str] = {}
        self._bound: list[str] = []

    def declare(self, name: str, node: Node, place: str, code: Code) -> None:
        """Make a variable known under the name by which the code holds it."""
        self.variables[name] = Code(place, code.kind)
        if isinstance(node, Literal) and isinstance(node.value, str):
            self._constants[name] = node.value

    def of(self, node: Node) -> Code:
        """Translate an expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UntranslatableError(type(node).__name__)
        code: Code = method(node)
        return code

    def value(self, node: Node) -> str:
        """Translate an expression whose value is used, so that it is no optional."""
        code = self.of(node)
        if code.kind == "optional":
            raise UntranslatableError("an optional as a value")
        return code.text

    def condition(self, node: Node) -> str:
        """Translate an expression whose value decides."""
        code = self.of(node)
        return code.text if code.kind == "bool" else f"truth({self.value(node)})"

    def _list(self, node: Node) -> str:
        code = self.of(node)
        return code.text if code.kind == "list" else f"items({self.value(node)})"

    def _literal(self, node: Literal) -> Code:
        kind = {bool: "bool", int: "int", str: "str"}.get(type(node.value))
        if kind is None:
            raise UntranslatableError(f"literal {node.value!r}")
        return Code(quoted(node.value), kind)

    def _ident(self, node: Ident) -> Code:
        if node.name in self._bound:
            return Code(f"{node.name}_")
        if node.name != "object":
            raise UntranslatableError(node.name)
        return Code("given.object")

    def _select(self, node: Select) -> Code:
        if isinstance(node.operand, Ident) and node.operand.name == "variables":
            return self.variables[node.field]
        base = self.of(node.operand)
        if node.optional or base.kind == "optional":
            if base.text.startswith("get(") and base.kind == "optional":
                return Code(f"{base.text[:-1]}, {quoted(node.field)})", "optional")
            return Code(f"get({base.text}, {quoted(node.field)})", "optional")
        return Code(f"select({base.text}, {quoted(node.field)})")

    def _index(self, node: Index) -> Code:
        base, key = self.of(node.operand), f"text({self.value(node.key)})"
        if node.optional or base.kind == "optional":
            return Code(f"get({base.text}, {key})", "optional")
        return Code(f"select({base.text}, {key})")

    def _unary(self, node: Unary) -> Code:
        if node.operator == "!":
            return Code(f"(not {self.condition(node.operand)})", "bool")
        return Code(f"-number({self.value(node.operand)})", "int")

    def _logic(self, node: Logic) -> Code:
        word = " and " if node.operator == "&&" else " or "
        return Code(f"({word.join(self.condition(term) for term in node.terms)})", "bool")

    def _conditional(self, node: Conditional) -> Code:
        then, otherwise = self.of(node.then), self.of(node.otherwise)
        if (then.kind == "optional") != (otherwise.kind == "optional"):
            raise UntranslatableError("an optional as a value")
        kind = then.kind if then.kind == otherwise.kind else ""
        return Code(f"({then.text} if {self.condition(node.condition)} else {otherwise.text})", kind)

    def _binary(self, node: Binary) -> Code:
        left, right = self.of(node.left), self.of(node.right)
        if "optional" in (left.kind, right.kind):
            raise UntranslatableError("an optional as a value")
        if node.operator == "==":
            return Code(f"same({left.text}, {right.text})", "bool")
        if node.operator == "!=":
            return Code(f"(not same({left.text}, {right.text}))", "bool")
        if node.operator == "in":
            return Code(f"among({left.text}, {right.text})", "bool")
        if node.operator in ("<", "<=", ">", ">="):
            return Code(f"({_number(left)} {node.operator} {_number(right)})", "bool")
        if node.operator == "+":
            if left.kind == right.kind == "list":
                return Code(f"({left.text} + {right.text})", "list")
            return Code(f"plus({left.text}, {right.text})", left.kind if left.kind == right.kind else "")
        raise UntranslatableError(node.operator)

    def _listliteral(self, node: ListLiteral) -> Code:
        if any(optional for _, optional in node.items):
            raise UntranslatableError("an optional item")
        return Code(f"[{', '.join(self.value(item) for item, _ in node.items)}]", "list")

    def _mapliteral(self, node: MapLiteral) -> Code:
        if node.entries:
            raise UntranslatableError("a map")
        return Code("{}")

    def _call(self, node: Call) -> Code:
        if node.target is None:
            return self._function(node)
        if node.name in ("all", "exists", "exists_one", "existsOne", "filter", "map"):
            return self._macro(node.target, node.name, node.args)
        if node.name in ("orValue", "or"):
            target, other = self.of(node.target), self.of(node.args[0])
            if target.kind != "optional" or (node.name == "or") != (other.kind == "optional"):
                raise UntranslatableError(f"{node.name} of a value")
            return Code(f"either({target.text}, {other.text})", "optional" if node.name == "or" else "")
        if node.name == "hasValue" and (target := self.of(node.target)).kind == "optional":
            return Code(f"({target.text} is not None)", "bool")
        return self._method(node.target, node.name, node.args)

    def _function(self, node: Call) -> Code:
        (argument,) = node.args if len(node.args) == 1 else (None,)
        if node.name == "has" and isinstance(argument, Select):
            base = self.of(argument.operand)
            if argument.optional:
                raise UntranslatableError("has of an optional field")
            if base.kind == "optional":
                return Code(f"(get({base.text}, {quoted(argument.field)}) is not None)", "bool")
            return Code(f"has({base.text}, {quoted(argument.field)})", "bool")
        if argument is None:
            raise UntranslatableError(node.name)
        if node.name == "dyn":
            return self.of(argument)
        if node.name == "string":
            return Code(f"written({self.value(argument)})", "str")
        if node.name == "size":
            return Code(f"size({self.value(argument)})", "int")
        raise UntranslatableError(node.name)

    def _method(self, target: Node, name: str, args: tuple[Node, ...]) -> Code:
        value = self.value(target)
        if name == "size" and not args:
            return Code(f"size({value})", "int")
        if len(args) != 1:
            raise UntranslatableError(name)
        if name == "matches":
            return Code(f"matches({self._pattern(args[0])}, {value})", "bool")
        argument = f"text({self.value(args[0])})"
        if name == "contains":
            return Code(f"({argument} in text({value}))", "bool")
        methods = {"startsWith": "startswith", "endsWith": "endswith"}
        if name not in methods:
            raise UntranslatableError(name)
        return Code(f"text({value}).{methods[name]}({argument})", "bool")

    def _pattern(self, node: Node) -> str:
        if isinstance(node, Select) and isinstance(node.operand, Ident) and node.operand.name == "variables":
            source = self._constants.get(node.field)
        else:
            source = node.value if isinstance(node, Literal) and isinstance(node.value, str) else None
        if source is None:
            raise UntranslatableError("a pattern that is computed")
        translated = _python_pattern(source)
        return self._patterns.setdefault(translated, f"_PATTERN_{len(self._patterns)}")

    def _macro(self, target: Node, name: str, args: tuple[Node, ...]) -> Code:
        if len(args) != 2 or not isinstance(args[0], Ident):
            raise UntranslatableError(f"{name} of {len(args)}")
        if name == "all" and (flagged := _flagged(args[0].name, args[1])) is not None:
            # nothing is among none; what is flagged leaves it open
            over = self.of(target)
            is_list = "" if over.kind == "list" else f" and items({self.value(target)}) is not None"
            return Code(f"(not {self.value(flagged)}{is_list})", "bool")
        if name == "exists" and (repeated := _repeated(target, args[0].name, args[1])) is not None:
            return Code(f"repeats({self.value(target)}, {quoted(repeated)})", "bool")
        walked = self._list(target)
        self._bound.append(args[0].name)
        result = self.value(args[1]) if name == "map" else self.condition(args[1])
        self._bound.pop()
        one = f"{args[0].name}_"
        if name in ("all", "exists"):
            return Code(f"{'any' if name == 'exists' else name}({result} for {one} in {walked})", "bool")
        if name == "filter":
            return Code(f"[{one} for {one} in {walked} if {result}]", "list")
        if name == "map":
            return Code(f"[{result} for {one} in {walked}]", "list")
        return Code(f"([{result} for {one} in {walked}].count(True) == 1)", "bool")


def quoted(value: object) -> str:
    """Write a constant as the house format does."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


_ALIKE = re.compile(r"(?:\(\?i\))?(?:[\w/:|)@,-]|\((?!\?[^:])|[*+?](?![+?*])|\\[./]|\[\^?[\w./:-]+\]|[.^$])*", re.ASCII)
"""Patterns that mean the same to RE2 and to Python, but for `$`, on a text in ASCII."""


def _python_pattern(source: str) -> str:
    if _ALIKE.fullmatch(source):
        return source.replace("$", r"\Z")
    return compile_regex(source).python


def _number(code: Code) -> str:
    return code.text if code.kind == "int" else f"number({code.text})"


def _flagged(name: str, test: Node) -> Node | None:
    """Return F of `all(c, !(c in F))`."""
    if isinstance(test, Unary) and test.operator == "!" and isinstance(test.operand, Binary):
        inner = test.operand
        if inner.operator == "in" and isinstance(inner.left, Ident) and inner.left.name == name:
            return inner.right
    return None


def _repeated(values: Node, name: str, test: Node) -> str | None:
    """Return F of `values.exists(a, !values.exists_one(b, b.F == a.F))`, which would take the square of its length."""
    if not (isinstance(test, Unary) and isinstance(test.operand, Call) and test.operand.name == "exists_one"):
        return None
    other, same = test.operand.args
    if not (isinstance(same, Binary) and same.operator == "==" and isinstance(other, Ident)):
        return None
    sides = {
        (side.operand.name, side.field)
        for side in (same.left, same.right)
        if isinstance(side, Select) and isinstance(side.operand, Ident)
    }
    fields = {field for _, field in sides}
    is_pair = len(fields) == 1 and {name, other.name} == {bound for bound, _ in sides}
    target = test.operand.target
    return fields.pop() if is_pair and target is not None and _place(values) == _place(target) is not None else None


def _place(node: Node) -> str | None:
    """Return what a list is of, `c.env` for `c.?env.orValue([])` too: where there is an item, there is the list."""
    if isinstance(node, Call) and node.name == "orValue" and node.target is not None:
        node = node.target
    if isinstance(node, Select) and isinstance(node.operand, Ident):
        return f"{node.operand.name}.{node.field}"
    return None


def read_packs() -> list[tuple[str, PolicyRule]]:
    """Return all policies that come along, with their packs."""
    found: list[tuple[str, PolicyRule]] = []
    for pack in pack_names():
        for folder in sorted(Path(pack_folder(), pack).iterdir()):
            source = PolicySource(path=folder.name, data=(folder / "policy.yaml").read_bytes(), origin=pack)
            loaded = load([source], versions=(VERSION,))
            assert not loaded.errors, loaded.errors
            found += [(pack, rule) for rule in loaded.rules]
    return found


def index(packs: list[tuple[str, PolicyRule]]) -> str:
    """Return what has to be known of each policy before it is read."""
    rows = [
        f" {quoted(rule.id)}: "
        + json.dumps([pack, str(rule.severity), rule.is_default, rule.summary, list(rule.kinds)], ensure_ascii=False)
        for pack, rule in sorted(packs, key=lambda pair: pair[1].id)
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def rules(chosen: list[PolicyRule], about: str, shared: "Shared", *, with_shared: bool) -> str:
    """Return the module of the tests of some policies."""
    patterns: dict[str, str] = {}
    functions: dict[str, str] = {}
    for rule in chosen:
        try:
            functions[rule.id] = _function(rule, patterns, shared)
        except UntranslatableError:
            continue
    body = "\n\n".join([*([shared.source()] if with_shared else []), *functions.values()])
    kinds = _kinds(chosen)
    head = _HEAD.format(about=about, names="".join(f"    {name},\n" for name in HELPERS if f"{name}(" in body)[:-1])
    parts = [
        head,
        "".join(f"{name} = re.compile({text!r}, re.ASCII)\n" for text, name in patterns.items()),
        body,
        "TESTS = {\n" + "".join(f"    {quoted(rule)}: {_name(rule)},\n" for rule in functions) + "}\n"
        '"""By policy; one that is missing is never sure."""\n',
        f'KINDS: "dict[tuple[str, str], tuple[str, ...]]" = {_table(kinds)}\n"""What looks at a version and kind."""\n',
    ]
    return "\n\n".join(parts)


def _table(rows: "_Table") -> str:
    return "{\n" + "".join(f"    {key!r}: {tuple(ids)!r},\n" for key, ids in sorted(rows.items())) + "}"


HELPERS = (
    *("among", "either", "get", "has", "items", "matches", "number", "plus", "repeats", "same", "select", "size"),
    *("text", "truth", "written"),
)


def _name(rule: str) -> str:
    return rule.replace("-", "_")


class Shared:
    """Variables that many policies have in common, word for word."""

    def __init__(self, packs: list[PolicyRule]) -> None:
        self.places: dict[tuple[str, str], str] = {}
        self._codes: dict[str, str] = {}
        uses = Counter((one.name, one.text) for rule in packs for one in rule.policy.variables if one.name in SHARED)
        translation = Translation({})
        for rule in packs:
            for one in rule.policy.variables:
                if uses[one.name, one.text] > 1 and (one.name, one.text) not in self.places:
                    self._add(one.name, one.text, translation)

    def _add(self, name: str, text: str, translation: Translation) -> None:
        number = sum(other == name for other, _ in self.places)
        place = name if not number else f"{name}_{number + 1}"
        node = parse(text)
        code = translation.of(node)
        self.places[name, text] = place
        self._codes[place] = code.text
        translation.declare(name, node, f"given.{place}", code)

    def source(self) -> str:
        """Return the class that holds them and the function that computes them."""
        slots = "".join(f'        "{place}",\n' for place in sorted(("object", *self._codes)))
        types = "".join(f'    {place}: "Any"\n' for place in sorted(("object", *self._codes)))
        lines = "".join(f"    given.{place} = {code}\n" for place, code in self._codes.items())
        return (
            'class Given:\n    """A body, and what policies look at in it."""\n'
            f"\n    __slots__ = (\n{slots}    )\n{types}\n\n"
            'def prepare(body: "Any") -> Given:\n    """Look at a decoded body."""\n'
            f"    given = Given()\n    given.object = body\n{lines}    return given\n"
        )


def _function(rule: PolicyRule, patterns: dict[str, str], shared: Shared) -> str:
    policy = rule.policy
    if policy.conditions or policy.audits or policy.param_kind or not policy.fails or not _is_plain(policy.match):
        raise UntranslatableError("more than validations")
    translation = Translation(patterns)
    lines: list[str] = []
    for one in policy.variables:
        node = parse(one.text)
        place = shared.places.get((one.name, one.text))
        code = translation.of(node)
        if place is None:
            lines.append(f"    {one.name} = {code.text}")
        translation.declare(one.name, node, one.name if place is None else f"given.{place}", code)
    tests = [translation.condition(parse(one.expression.text)) for one in policy.validations]
    lines.append(f"    return {' and '.join(tests)}")
    return f'def {_name(rule.id)}(given: "Any") -> bool:\n' + "\n".join(lines) + "\n"


_Table = dict[tuple[str, str], list[str]]


def _kinds(chosen: list[PolicyRule]) -> _Table:
    """Return the policies that look at each built-in kind, in whatever version."""
    kinds: _Table = {}
    for (group, kind), resource in builtin_resources().items():
        for rule in chosen:
            covers = any(one.covers_resource(group, resource.plural) for one in rule.policy.match.rules)
            for version in resource.versions if covers else ():
                kinds.setdefault((f"{group}/{version}" if group else version, kind), []).append(rule.id)
    return kinds


def _is_plain(match: Match) -> bool:
    """Tell whether kinds alone decide what a policy looks at."""
    return not match.excluded and match.namespaces.is_everything and match.objects.is_everything and not match.exact


def files() -> dict[Path, str]:
    """Return what all files should hold."""
    packs = read_packs()
    everything = [rule for _, rule in packs]
    shared = Shared(everything)
    on = [rule for rule in everything if rule.is_default]
    off = [rule for rule in everything if not rule.is_default]
    return {
        PACKAGE / "packs.json": index(packs),
        PACKAGE / "plain_rules.py": rules(on, "Tests of the policies that are on.", shared, with_shared=True),
        PACKAGE / "plain_more.py": rules(off, "Tests of the policies that are off.", shared, with_shared=False),
    }


def main() -> None:
    """Write the files; `ruff format` gives them the house format."""
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
