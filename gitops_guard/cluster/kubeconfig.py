"""Kubeconfig files -> `Access`: the merge of `KUBECONFIG`, contexts, users and clusters as kubectl understands them.

The first file that sets a value or names an entry wins; later entries of the same name are not looked at. Messages name
the file and the entry, and never quote a value.
"""

import base64
import binascii
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from gitops_guard.cluster.access import DEFAULT_NAMESPACE, Access, Impersonation, expand
from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.exec_plugin import API_VERSIONS, ExecCredentials, Plugin
from gitops_guard.cluster.identity import Credentials, FixedCredentials, Identity, TokenFile, expiry_of
from gitops_guard.cluster.in_cluster import IN_CLUSTER, in_cluster_access, is_in_cluster
from gitops_guard.cluster.proxy import is_near, proxy_for
from gitops_guard.model import Json

_LARGEST_FILE: Final = 16 << 20
_EXEC_EXTENSION: Final = "client.authentication.k8s.io/exec"
_SECTIONS: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A named entry: where it stands and what it says."""

    kind: str
    name: str
    file: str
    values: Mapping[str, Json]

    @property
    def directory(self) -> str:
        return os.path.dirname(os.path.abspath(self.file))

    def error(self, message: str) -> AccessError:
        return AccessError(f"{self.file}: {self.kind} {self.name!r}: {message}")

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(f"{key} must be a string")
        return value

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(f"{key} must be true or false")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.error(f"{key} must be a list of strings")
        return tuple(str(one) for one in value)

    def part(self, key: str) -> "_Entry | None":
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(f"{key} must be a map")
        return _Entry(kind=self.kind, name=self.name, file=self.file, values=value)

    def content(self, key: str) -> bytes:
        """Return what `<key>-data` holds, else the file that `<key>` names; empty when neither is there."""
        encoded, path = self.text(f"{key}-data"), self.text(key)
        if encoded:
            try:
                return base64.b64decode("".join(encoded.split()), validate=True)
            except (binascii.Error, ValueError):
                raise self.error(f"{key}-data is not base64") from None
        if not path:
            return b""
        try:
            with open(expand(self.directory, path), "rb") as file:
                return file.read(_LARGEST_FILE)
        except OSError as error:
            raise self.error(f"{key} {path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """All files together."""

    files: tuple[str, ...]
    """Those that exist."""

    current: str
    """The current context's name; empty when there is none."""

    clusters: Mapping[str, _Entry]
    users: Mapping[str, _Entry]
    contexts: Mapping[str, _Entry]


def read_kubeconfig(environment: Mapping[str, str], *, path: str = "") -> Kubeconfig:
    """Read the kubeconfig files.

    Args:
        environment: `KUBECONFIG` lists files; without it `~/.kube/config` is read.
        path: One file that is read instead of those; it must exist.

    Raises:
        AccessError: A file cannot be read.
    """
    if path:
        return _merged([(path, _read_file(path))])
    found = []
    for one in _paths(environment):
        try:
            found.append((one, _read_file(one)))
        except FileNotFoundError:
            continue  # as kubectl does: a list in a profile may name files that some machines lack
    return _merged(found)


def _paths(environment: Mapping[str, str]) -> list[str]:
    listed = [one for one in environment.get("KUBECONFIG", "").split(os.pathsep) if one]
    home = environment.get("HOME", "")
    return listed or ([os.path.join(home, ".kube", "config")] if home else [])


def _read_file(path: str) -> Mapping[str, Json]:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST_FILE:
        raise AccessError(f"{path}: larger than {_LARGEST_FILE:,} bytes, so no kubeconfig")
    try:
        content = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # not chained and not quoted: the parser's message shows the line, which may hold a token
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else path
        raise AccessError(f"{place}: is no YAML") from None
    if not isinstance(content, dict):
        if content is None:
            return {}
        raise AccessError(f"{path}: is no kubeconfig")
    return content


