"""Write docs/reference/ from the code: command lines, files to write, rules, formats, hooks, exit codes, JSON contract.

`make docs` runs it; tests/docs/test_reference.py fails when a page is not what it would write.
"""

import argparse
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gitops_guard import cli, hookspecs, plugins, report  # noqa: E402  # the checkout's own, whatever is installed
from gitops_guard.check.catalog import ENGINE_RULES  # noqa: E402
from gitops_guard.commands.parser import make_parser  # noqa: E402
from gitops_guard.config.settle import FLAGS, VARIABLES  # noqa: E402
from gitops_guard.rules import RULES  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
_NOTE = "<!-- Written by tools/reference.py (make docs); do not edit. -->"
_MODULES = {"json": "json_report"}


def pages() -> dict[str, str]:
    """Return all pages by file name."""
    made = {name: _page(title, body()) for name, (title, body) in PAGES.items()}
    made["README.md"] = _page("Reference", _index())
    return made


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", _NOTE, "", *lines]).rstrip("\n") + "\n"


def _index() -> Iterator[str]:
    yield "Generated from the code, so that it says what the installed version does."
    yield ""
    for name, (title, _) in PAGES.items():
        yield f"- [{title}]({name})"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every subcommand."""
    (action,) = (found for found in make_parser()._actions if isinstance(found, argparse._SubParsersAction))
    return dict(action.choices)


def _command_line() -> Iterator[str]:
    for name, parser in commands().items():
        yield f"## gitops-guard {name}"
        yield ""
        yield str(parser.description)
        yield ""
        actions = [action for action in parser._actions if action.dest != "help"]
        yield from _table(("argument", "meaning"), ((_argument(action), str(action.help)) for action in actions))
    yield "## Environment variables"
    yield ""
    yield "A flag wins over a variable, a variable over the configuration. An empty variable counts as not set."
    yield ""
    rows = [(f"`{variable}`", f"`{FLAGS[setting]}`") for setting, variable in VARIABLES.items()]
    yield from _table(("variable", "stands for"), iter(rows))
    yield f"`{plugins.DISABLE_VARIABLE}`: {_sentence(inspect.getsource(plugins), 'DISABLE_VARIABLE = ')}"


def _sentence(source: str, start: str) -> str:
    """Return the string that stands below an assignment, as an attribute's docstring."""
    return source.split(start, 1)[1].split('"""')[1].strip()


def _argument(action: argparse.Action) -> str:
    words = action.option_strings or [str(action.metavar)]
    takes = (
        f" {action.metavar or '|'.join(action.choices or ())}" if action.option_strings and action.nargs != 0 else ""
    )
    return ", ".join(f"`{word}{takes}`" for word in words)


def _configuration() -> Iterator[str]:
    schema = json.loads((ROOT / "gitops_guard" / "config.schema.json").read_text(encoding="utf-8"))
    yield "`.gitops-guard.yaml` at the top of the repository; every key is optional. An unknown key is an error."
    yield "Editors that know JSON Schema take `gitops_guard/config.schema.json`."
    yield ""
    yield from _table(("key", "type", "meaning"), _keys(schema["properties"], ""))


