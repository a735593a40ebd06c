"""`gitops-guard explain RULE`: the rule's page, readable on a terminal, Markdown in a pipe."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping

from gitops_guard import rules as rule_pages
from gitops_guard.commands.rules import ListedRule, listed, open_rules, report_problems
from gitops_guard.commands.workspace import Asked, Workspace
from gitops_guard.errors import UsageError
from gitops_guard.policy.packs import pack_page

_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_LINK = re.compile(r"<(https?://[^>\s]+)>|\[([^\]]+)\]\(([^)\s]+)\)")


def run(rule: str, asked: Asked, environment: Mapping[str, str]) -> int:
    """Print the page of one rule.

    Args:
        rule: Its id.
        asked: Configuration and plugins, as for `check`.
        environment: The process's variables.

    Raises:
        UsageError: There is no such rule; names the nearest ones.
        GuardError: Configuration or plugins are wrong.
    """
    workspace = open_rules(asked, environment)
    problems = report_problems(workspace)
    known = {one.id: one for one in listed(workspace)}
    page = page_of(known[rule], workspace) if rule in known else pack_page(rule)
    if page is None:
        raise UsageError(_unknown(rule, known))
    if sys.stdout.isatty():
        page = "".join(f"{line}\n" for line in plainly(page, colour=not environment.get("NO_COLOR")))
    sys.stdout.write(page)
    return problems


def _unknown(rule: str, known: Mapping[str, ListedRule]) -> str:
    near = difflib.get_close_matches(rule, sorted(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`gitops-guard rules` lists them all"
    return f"there is no rule {rule!r}; {hint}"


def page_of(rule: ListedRule, workspace: Workspace) -> str:
    """Return a rule's page as Markdown: our own file, a plugin rule's `documentation`, else what is known of it."""
    path = os.path.join(os.path.dirname(rule_pages.__file__), f"{rule.id}.md")
    if rule.origin == "built-in" and os.path.isfile(path):
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    found = next((one for _, one in workspace.extensions.rules if one.id == rule.id), None)
    documentation = getattr(found, "documentation", "")  # optional: a rule need not have a page
    if isinstance(documentation, str) and documentation.strip():
        return documentation.rstrip("\n") + "\n"
    return f"# {rule.id}\n\n{rule.summary}\n\n- severity: {rule.default_severity}\n- from: {rule.origin}\n"


def plainly(page: str, *, colour: bool) -> Iterator[str]:
    """Yield the lines of a Markdown page as one reads them on a terminal."""
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if colour else ("", "", "")
    in_code = False
    for line in page.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            yield f"    {dim}{line}{plain}" if line else ""
        elif line.startswith("#"):
            yield f"{bold}{line.lstrip('# ')}{plain}"
        else:
            yield _LINK.sub(lambda found: found[1] or f"{found[2]} ({found[3]})", line)
