"""One TLS context for all connections to a server."""

import contextlib
import os
import ssl
import tempfile

from gitops_guard.cluster.access import Access
from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.identity import Identity


def tls_context(access: Access, identity: Identity) -> ssl.SSLContext:
    """Return a context that trusts what the access says, with the identity's certificate.

    Raises:
        AccessError: The authority, the certificate or the key cannot be used.
    """
    context = _trusting(access)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Python 3.13 refuses authorities without key identifiers, as many clusters have them; kubectl takes them. One
    # answer for all versions of Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if identity.certificate:
        _present(context, identity, access.name)
    return context


def _trusting(access: Access) -> ssl.SSLContext:
    if access.insecure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cadata=access.ca.decode("ascii") if access.ca else None)
    except (ssl.SSLError, ValueError) as error:
        raise AccessError(f"context {access.name}: the certificate authority is no PEM certificate") from error


def _present(context: ssl.SSLContext, identity: Identity, name: str) -> None:
    """Load the client certificate; the ssl module takes it from a file only, which lives for that moment."""
    descriptor, path = tempfile.mkstemp(prefix="gitops-guard-")  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(identity.certificate + b"\n" + identity.key)
        context.load_cert_chain(path, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise AccessError(f"context {name}: the client certificate and key are no pair of PEM, or encrypted") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _no_password() -> str:
    """Answer instead of the terminal, which OpenSSL would ask."""
    return ""
