"""A configuration file's text into a `Config`, key by key."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, Final

import yaml

from gitops_guard.config.document import Document, nearest
from gitops_guard.config.globs import FieldGlob, NameGlob, PathSet
from gitops_guard.config.kubernetes_version import read_version
from gitops_guard.config.model import Cluster, Config, MissingSchema, Override, Suppression
from gitops_guard.config.sync_model import SyncConfig
from gitops_guard.config.sync_reading import read_sync
from gitops_guard.model import Json, Severity

_OFF: Final = "off"
_SEVERITIES: Final = (*(str(severity) for severity in Severity), _OFF)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RULE_ID: Final = re.compile(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*", re.ASCII)


def load(
    text: str,
    path: str,
    *,
    plugin_sections: Mapping[str, Mapping[str, object]] | None = None,
    known_rules: Collection[str] | None = None,
    rule_options: Mapping[str, Mapping[str, Mapping[str, object]]] | None = None,
) -> Config:
    """Read a configuration.

    Plugins named in the file bring rules and options of their own. So a caller reads twice: first without the last
    three arguments to learn the plugins, then with what these gave.

    Args:
        text: The file's content; empty text is an empty configuration.
        path: For messages and for findings about suppressions.
        plugin_sections: JSON Schema of the options by plugin name; None: not known yet, taken as they are.
        known_rules: Ids that exist; None: not known yet, any id is taken.
        rule_options: JSON Schemas by rule and option, of rules that declare their options.

    Raises:
        ConfigError: Anything is unknown, doubled, of the wrong type or out of range; with its line.
    """
    document = Document(text, path)
    reader = _Reader(document, known_rules, plugin_sections, rule_options or {})
    return Config(path=path, **reader.fields(document.root, "", _CONFIG))


def is_day(text: str) -> bool:
    """Tell whether a text is a day of the calendar, as `YYYY-MM-DD`."""
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


class _Reader:
    """Reads each kind of value; the tables below say which key is of which kind."""

    def __init__(
        self,
        document: Document,
        known_rules: Collection[str] | None,
        plugin_sections: Mapping[str, Mapping[str, object]] | None,
        rule_options: Mapping[str, Mapping[str, Mapping[str, object]]],
    ) -> None:
        self._rule_options = rule_options
        self._document = document
        self._known_rules = known_rules
        self._plugin_sections = plugin_sections

    def fields(self, node: yaml.Node | None, key: str, table: "_Table") -> dict[str, Any]:
        """Read a mapping by a table of keys; the caller spreads the result into a dataclass."""
        if node is None or (not key and _is_null(node)):
            return {}
        values: dict[str, Any] = {}
        for name, (_, value) in self._document.entries(node, key, list(table)).items():
            values[name.replace("-", "_")] = table[name](self, value, f"{key}.{name}" if key else name)
        return values

    def words(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        return self._document.texts(node, key)

    def text(self, node: yaml.Node, key: str) -> str:
        return self._document.text(node, key)

    def paths(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        """Read path globs."""
        for index, item in enumerate(self._document.items(node, key)):
            self._glob(item, f"{key}[{index}]", lambda text: PathSet((text,)))
        return self._document.texts(node, key)

    def path_glob(self, node: yaml.Node, key: str) -> str:
        return self._glob(node, key, lambda text: PathSet((text,)))

    def name_glob(self, node: yaml.Node, key: str) -> str:
        return self._glob(node, key, NameGlob)

    def field_glob(self, node: yaml.Node, key: str) -> str:
        return self._glob(node, key, FieldGlob)

    def versions(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        found: list[str] = []
        for index, item in enumerate(self._document.items(node, key)):
            text = self._document.plain(item, f"{key}[{index}]")
            version = read_version(text)
            if version is None:
                self._document.fail(f'{key}[{index}] must be a Kubernetes version such as "1.36", not {text!r}', item)
            if version not in found:
                found.append(version)
        if not found:
            self._document.fail(f"{key} must name at least one version; leave it out for the newest one", node)
        return tuple(found)

    def version(self, node: yaml.Node, key: str) -> str:
        text = self._document.plain(node, key)
        version = read_version(text)
        if version is None:
            self._document.fail(f'{key} must be a Kubernetes version such as "1.36", not {text!r}', node)
        return version

    def clusters(self, node: yaml.Node, key: str) -> dict[str, Cluster]:
        found: dict[str, Cluster] = {}
        for name, (_, value) in self._document.entries(node, key, None).items():
            found[name] = Cluster(**self.fields(value, f"{key}.{name}", _CLUSTER))
        return found

    def pairs(self, node: yaml.Node, key: str) -> dict[str, str]:
        """Read texts by name; a number or a truth value is taken as it is written."""
        entries = self._document.entries(node, key, None)
        return {name: self._document.plain(value, f"{key}.{name}") for name, (_, value) in entries.items()}

    def missing_schema(self, node: yaml.Node, key: str) -> MissingSchema:
        return MissingSchema(self._document.word(node, key, [str(choice) for choice in MissingSchema]))

    def fail_on(self, node: yaml.Node, key: str) -> Severity:
        return Severity(self._document.word(node, key, [str(severity) for severity in Severity]))

    def severities(self, node: yaml.Node, key: str) -> dict[str, Severity | None]:
        found: dict[str, Severity | None] = {}
        for rule, (name, value) in self._document.entries(node, key, None).items():
            self._check_rule(rule, key, name)
            word = self._document.word(value, f"{key}.{rule}", _SEVERITIES)
            found[rule] = None if word == _OFF else Severity(word)
        return found

    def rule(self, node: yaml.Node, key: str) -> str:
        rule = self._document.text(node, key)
        self._check_rule(rule, key, node)
        return rule

    def rule_list(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        return tuple(self.rule(item, f"{key}[{index}]") for index, item in enumerate(self._document.items(node, key)))

    def rule_options(self, node: yaml.Node, key: str) -> dict[str, dict[str, Json]]:
        found: dict[str, dict[str, Json]] = {}
        for rule, (name, value) in self._document.entries(node, key, None).items():
            self._check_rule(rule, key, name)
            found[rule] = self._options(value, f"{key}.{rule}")
            if rule in self._rule_options:
                self._declared_options(value, f"{key}.{rule}", found[rule], self._rule_options[rule])
        return found

    def _declared_options(
        self, node: yaml.Node, key: str, values: Mapping[str, Json], schemas: Mapping[str, Mapping[str, object]]
    ) -> None:
        entries = self._document.entries(node, key, list(schemas)) if schemas else {}
        if values and not schemas:
            self._document.fail(f"{key}: this rule has no options", node)
        for name, (_, value) in entries.items():
            self._check_section(value, f"{key}.{name}", values[name], schemas[name])

    def plugin_options(self, node: yaml.Node, key: str) -> dict[str, dict[str, Json]]:
        found: dict[str, dict[str, Json]] = {}
        for plugin, (name, value) in self._document.entries(node, key, None).items():
            found[plugin] = self._options(value, f"{key}.{plugin}")
            if self._plugin_sections is None:
                continue
            if plugin not in self._plugin_sections:
                hint = nearest(plugin, self._plugin_sections)
                self._document.fail(f'{key}: no loaded plugin named "{plugin}" takes options{hint}', name)
            self._check_section(value, f"{key}.{plugin}", found[plugin], self._plugin_sections[plugin])
        return found

    def assumptions(self, node: yaml.Node, key: str) -> dict[str, Json]:
        """Read what `simulate` supposes; it judges the keys itself, as those of a file for `--assume`."""
        return self._options(node, key)

    def identity(self, node: yaml.Node, key: str) -> dict[str, Any]:
        """Read `request.userInfo`: a user name and groups, as the API server would know them."""
        found = self.fields(node, key, _IDENTITY)
        if not found.get("username"):
            self._document.fail(f'{key} must have "username"', node)
        return {"username": found["username"], "groups": list(found.get("groups", ()))}

    def overrides(self, node: yaml.Node, key: str) -> tuple[Override, ...]:
        found = []
        for index, item in enumerate(self._document.items(node, key)):
            values = self.fields(item, f"{key}[{index}]", _OVERRIDE)
            if not values.get("paths"):
                self._document.fail(f'{key}[{index}] must have "paths" with at least one glob', item)
            found.append(Override(**values))
        return tuple(found)

    def suppressions(self, node: yaml.Node, key: str) -> tuple[Suppression, ...]:
        found = []
        for index, item in enumerate(self._document.items(node, key)):
            values = self.fields(item, f"{key}[{index}]", _SUPPRESSION)
            for needed in ("rule", "reason"):
                if needed not in values:
                    self._document.fail(f'{key}[{index}] must have "{needed}"', item)
            found.append(Suppression(**values, line=item.start_mark.line + 1))
        return tuple(found)

    def sync(self, node: yaml.Node, key: str) -> SyncConfig:
        return read_sync(self, self._document, node, key)

    def day(self, node: yaml.Node, key: str) -> str:
        text = self._document.plain(node, key)
        if not is_day(text):
            self._document.fail(f"{key} must be a day such as 2027-01-31, not {text!r}", node)
        return text

    def _glob(self, node: yaml.Node, key: str, compile_glob: Callable[[str], object]) -> str:
        text = self._document.text(node, key)
        try:
            compile_glob(text)
        except ValueError as error:
            self._document.fail(f"{key}: {error}", node)
        return text

    def _check_rule(self, rule: str, key: str, node: yaml.Node) -> None:
        if not _RULE_ID.fullmatch(rule):
            self._document.fail(f"{key}: {rule!r} is no rule id; ids look like unknown-field", node)
        if self._known_rules is not None and rule not in self._known_rules:
            hint = nearest(rule, sorted(self._known_rules))
            self._document.fail(f'{key}: there is no rule "{rule}"{hint}', node)

    def _options(self, node: yaml.Node, key: str) -> dict[str, Json]:
        value = self._document.json(node, key)
        if not isinstance(value, dict):
            self._document.fail(f"{key} must be a mapping of options", node)
        return value

    def _check_section(self, node: yaml.Node, key: str, value: Json, schema: Mapping[str, object]) -> None:
        # Only configurations with options of plugins pay for importing it (76 ms).
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for

        try:
            validator_for(schema).check_schema(dict(schema))
        except SchemaError as wrong:
            self._document.fail(
                f"{key}: the plugin's own JSON Schema is wrong ({wrong.validator}); tell its author", node
            )
        validator = validator_for(schema)(schema)
        error = min(
            validator.iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path], default=None
        )
        if error is not None:
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
            # Not the validator's own message: it prints the value, and an option may be a token.
            wanted = f"{error.validator}: {error.validator_value}"[:200]
            self._document.fail(f"{key}{place} must satisfy {wanted}", _descend(node, list(error.absolute_path)))


def _descend(node: yaml.Node, path: list[str | int]) -> yaml.Node:
    """Follow keys and indices as far as the nodes go."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == part), node)
    return node


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


