"""Functions on regular expressions: the API server's `find` and `findAll`, and the regex extension."""

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.regexes import Expression, Match, compile_regex
from gitops_guard.cel.values import NONE, Opt

REGEX_KUBERNETES = Library("regex.kubernetes")
REGEX_EXT = Library("regex.ext")


@REGEX_KUBERNETES.method("find", str, str, budgeted=True)
def _find(budget: Budget, text: str, pattern: str) -> str:
    match = compile_regex(pattern).find(text, budget)
    return "" if match is None else _group(text, match, 0)


@REGEX_KUBERNETES.method("findAll", str, str, budgeted=True)
def _find_all(budget: Budget, text: str, pattern: str) -> list[str]:
    return _find_some(budget, text, pattern, -1)


@REGEX_KUBERNETES.method("findAll", str, str, int, budgeted=True)
def _find_some(budget: Budget, text: str, pattern: str, count: int) -> list[str]:
    matches = compile_regex(pattern).find_all(text, budget)
    found: list[str] = []
    while count < 0 or len(found) < count:
        match = next(matches, None)
        if match is None:
            break
        found.append(_group(text, match, 0))
    return found


def _group(text: str, match: Match, number: int) -> str:
    start, end = match.spans[number]
    return text[start:end] if start >= 0 else ""


def _with_one_group(pattern: str) -> Expression:
    expression = compile_regex(pattern)
    if expression.groups > 1:
        raise CelError(f"regular expression has more than one capturing group: {pattern!r}")
    return expression


@REGEX_EXT.function("regex.extract", str, str, budgeted=True)
def _extract(budget: Budget, text: str, pattern: str) -> Opt:
    expression = _with_one_group(pattern)
    match = expression.find(text, budget)
    if match is None or match.spans[expression.groups][0] < 0:
        return NONE
    return Opt(_group(text, match, expression.groups))


@REGEX_EXT.function("regex.extractAll", str, str, budgeted=True)
def _extract_all(budget: Budget, text: str, pattern: str) -> list[str]:
    expression = _with_one_group(pattern)
    group = expression.groups
    return [_group(text, match, group) for match in expression.find_all(text, budget) if match.spans[group][0] >= 0]


@REGEX_EXT.function("regex.replace", str, str, str, budgeted=True)
def _replace(budget: Budget, text: str, pattern: str, replacement: str) -> str:
    return _replace_first(budget, text, pattern, replacement, -1)


@REGEX_EXT.function("regex.replace", str, str, str, int, budgeted=True)
def _replace_first(budget: Budget, text: str, pattern: str, replacement: str, count: int) -> str:
    expression = compile_regex(pattern)
    template = _template(replacement, expression.groups)
    if count == 0:
        return text
    parts: list[str] = []
    last, done = 0, 0
    for match in expression.find_all(text, budget):
        start, end = match.spans[0]
        inserted = "".join(part if isinstance(part, str) else _group(text, match, part) for part in template)
        budget.spend_text(len(inserted))
        parts += (text[last:start], inserted)
        last, done = end, done + 1
        if done == count:
            break
    return "".join((*parts, text[last:]))


def _template(replacement: str, groups: int) -> list[str | int]:
    """Split a replacement into literal texts and numbers of groups."""
    template: list[str | int] = []
    position = 0
    while position < len(replacement):
        character = replacement[position]
        if character != "\\":
            template.append(character)
            position += 1
            continue
        following = replacement[position + 1 : position + 2]
        if following == "\\":
            template.append("\\")
        elif following.isascii() and following.isdigit():
            if int(following) > groups:
                raise CelError(f"replacement string references group {following} but regex has only {groups} group(s)")
            template.append(int(following))
        else:
            raise CelError("invalid replacement string: \\ must be followed by a digit or \\")
        position += 2
    return template
