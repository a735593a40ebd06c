r"""Flux's `postBuild` substitution: `${name}` and its operators, on the text of one object.

| written | becomes |
|---|---|
| `${name}` | the value; an error where there is none (Flux's strict mode, its default since kustomize-controller 1.9) |
| `${name:-text}`, `${name:=text}`, `${name=text}` | the text where the value is empty or missing |
| `${name:2}`, `${name:2:3}` | a part, by position and length |
| `${name/a/b}`, `//`, `/#`, `/%` | the first, every, a leading, a trailing `a` replaced; `\/` for a slash |
| `${name#glob}`, `##`, `%`, `%%` | a prefix or suffix removed; the shortest or the longest |
| `${name^}`, `^^`, `,`, `,,` | the first letter or all in upper or lower case |
| `${#name}` | the length in bytes |
| `$$` | a lone `$`, so `$${name}` stays `${name}` |
| `$name` | itself |
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import translate

NAME = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_SCANNED = re.compile(r"\w+")
_OPERATOR = re.compile(r":[-=?+]|=|//|/#|/%|/|##|#|%%|%|\^\^|\^|,,|,|:")
_TOLERANT = frozenset((":-", ":=", ":?", ":+", "="))
_DEEPEST = 20


class SubstitutionError(Exception):
    """The text cannot be substituted; names the variable, never a value."""


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace the variables of a text.

    Raises:
        SubstitutionError: A variable is not set, or the text is no valid substitution.
    """
    return _Reader(text, variables).whole()


class _Reader:
    """Reads a text from left to right, once."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        parts: list[str] = []
        while True:
            dollar = self._text.find("$", self._at)
            if dollar < 0:
                parts.append(self._text[self._at :])
                return "".join(parts)
            parts.append(self._text[self._at : dollar])
            self._at = dollar
            follows = self._text[dollar + 1 : dollar + 2]
            if follows == "{":
                parts.append(self._expression())
                continue
            parts.append("$")
            self._at += 2 if follows == "$" else 1

    def _expression(self) -> str:
        """Read `${...}`, whose `$` is next."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SubstitutionError(f"variables are nested more than {_DEEPEST} deep")
        self._at += 2
        if self._peek() == "#":
            self._at += 1
            value = str(len(self._value(self._name()).encode()))
        else:
            name = self._name()
            operator = self._operator()
            value = self._apply(name, operator) if operator else self._value(name)
        self._close()
        self._depth -= 1
        return value

    def _name(self) -> str:
        found = _SCANNED.match(self._text, self._at)
        if found is None:
            raise SubstitutionError("a variable's name is missing behind `${`; write `$${` for the text itself")
        self._at = found.end()
        return found[0]

    def _operator(self) -> str:
        found = _OPERATOR.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _apply(self, name: str, operator: str) -> str:
        if operator in _TOLERANT:
            fallback = self._argument("}")
            return self._variables.get(name, "") or fallback
        if operator == ":":
            start = self._argument(":}")
            length = self._second(":")
            return _part(self._value(name), start, length)
        if operator.startswith("/"):
            pattern = self._argument("/", escapes=True)
            replacement = self._second("/", escapes=True)
            if replacement is None:
                raise SubstitutionError(f"`{name}{operator}` lacks the second `/`")
            return _replaced(self._value(name), operator, pattern, replacement)
        if operator in "##%%":
            return _trimmed(self._value(name), operator, self._argument("}"))
        return _CASES[operator](self._value(name))

    def _second(self, separator: str, *, escapes: bool = False) -> str | None:
        if self._peek() != separator:
            return None
        self._at += 1
        return self._argument("}", escapes=escapes)

    def _argument(self, ends: str, *, escapes: bool = False) -> str:
        """Read up to one of the characters, which is left; variables inside are replaced."""
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] not in ends:
            if self._text.startswith("${", self._at):
                parts.append(self._expression())
                continue
            if escapes and self._text[self._at : self._at + 2] in ("\\/", "\\\\"):
                self._at += 1
            parts.append(self._text[self._at])
            self._at += 1
        return "".join(parts)

    def _value(self, name: str) -> str:
        if name not in self._variables:
            raise SubstitutionError(f"variable not set (strict mode): {name!r}")
        return self._variables[name]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _close(self) -> None:
        if self._peek() != "}":
            raise SubstitutionError("a `${` has no closing brace where one is expected")
        self._at += 1


_CASES: Mapping[str, Callable[[str], str]] = {
    "^": lambda value: value[:1].upper() + value[1:],
    "^^": str.upper,
    ",": lambda value: value[:1].lower() + value[1:],
    ",,": str.lower,
}


def _part(value: str, start: str, length: str | None) -> str:
    """Cut a part out by bytes, as Go does; what is no number leaves the value as it is."""
    data = value.encode()
    if not re.fullmatch(r"[-+]?[0-9]+", start) or not re.fullmatch(r"[-+]?[0-9]+", length or "0"):
        return value
    first = int(start) if int(start) >= 0 else max(0, len(data) + int(start))
    if length is None:
        return data[first:].decode(errors="replace")
    count = int(length)
    end = first + count if count >= 0 else len(data) + count
    return data[first : max(first, end)].decode(errors="replace")


def _replaced(value: str, operator: str, pattern: str, replacement: str) -> str:
    if operator == "//":
        return value.replace(pattern, replacement)
    if operator == "/#" and not value.startswith(pattern):
        return value
    if operator == "/%":
        return value[: len(value) - len(pattern)] + replacement if value.endswith(pattern) else value
    return value.replace(pattern, replacement, 1)


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Remove a prefix (`#`) or suffix (`%`) that the glob matches, the longest for a doubled operator."""
    matches = re.compile(translate(pattern)).match
    lengths = range(len(value), 0, -1) if len(operator) == 2 else range(1, len(value) + 1)
    for length in lengths:
        if operator[0] == "#" and matches(value[:length]):
            return value[length:]
        if operator[0] == "%" and matches(value[len(value) - length :]):
            return value[: len(value) - length]
    return value