_Table = dict[str, Callable[[_Reader, yaml.Node, str], object]]

_OVERRIDE: Final[_Table] = {
    "paths": _Reader.paths,
    "kubernetes-versions": _Reader.versions,
    "severity": _Reader.severities,
    "exclude-rules": _Reader.rule_list,
}
_SUPPRESSION: Final[_Table] = {
    "rule": _Reader.rule,
    "kind": _Reader.text,
    "name": _Reader.name_glob,
    "namespace": _Reader.name_glob,
    "path": _Reader.path_glob,
    "field": _Reader.field_glob,
    "container": _Reader.name_glob,
    "reason": _Reader.text,
    "owner": _Reader.text,
    "until": _Reader.day,
}
_IDENTITY: Final[_Table] = {
    "username": _Reader.text,
    "groups": _Reader.words,
}
_CLUSTER: Final[_Table] = {
    "context": _Reader.text,
    "server": _Reader.text,
    "kubernetes-version": _Reader.version,
    "api-versions": _Reader.words,
    "paths": _Reader.paths,
    "labels": _Reader.pairs,
    "variables": _Reader.pairs,
}
_CONFIG: Final[_Table] = {
    "kubernetes-versions": _Reader.versions,
    "include": _Reader.paths,
    "exclude": _Reader.paths,
    "crds": _Reader.paths,
    "schemas": _Reader.words,
    "missing-schema": _Reader.missing_schema,
    "severity": _Reader.severities,
    "fail-on": _Reader.fail_on,
    "overrides": _Reader.overrides,
    "suppressions": _Reader.suppressions,
    "clusters": _Reader.clusters,
    "policies": _Reader.words,
    "waivers": _Reader.words,
    "identity": _Reader.identity,
    "plugins": _Reader.words,
    "plugin-options": _Reader.plugin_options,
    "rules": _Reader.rule_options,
    "assumptions": _Reader.assumptions,
    "sync": _Reader.sync,
}