def _merged(files: list[tuple[str, Mapping[str, Json]]]) -> Kubeconfig:
    current = next((str(one["current-context"]) for _, one in files if one.get("current-context")), "")
    sections = {section: _section(files, section) for section in _SECTIONS}
    return Kubeconfig(
        files=tuple(path for path, _ in files),
        current=current,
        clusters=sections["clusters"],
        users=sections["users"],
        contexts=sections["contexts"],
    )


def _section(files: list[tuple[str, Mapping[str, Json]]], section: str) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for path, content in files:
        entries = content.get(section) or []
        if not isinstance(entries, list):
            raise AccessError(f"{path}: {section} must be a list")
        for entry in _entries(path, section, entries):
            found.setdefault(entry.name, entry)
    return found


def _entries(path: str, section: str, entries: list[Json]) -> Iterator[_Entry]:
    kind = _SECTIONS[section]
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        values = (entry.get(kind) or {}) if isinstance(entry, dict) else None
        if not isinstance(name, str) or not isinstance(values, dict):
            raise AccessError(f"{path}: every entry of {section} must have a name and a map {kind!r}")
        yield _Entry(kind=kind, name=name, file=path, values=values)


def load_access(environment: Mapping[str, str], *, context: str = "", kubeconfig: str = "") -> Access:
    """Find the way to a cluster, as kubectl does.

    Args:
        environment: `KUBECONFIG`, `HOME`, the proxy variables; inside a pod `KUBERNETES_SERVICE_HOST`.
        context: Name of a context; empty: the current one, or the service account of the pod we run in when there is
            no kubeconfig. `in-cluster`, unless a context has that name: that account in any case.
        kubeconfig: A file that is used instead of those that the environment names.

    Raises:
        AccessError: No such context, a file that cannot be read, or an entry that says nothing usable.
    """
    try:
        config = read_kubeconfig(environment, path=kubeconfig)
    except FileNotFoundError:
        raise AccessError(f"{kubeconfig}: no such file") from None
    if not context and not config.current and is_in_cluster(environment):
        return in_cluster_access(environment)
    name = context or config.current
    if name == IN_CLUSTER and name not in config.contexts:
        return in_cluster_access(environment)
    if name not in config.contexts:
        raise AccessError(_no_context(config, name))
    return _access(config, config.contexts[name], environment)


def context_names(environment: Mapping[str, str], *, kubeconfig: str = "") -> tuple[str, ...]:
    """Return the names of all contexts, sorted.

    Raises:
        AccessError: A file cannot be read.
    """
    try:
        return tuple(sorted(read_kubeconfig(environment, path=kubeconfig).contexts))
    except FileNotFoundError:
        raise AccessError(f"{kubeconfig}: no such file") from None


def _no_context(config: Kubeconfig, name: str) -> str:
    where = ", ".join(config.files) or "no kubeconfig was found (KUBECONFIG, ~/.kube/config)"
    if not name:
        return f"no context is given and none is current: {where}"
    known = ", ".join(sorted(config.contexts)) or "none"
    return f"no context {name!r}: {where}; there are: {known}"


def _access(config: Kubeconfig, context: _Entry, environment: Mapping[str, str]) -> Access:
    cluster = _named(config.clusters, context, "cluster")
    if cluster is None:
        raise context.error("names no cluster")
    user = _named(config.users, context, "user")
    server = cluster.text("server")
    insecure = cluster.flag("insecure-skip-tls-verify")
    ca = cluster.content("certificate-authority")
    if insecure and ca:
        raise cluster.error("insecure-skip-tls-verify and a certificate authority exclude each other")
    return Access(
        name=context.name,
        server=server,
        credentials=_credentials(user, cluster, environment),
        namespace=context.text("namespace") or DEFAULT_NAMESPACE,
        ca=ca,
        tls_server_name=cluster.text("tls-server-name"),
        insecure=insecure,
        proxy=cluster.text("proxy-url") or proxy_for(server, environment),
        impersonation=_impersonation(user) if user is not None else None,
        compressed=not cluster.flag("disable-compression") and not is_near(server),
    )


