"""One control plane on loopback: etcd, kube-apiserver, its users, its logs.

It knows processes, certificates and the API; it does not know pytest.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Callable
from pathlib import Path

from controlplane.api import Api, Body, Credentials, wait_for
from controlplane.certificates import Authority
from controlplane.processes import Process, ProcessFailedError, free_ports

ADMIN = "admin"
"""May do everything (group system:masters)."""
READER = "reader"
"""May read everything and write nothing."""
NAMESPACED = "namespaced"
"""May do nothing until `ControlPlane.allow_in` lets it work in a namespace."""

_GROUPS = {ADMIN: ("system:masters",), READER: ("readers",), NAMESPACED: ("teams",)}
_START_S = 30.0  # generous: two cores may be shared with a build
_ATTEMPTS = 3

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}

_READER_ROLE: list[Body] = [
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "test:reader"},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"nonResourceURLs": ["*"], "verbs": ["get"]},
        ],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "test:reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test:reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "readers"}],
    },
]


class ControlPlane:
    """etcd and kube-apiserver in a directory, on ports of their own."""

    def __init__(self, directory: Path, *, etcd: Path, kube_apiserver: Path, flags: tuple[str, ...] = ()) -> None:
        """Prepare everything; nothing runs before `start`.

        Args:
            directory: For data, certificates, kubeconfigs and logs; created if needed.
            etcd: The binary.
            kube_apiserver: The binary.
            flags: More flags for kube-apiserver, such as "--max-mutating-requests-inflight=1".
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = 0
        """Where kube-apiserver listens on 127.0.0.1; known once it is started."""
        self.authority = Authority(directory / "pki")
        self.processes: list[Process] = []
        """What runs, in the order of starting."""
        self.apis: list[Api] = []
        self._etcd, self._kube_apiserver, self._flags = etcd, kube_apiserver, flags
        self._etcd_port = 0
        self.server_certificate = self.authority.server()
        self.service_account_key = self.authority.signing_key("service-accounts")
        self._users = {user: self._credentials(user) for user in _GROUPS}
        self._write_files()

    def start(self) -> None:
        """Start both and wait until the API server is ready.

        Raises:
            ProcessFailedError: One of them ended or did not become ready; carries its log.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self._etcd_port, peer_port, self.port = free_ports(3)
            try:
                self._start_etcd(peer_port)
                self._start_kube_apiserver()
                break
            except ProcessFailedError as error:
                self.stop()
                # another process took one of the ports between choosing and listening
                if attempt == _ATTEMPTS or "address already in use" not in error.log:
                    raise
        admin = self.api(ADMIN)
        for body in _READER_ROLE:
            admin.expect("POST", admin.path_of(body).rpartition("/")[0], body)

    def stop(self) -> None:
        """End all processes and connections at once; the data is thrown away, so nothing needs a clean end."""
        for api in self.apis:
            api.close()
        for process in reversed(self.processes):
            process.stop()
        self.processes.clear()

    def restart_kube_apiserver(self, *, grace_s: float = 0.0) -> None:
        """End kube-apiserver, with a SIGTERM first if it gets a grace time, and start it again on the same port."""
        self.stop_kube_apiserver(grace_s=grace_s)
        self._start_kube_apiserver()

    def stop_kube_apiserver(self, *, grace_s: float = 0.0) -> None:
        """End kube-apiserver alone."""
        for process in [one for one in self.processes if one.name == self._kube_apiserver.name]:
            process.stop(grace_s=grace_s)
            self.processes.remove(process)

    def spawn(self, program: Path, arguments: list[str], *, log_name: str = "") -> Process:
        """Start one more program that ends with this control plane."""
        log = self.directory / f"{log_name or program.name}.log"
        process = Process(program, arguments, log=log, directory=self.directory)
        self.processes.append(process)
        return process

    def credentials(self, user: str) -> Credentials:
        """Return how one of the users proves who it is; it has a token and a certificate."""
        return self._users[user]

    def api(self, user: str = ADMIN, *, port: int = 0, timeout_s: float = 60.0) -> Api:
        """Return a client that acts as a user, with its token.

        Args:
            port: Of a proxy in front of the server; 0 is the server itself.
            timeout_s: How long it waits for each read.
        """
        known = self._users[user]
        api = Api(
            port or self.port,
            self.authority.certificate,
            Credentials(user=user, token=known.token),
            timeout_s=timeout_s,
        )
        self.apis.append(api)
        return api

    def kubeconfig(self, user: str = ADMIN, *, by: str = "token", port: int = 0, namespace: str = "") -> Path:
        """Write a kubeconfig of a user and return its path.

        Args:
            by: "token" or "certificate".
            port: Of a proxy in front of the server (which relays tokens, not client certificates); 0 is the server itself.
            namespace: The context's namespace; "" leaves it out.
        """
        known = self._users[user]
        by_certificate = {"client-certificate": str(known.certificate), "client-key": str(known.key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": self._cluster(port or self.port)}],
            "users": [{"name": user, "user": {"token": known.token} if by == "token" else by_certificate}],
            "contexts": [
                {
                    "name": "test",
                    "context": {"cluster": "test", "user": user, **({"namespace": namespace} if namespace else {})},
                }
            ],
        }
        path = self.directory / f"{user}-{by}-{port or self.port}{'-' + namespace if namespace else ''}.kubeconfig"
        if (
            not path.exists()
        ):  # a program that starts may be reading it; written under another name, it is never half there
            scratch = path.with_suffix(f".{secrets.token_hex(4)}")
            scratch.touch(mode=0o600)
            scratch.write_text(json.dumps(content, indent=1), encoding="utf-8")
            scratch.replace(path)
        return path

    def create_namespace(self, name: str) -> None:
        """Create a namespace with its `default` service account, without which pods would be refused.

        With the controllers running, either of the two may create the account first.
        """
        admin = self.api(ADMIN)
        admin.expect("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        account = admin.request("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
        assert account.status in (201, 409), account
        admin.close()

    def allow_in(self, namespace: str, *, user: str = NAMESPACED, verbs: tuple[str, ...] = ("*",)) -> None:
        """Let a user act on all resources of one namespace, and wait until it holds.

        The role is made here: the rules of the well-known roles `edit` and `view` are filled by kube-controller-manager, which need not run.
        """
        group = "rbac.authorization.k8s.io"
        name = f"test:{user}"
        role: Body = {
            "metadata": {"name": name, "namespace": namespace},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": list(verbs)}],
        }
        binding: Body = {
            "metadata": {"name": name, "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        asked = {"namespace": namespace, "verb": "get" if "*" in verbs else verbs[0], "resource": "pods"}
        review: Body = {"spec": {"user": user, "resourceAttributes": asked}}
        admin = self.api(ADMIN)
        admin.expect("POST", f"/apis/{group}/v1/namespaces/{namespace}/roles", role)
        admin.expect("POST", f"/apis/{group}/v1/namespaces/{namespace}/rolebindings", binding)
        # the authorizer reads bindings from a cache that lags a few milliseconds behind
        wait_for(
            lambda: admin.expect("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"][
                "allowed"
            ],
            what=f"{user} to be allowed in {namespace}",
        )
        admin.close()

    def version(self) -> str:
        """Return what the server says of itself, "v1.36.3"."""
        api = self.api(ADMIN)
        version: str = api.expect("GET", "/version")["gitVersion"]
        api.close()
        return version

    def audit_events(self, **wanted: str) -> list[Body]:
        """Return the audit log's events, oldest first, whose top-level fields have the wanted values (`verb="patch"`)."""
        lines = (self.directory / "audit.log").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines]
        return [event for event in events if all(event.get(key) == value for key, value in wanted.items())]

    def check(self) -> None:
        """Make sure that everything that was started still runs.

        Raises:
            ProcessFailedError: Something ended; carries its log.
        """
        for process in self.processes:
            process.check()

    def logs(self, lines: int = 15) -> dict[str, str]:
        """Return the end of each process's log, by name."""
        return {process.log.stem: process.tail(lines) for process in self.processes}

    def _credentials(self, user: str) -> Credentials:
        certificate, key = self.authority.client(user, _GROUPS[user])
        return Credentials(user=user, token=secrets.token_urlsafe(24), certificate=certificate, key=key)

    def _cluster(self, port: int) -> Body:
        return {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(self.authority.certificate)}

    def _write_files(self) -> None:
        tokens = "".join(
            f'{known.token},{user},{user},"{",".join(_GROUPS[user])}"\n' for user, known in self._users.items()
        )
        (self.directory / "tokens.csv").touch(mode=0o600)
        (self.directory / "tokens.csv").write_text(tokens, encoding="utf-8")
        (self.directory / "audit-policy.yaml").write_text(json.dumps(_AUDIT_POLICY), encoding="utf-8")

    def _start_etcd(self, peer_port: int) -> None:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{peer_port}"
        arguments = [
            f"--data-dir={self.directory / f'etcd-{self._etcd_port}'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # the data does not outlive the session
            "--log-level=warn",
        ]
        self.etcd = process = self.spawn(self._etcd, arguments)
        ready = _answers(lambda: http.client.HTTPConnection("127.0.0.1", self._etcd_port, timeout=5), "/health", {})
        process.wait_until(ready, timeout_s=_START_S, what="healthy")

    def _start_kube_apiserver(self) -> None:
        certificate, key = self.server_certificate
        arguments = [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self.authority.certificate}",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self.service_account_key}",
            f"--service-account-signing-key-file={self.service_account_key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",  # the endpoints of the service `kubernetes` may not be loopback
            "--allow-privileged=true",  # as clusters do; Pod Security decides, not this flag
            "--profiling=false",
            f"--audit-policy-file={self.directory / 'audit-policy.yaml'}",
            f"--audit-log-path={self.directory / 'audit.log'}",
            "--audit-log-mode=blocking",  # an answered request is in the log
            *self._flags,
        ]
        process = self.spawn(self._kube_apiserver, arguments)
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        authorization = {"Authorization": f"Bearer {self._users[ADMIN].token}"}
        ready = _answers(
            lambda: http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context),
            "/readyz",
            authorization,
        )
        process.wait_until(ready, timeout_s=_START_S, what="ready")


def _answers(
    connect: Callable[[], http.client.HTTPConnection], path: str, headers: dict[str, str]
) -> Callable[[], bool]:
    """Return a question whether a GET of the path is answered with 200."""

    def ask() -> bool:
        with contextlib.closing(connect()) as connection:
            try:
                connection.request("GET", path, headers=headers)
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    return ask
