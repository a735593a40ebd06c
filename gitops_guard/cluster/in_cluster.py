"""The service account of the pod that we run in."""

import os
from collections.abc import Mapping
from typing import Final

from gitops_guard.cluster.access import DEFAULT_NAMESPACE, Access
from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.identity import TokenFile

IN_CLUSTER: Final = "in-cluster"
"""What the access is called, and how it can be asked for."""

FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


def is_in_cluster(environment: Mapping[str, str]) -> bool:
    """Tell whether we run in a pod that may ask its API server."""
    return bool(environment.get("KUBERNETES_SERVICE_HOST") and environment.get("KUBERNETES_SERVICE_PORT"))


def in_cluster_access(environment: Mapping[str, str], *, folder: str = FOLDER) -> Access:
    """Return the way to the API server of the cluster that we run in.

    Args:
        environment: Says where the server is.
        folder: Where kubelet keeps the account's files.

    Raises:
        AccessError: We run in no pod, or it has no service account.
    """
    if not is_in_cluster(environment):
        raise AccessError("not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
    host = environment["KUBERNETES_SERVICE_HOST"]
    address = f"[{host}]" if ":" in host else host
    credentials = TokenFile(os.path.join(folder, "token"))
    credentials.identity()  # so that a pod without an account fails here, with the file's name
    return Access(
        name=IN_CLUSTER,
        server=f"https://{address}:{environment['KUBERNETES_SERVICE_PORT']}",
        credentials=credentials,
        namespace=_read(os.path.join(folder, "namespace")).decode(errors="replace").strip() or DEFAULT_NAMESPACE,
        ca=_read(os.path.join(folder, "ca.crt")),
        compressed=False,
    )


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error
