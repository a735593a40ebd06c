"""Globs as Argo CD reads them: `*` stays within a path's segment, `**` does not."""

import re
from fnmatch import fnmatchcase

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_ALTERNATIVES = 256


def glob_matches(pattern: str, path: str, *, braces: bool = False) -> bool:
    """Tell whether a pattern matches a whole path.

    Args:
        pattern: `apps/*/config.json`, `**/config.yaml`; `{a,b}` is either of them with `braces`.
        path: Without a slash in front.
        braces: Whether braces mean alternatives.
    """
    patterns = _unfold(pattern) if braces else [pattern]
    segments = path.split("/")
    return any(_segments(one.strip("/").split("/"), segments) for one in patterns)


def _unfold(pattern: str) -> list[str]:
    done: list[str] = []
    waiting = [pattern]
    while waiting and len(done) + len(waiting) <= _MOST_ALTERNATIVES:
        one = waiting.pop()
        found = _BRACES.search(one)
        if found is None:
            done.append(one)
        else:
            waiting += [f"{one[: found.start()]}{choice}{one[found.end() :]}" for choice in found[1].split(",")]
    return done


def _segments(pattern: list[str], path: list[str]) -> bool:
    """Match segment by segment; the table keeps several `**` from costing more than pattern times path."""
    reachable = {0}
    for part in pattern:
        if part == "**":
            reachable = set(range(min(reachable), len(path) + 1)) if reachable else set()
        else:
            reachable = {at + 1 for at in reachable if at < len(path) and fnmatchcase(path[at], part)}
    return len(path) in reachable
