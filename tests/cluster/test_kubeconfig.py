"""Kubeconfig files -> access: what wins, what is refused, and what no message says."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.cluster import Access, AccessError, context_names, load_access
from gitops_guard.cluster.access import Impersonation
from gitops_guard.cluster.identity import Identity

SECRET = "very-secret-value"


def config(
    *,
    user: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    name: str = "one",
) -> dict[str, Any]:
    return {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.test:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **(context or {})}}],
    }


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def load(path: Path, **options: Any) -> Access:
    return load_access(options.pop("environment", {}), kubeconfig=str(path), **options)


def test_access_when_nothing_special_is_said_then_server_and_namespace_are_known(tmp_path: Path) -> None:
    access = load(write(tmp_path / "config", config(user={"token": SECRET})))
    assert ("one", "https://one.test:6443", "default") == (access.name, access.server, access.namespace)
    assert access.credentials.identity() == Identity(token=SECRET)


def test_merge_when_several_files_then_the_first_to_say_something_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "a", config(name="one"))
    other = config(name="two")
    other["clusters"].append({"name": "one", "cluster": {"server": "https://late.test", "tls-server-name": "late"}})
    second = write(tmp_path / "b", other)
    environment = {"KUBECONFIG": f"{tmp_path / 'missing'}:{first}:{second}"}
    assert ("one", "two") == context_names(environment)
    assert load_access(environment).server == "https://one.test:6443"
    assert load_access(environment).tls_server_name == ""
    assert load_access(environment, context="two").server == "https://two.test:6443"


def test_merge_when_kubeconfig_is_not_set_then_the_file_at_home_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", config())
    assert ("one",) == context_names({"HOME": str(tmp_path)})


def test_files_when_they_are_relative_then_to_the_kubeconfig(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "ca.crt", "CA")
    write(tmp_path / "deep" / "token", f"{SECRET}\n")
    path = write(
        tmp_path / "deep" / "config",
        config(cluster={"certificate-authority": "ca.crt"}, user={"tokenFile": "token", "token": "other"}),
    )
    access = load(path)
    assert (b"CA", SECRET) == (access.ca, access.credentials.identity().token)


def test_data_when_beside_a_file_then_it_wins(tmp_path: Path) -> None:
    data = {"certificate-authority-data": base64.b64encode(b"DATA").decode(), "certificate-authority": "none.crt"}
    assert load(write(tmp_path / "config", config(cluster=data))).ca == b"DATA"


def test_certificate_when_given_as_data_then_it_is_the_identity(tmp_path: Path) -> None:
    user = {f"client-{part}-data": base64.b64encode(part.encode()).decode() for part in ("certificate", "key")}
    identity = load(write(tmp_path / "config", config(user=user))).credentials.identity()
    assert (b"certificate", b"key") == (identity.certificate, identity.key)


def test_impersonation_when_named_then_it_is_read(tmp_path: Path) -> None:
    user = {"as": "jane", "as-groups": ["a", "b"], "as-uid": "7", "as-user-extra": {"scopes": ["x"]}}
    expected = Impersonation(user="jane", groups=("a", "b"), uid="7", extra={"scopes": ("x",)})
    assert load(write(tmp_path / "config", config(user=user))).impersonation == expected


def test_cluster_when_it_has_a_proxy_and_a_name_then_they_are_read(tmp_path: Path) -> None:
    cluster = {"proxy-url": "http://proxy.test:3128", "tls-server-name": "kubernetes", "insecure-skip-tls-verify": True}
    access = load(write(tmp_path / "config", config(cluster=cluster)), environment={"HTTPS_PROXY": "http://other"})
    assert ("http://proxy.test:3128", "kubernetes", True) == (access.proxy, access.tls_server_name, access.insecure)


def _web_token(expiry: float) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({})}.{part({'exp': expiry})}.{part('')}"


def test_old_oidc_entry_when_its_token_is_valid_then_it_is_used(tmp_path: Path) -> None:
    token = _web_token(time.time() + 600)
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    assert load(write(tmp_path / "config", config(user=user))).credentials.identity().token == token


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(config(user={"token": SECRET, "client-key-data": "!!"}), "client-key-data is not base64", id="base64"),
        pytest.param(config(user={"client-certificate": "none.crt"}), "none.crt cannot be read: No such file", id="no file"),
        pytest.param(config(user={"token": f"{SECRET}\nx"}), "characters that no token may have", id="token with a newline"),
        pytest.param(config(user={"token": [SECRET]}), "token must be a string", id="token of another type"),
        pytest.param(f"users:\n- name: x\n  token: {SECRET}: {SECRET}\n", "config:3: is no YAML", id="no YAML"),
        pytest.param([SECRET], "is no kubeconfig", id="a list"),
        pytest.param(config(cluster={"server": f"https://u:{SECRET}@h"}), "holds a user or password", id="password in the URL"),
        pytest.param(config(cluster={"server": "ftp://h"}), "must be an https URL", id="no https"),
        pytest.param(config(context={"user": "nobody"}), "there is no user 'nobody'", id="no such user"),
        pytest.param(config(context={"cluster": "none"}), "there is no cluster 'none'", id="no such cluster"),
        pytest.param(config(user={"as-groups": ["x"]}), "need as", id="groups without user"),
        pytest.param(config(user={"exec": {"command": "x", "apiVersion": "v0"}}), "exec.apiVersion must be", id="old exec"),
        pytest.param(config(user={"auth-provider": {"name": "gcp", "config": {"access-token": SECRET}}}), "use a credential plugin", id="gcp"),
        pytest.param(config(user={"auth-provider": {"name": "oidc", "config": {"id-token": _web_token(1)}}}), "has expired", id="expired oidc"),
        pytest.param({**config(), "current-context": "gone"}, "no context 'gone'", id="no such context"),
        pytest.param(
            config(cluster={"insecure-skip-tls-verify": True, "certificate-authority-data": "QQ=="}),
            "exclude each other",
            id="insecure with a CA",
        ),
    ],
)  # fmt: skip
def test_access_when_the_file_is_wrong_then_the_message_names_it_and_no_secret(
    tmp_path: Path, content: object, message: str
) -> None:
    path = write(tmp_path / "config", content)
    with pytest.raises(AccessError) as caught:
        load(path)
    assert message in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_access_when_there_is_no_kubeconfig_then_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="no kubeconfig was found"):
        load_access({"HOME": str(tmp_path)})
    with pytest.raises(AccessError, match="nowhere: no such file"):
        load(tmp_path / "nowhere")


def test_access_when_the_pod_is_asked_for_then_it_must_be_one(tmp_path: Path) -> None:
    path = write(tmp_path / "config", config())
    with pytest.raises(AccessError, match="not in a pod"):
        load(path, context="in-cluster")
    path = write(tmp_path / "config", config(name="in-cluster"))
    assert load(path, context="in-cluster").server == "https://in-cluster.test:6443"


def test_access_when_in_a_pod_without_kubeconfig_then_it_is_the_service_account(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="/var/run/secrets"):
        load_access({"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"})


def test_repr_when_it_is_printed_then_it_holds_no_secret(tmp_path: Path) -> None:
    user = {"token": SECRET, "password": SECRET, "client-key-data": base64.b64encode(SECRET.encode()).decode()}
    user["client-certificate-data"] = user["client-key-data"]
    cluster = {"proxy-url": f"http://u:{SECRET}@proxy.test"}
    access = load(write(tmp_path / "config", config(user=user, cluster=cluster)))
    assert SECRET not in repr(access)
    assert SECRET not in repr(access.credentials.identity())
