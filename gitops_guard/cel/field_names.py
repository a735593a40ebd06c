"""Names of fields in rules of a CRD: what CEL cannot write as an identifier, the API server escapes."""

import re

_ESCAPES = {"__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/"}
_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_ESCAPE = re.compile("|".join(_ESCAPES))
_WRITABLE = re.compile(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*\Z")
_TO_ESCAPE = re.compile(r"__|[.\-/]")


def escape_field(name: str) -> str | None:
    """Return how a rule writes a field: `a-b` as `a__dash__b`, `namespace` as `__namespace__`.

    Returns:
        The identifier; None where the name has characters that no escape covers, so that no rule can reach the field.
    """
    if name in _RESERVED:
        return f"__{name}__"
    if not _WRITABLE.match(name):
        return None
    return _TO_ESCAPE.sub(lambda match: _FORWARD[match.group()], name)


_FORWARD = {plain: escape for escape, plain in _ESCAPES.items()}


def unescape_field(name: str) -> str:
    """Return the field that a rule means by a name; names without escapes mean themselves."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _RESERVED:
        return name[2:-2]
    return _ESCAPE.sub(lambda match: _ESCAPES[match.group()], name)