def _keys(properties: dict[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    for name, schema in properties.items():
        yield f"`{prefix}{name}`", _type(schema), schema.get("description", "")
        items = schema.get("items", {})
        if "properties" in items:
            yield from _keys(items["properties"], f"{prefix}{name}[].")


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kinds = schema.get("type", "any")
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)


def _waivers() -> Iterator[str]:
    schema = json.loads((ROOT / "gitops_guard" / "waiver.schema.json").read_text(encoding="utf-8"))
    yield schema["description"]
    yield ""
    yield "How to use one: [How to accept a finding](../how-to/accept-findings.md)."
    yield "Editors that know JSON Schema take `gitops_guard/waiver.schema.json`."
    yield ""
    yield from _table(("key", "type", "meaning"), _members(schema, "", {}))


def _rules() -> Iterator[str]:
    yield "`gitops-guard rules` lists them with those of plugins; `gitops-guard explain RULE` prints a page."
    yield ""
    link = "[`{0}`](../../gitops_guard/rules/{0}.md)"
    known = sorted((rule.id, rule.severity, rule.summary) for rule in (*ENGINE_RULES.values(), *RULES))
    rows = [(link.format(name), str(severity), summary) for name, severity, summary in known]
    yield from _table(("rule", "severity", "what it flags"), iter(rows))


def _formats() -> Iterator[str]:
    yield "`--format NAME`. Plugins may bring more ([hooks](hooks.md))."
    yield ""
    for name in report.FORMATS:
        module = import_module(f"gitops_guard.report.{_MODULES.get(name, name)}")
        yield f"## {name}"
        yield ""
        yield from textwrap.dedent(module.__doc__ or "").strip().splitlines()
        yield ""


def hooks() -> dict[str, Callable[..., Any]]:
    """Return the hook specifications by name."""
    return {name: found for name, found in vars(hookspecs).items() if name.startswith("gitops_guard_")}


def _hooks() -> Iterator[str]:
    yield "A plugin is a module with functions marked `@hookimpl` (`from gitops_guard.hookspecs import hookimpl`)."
    yield "How to write one: [Write a plugin](../how-to/write-a-plugin.md)."
    yield ""
    for name, function in hooks().items():
        yield f"## {name}"
        yield ""
        yield "```python"
        yield f"def {name}() -> {_annotation(inspect.signature(function).return_annotation)}"
        yield "```"
        yield ""
        yield from inspect.getdoc(function).splitlines()
        yield ""


def _annotation(annotation: Any) -> str:
    text = str(annotation)
    for prefix in ("collections.abc.", "gitops_guard.model.rule.", "gitops_guard.model.renderer.", "typing."):
        text = text.replace(prefix, "")
    return text


def _exit_codes() -> Iterator[str]:
    meanings = {
        cli.CLEAN: "clean: nothing at or above `--fail-on`",
        cli.FINDINGS: "findings at or above `--fail-on`",
        cli.COULD_NOT_CHECK: "something could not be checked, or the command line is wrong; never a pass",
        cli.OUR_BUG: "a bug of ours; a log file is named, which holds no content of your files",
        cli.INTERRUPTED: "interrupted",
    }
    yield from _table(("code", "meaning"), ((str(code), meaning) for code, meaning in meanings.items()))
    yield "The report alone goes to standard output, everything else to standard error."


def _json_contract() -> Iterator[str]:
    schema = json.loads((ROOT / "gitops_guard" / "report" / "check.schema.json").read_text(encoding="utf-8"))
    yield schema["description"]
    yield ""
    yield "Its JSON Schema is `gitops_guard/report/check.schema.json`."
    yield ""
    yield from _table(("key", "type", "meaning"), _members(schema, "", schema.get("$defs", {})))
    schema = json.loads((ROOT / "gitops_guard" / "policy" / "test.schema.json").read_text(encoding="utf-8"))
    yield "## gitops-guard test"
    yield ""
    yield schema["description"]
    yield ""
    yield "Its JSON Schema is `gitops_guard/policy/test.schema.json`."
    yield ""
    yield from _table(("key", "type", "meaning"), _members(schema, "", {}))


def _members(schema: dict[str, Any], prefix: str, definitions: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, child in schema.get("properties", {}).items():
        resolved = definitions[child["$ref"].rpartition("/")[2]] if "$ref" in child else child
        yield f"`{prefix}{name}`", _type(resolved), child.get("description", resolved.get("description", ""))
        for inner in (resolved, *resolved.get("anyOf", ())):
            yield from _members(inner, f"{prefix}{name}.", definitions)
        yield from _members(resolved.get("items", {}), f"{prefix}{name}[].", definitions)


PAGES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "command-line.md": ("Command line", _command_line),
    "configuration.md": ("Configuration", _configuration),
    "waivers.md": ("Waivers", _waivers),
    "rules.md": ("Rules", _rules),
    "formats.md": ("Formats", _formats),
    "hooks.md": ("Hooks", _hooks),
    "exit-codes.md": ("Exit codes", _exit_codes),
    "json.md": ("The JSON contract", _json_contract),
}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
