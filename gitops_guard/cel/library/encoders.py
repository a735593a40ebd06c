"""The encoders extension: base64."""

import base64
import binascii

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library

ENCODERS = Library("encoders")


@ENCODERS.function("base64.encode", bytes, budgeted=True)
def _encode(budget: Budget, data: bytes) -> str:
    budget.spend_text(2 * len(data))
    return base64.b64encode(data).decode("ascii")


@ENCODERS.function("base64.decode", str, budgeted=True)
def _decode(budget: Budget, text: str) -> bytes:
    budget.spend_text(len(text))
    padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise CelError("illegal base64 data") from None