def _named(entries: Mapping[str, _Entry], context: _Entry, key: str) -> _Entry | None:
    name = context.text(key)
    if name and name not in entries:
        raise context.error(f"there is no {key} {name!r}")
    return entries[name] if name else None


def _credentials(user: _Entry | None, cluster: _Entry, environment: Mapping[str, str]) -> Credentials:
    if user is None:
        return FixedCredentials(Identity())
    plugin = user.part("exec")
    if plugin is not None:
        return ExecCredentials(_plugin(plugin, cluster), environment)
    certificate, key = user.content("client-certificate"), user.content("client-key")
    if bool(certificate) != bool(key):
        raise user.error("client-certificate and client-key belong together")
    beside = Identity(certificate=certificate, key=key, user=user.text("username"), password=user.text("password"))
    if token_file := user.text("tokenFile"):
        return TokenFile(expand(user.directory, token_file), beside)
    token = user.text("token") or _legacy_token(user)
    return FixedCredentials(
        Identity(token=token, user=beside.user, password=beside.password, certificate=certificate, key=key)
    )


def _legacy_token(user: _Entry) -> str:
    """Return the id-token of a legacy OIDC entry while it is valid; client-go alone could refresh it."""
    provider = user.part("auth-provider")
    if provider is None:
        return ""
    name, settings = provider.text("name"), provider.part("config")
    token = settings.text("id-token") if settings is not None and name == "oidc" else ""
    expiry = expiry_of(token)
    if token and (expiry is None or expiry > time.time()):
        return token
    raise user.error(
        f"the auth-provider {name!r} is of the old kind and its token, if any, has expired; "
        "use a credential plugin (exec), such as kubelogin"
    )


def _plugin(entry: _Entry, cluster: _Entry) -> Plugin:
    version = entry.text("apiVersion")
    if version not in API_VERSIONS:
        raise entry.error(f"exec.apiVersion must be one of {', '.join(API_VERSIONS)}")
    if not entry.text("command"):
        raise entry.error("exec.command is missing")
    mode = entry.text("interactiveMode") or "IfAvailable"
    if mode not in ("Never", "IfAvailable", "Always"):
        raise entry.error("exec.interactiveMode must be Never, IfAvailable or Always")
    return Plugin(
        command=entry.text("command"),
        api_version=version,
        args=entry.texts("args"),
        env=_variables(entry),
        directory=entry.directory,
        install_hint=entry.text("installHint"),
        interactive_mode=mode,
        cluster_info=_cluster_info(cluster) if entry.flag("provideClusterInfo") else None,
    )


def _variables(entry: _Entry) -> dict[str, str]:
    listed = entry.values.get("env") or []
    found: dict[str, str] = {}
    for one in listed if isinstance(listed, list) else [None]:
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise entry.error("exec.env must be a list of names and values")
        found[name] = value
    return found


def _cluster_info(cluster: _Entry) -> dict[str, Json]:
    ca = cluster.content("certificate-authority")
    info: dict[str, Json] = {
        "server": cluster.text("server"),
        "tls-server-name": cluster.text("tls-server-name"),
        "insecure-skip-tls-verify": cluster.flag("insecure-skip-tls-verify"),
        "certificate-authority-data": base64.b64encode(ca).decode(),
        "proxy-url": cluster.text("proxy-url"),
    }
    told: dict[str, Json] = {key: value for key, value in info.items() if value}
    extensions = cluster.values.get("extensions") or []
    for one in extensions if isinstance(extensions, list) else []:
        if isinstance(one, dict) and one.get("name") == _EXEC_EXTENSION:
            told["config"] = one.get("extension")
    return told


def _impersonation(user: _Entry) -> Impersonation | None:
    if not user.text("as"):
        if any(user.values.get(key) for key in ("as-groups", "as-uid", "as-user-extra")):
            raise user.error("as-groups, as-uid and as-user-extra need as")
        return None
    extra = user.part("as-user-extra")
    return Impersonation(
        user=user.text("as"),
        groups=user.texts("as-groups"),
        uid=user.text("as-uid"),
        extra={key: extra.texts(key) for key in extra.values} if extra is not None else {},
    )
