"""A token of a GitHub App's installation, for those who run neither in Actions nor with a user's token.

Needs `cryptography` (the extra `github-app`) for the signature; nothing else does.
"""

import base64
import json
import time
from typing import Final
from urllib.parse import quote

from gitops_guard.errors import ForgeError
from gitops_guard.forge.answers import number_of, object_of, text_of
from gitops_guard.forge.transport import Clock, Transport

_VALID_S: Final = 540
"""GitHub takes ten minutes at most."""

_BACK_S: Final = 60
"""Clocks differ."""


def installation_token(
    repository: str, *, client_id: str, private_key: str, api: str, clock: Clock | None = None
) -> tuple[str, str]:
    """Return a token for one repository, valid for an hour, and the login of the App's bot.

    Args:
        repository: `owner/name`.
        client_id: Of the App.
        private_key: PEM.
        api: As of `GitHub`.
        clock: Real time by default.

    Raises:
        ForgeError: The key is none, or the App is not installed there.
    """
    now = int((clock or Clock()).now() if clock else time.time())
    claims = {"iat": now - _BACK_S, "exp": now + _VALID_S, "iss": client_id}
    headers = {"Authorization": f"Bearer {_signed(claims, private_key)}", "Accept": "application/vnd.github+json"}
    http = Transport(api, headers, clock=clock)
    installation = object_of(http.get(f"/repos/{quote(repository)}/installation").data)
    slug = text_of(object_of(http.get("/app").data).get("slug"))
    body = {"repositories": [repository.rpartition("/")[2]]}
    path = f"/app/installations/{number_of(installation.get('id'))}/access_tokens"
    answer = http.call("POST", path, body=body, is_repeatable=True)
    return text_of(object_of(answer.data).get("token")), f"{slug}[bot]"


def _signed(claims: dict[str, object], private_key: str) -> str:
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ForgeError("a GitHub App's key needs cryptography: pip install 'gitops-guard[github-app]'") from None
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise ForgeError("the GitHub App's private key is no PEM key without a passphrase") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ForgeError("the GitHub App's private key is no RSA key")
    text = f"{_encoded(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{text}.{_encoded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
