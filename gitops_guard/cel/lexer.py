"""Text to tokens. Offsets count code points from the start of the expression."""

import re
from typing import NamedTuple

from gitops_guard.cel.errors import CelCompileError


class Token(NamedTuple):
    """One word of an expression."""

    kind: str
    """`ident`, `quoted`, `int`, `uint`, `double`, `string`, `bytes`, `end`, or the operator itself."""

    value: object
    """Decoded value of a literal, otherwise the text."""

    offset: int


_TOKENS = re.compile(
    r"""
      (?P<space>(?:[ \t\r\n\f]+|//[^\n]*)+)
    | (?P<string>[bB]?[rR]?(?:\"{3}|'{3}|"|'))
    | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<double>[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    | (?P<int>(?:0x[0-9a-fA-F]+|[0-9]+)[uU]?)
    | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
    | (?P<op>&&|\|\||[<>=!]=|[()\[\]{}.,:?<>+\-*/%!])
    """,
    re.VERBOSE,
)

# A body stops at the first closing quote that is not escaped; every alternative consumes, so matching is linear.
_BODIES = {
    ('"', False): re.compile(r'((?:[^\\"\r\n]|\\.)*)"', re.DOTALL),
    ("'", False): re.compile(r"((?:[^\\'\r\n]|\\.)*)'", re.DOTALL),
    ('"""', False): re.compile(r'((?:[^\\"]|\\.|"(?!""))*)"""', re.DOTALL),
    ("'''", False): re.compile(r"((?:[^\\']|\\.|'(?!''))*)'''", re.DOTALL),
    ('"', True): re.compile(r'([^"\r\n]*)"'),
    ("'", True): re.compile(r"([^'\r\n]*)'"),
    ('"""', True): re.compile(r'((?:[^"]|"(?!""))*)"""'),
    ("'''", True): re.compile(r"((?:[^']|'(?!''))*)'''"),
}

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "?": "?",
    '"': '"',
    "'": "'",
    "`": "`",
}
_MAX_CODE_POINT = 0x10FFFF


def tokenize(source: str) -> list[Token]:
    """Split an expression into tokens; the last one is of kind `end`.

    Raises:
        CelCompileError: A character, number or string literal is malformed.
    """
    tokens: list[Token] = []
    position, end = 0, len(source)
    match_at = _TOKENS.match
    while position < end:
        match = match_at(source, position)
        if match is None:
            raise CelCompileError(f"syntax error: unexpected character {source[position]!r}", position)
        kind = match.lastgroup
        text = match.group()
        if kind == "ident":
            tokens.append(Token("ident", text, position))
        elif kind == "op":
            tokens.append(Token(text, text, position))
        elif kind == "string":
            token, position = _string(source, position, text)
            tokens.append(token)
            continue
        elif kind != "space":
            tokens.append(_scalar(kind, text, position))
        position = match.end()
    tokens.append(Token("end", "", end))
    return tokens


def _scalar(kind: str | None, text: str, offset: int) -> Token:
    if kind == "quoted":
        return Token("quoted", text[1:-1], offset)
    if kind == "double":
        return Token("double", float(text), offset)
    digits = text.rstrip("uU")
    # int() refuses thousands of digits with a ValueError of its own; no number that long is in range anyway
    if len(digits.lstrip("0x")) > 20:
        raise CelCompileError("syntax error: integer literal out of range", offset)
    value = int(digits, 16) if digits.startswith("0x") else int(digits)
    return Token("int" if digits == text else "uint", value, offset)


def _string(source: str, offset: int, opening: str) -> tuple[Token, int]:
    prefix = opening.rstrip("\"'").lower()
    quote = opening[len(prefix) :]
    match = _BODIES[quote, "r" in prefix].match(source, offset + len(opening))
    if match is None:
        raise CelCompileError("syntax error: unterminated string literal", offset)
    body = match.group(1)
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if "b" in prefix:
        value: object = body.encode("utf-8", "surrogatepass") if "r" in prefix else _bytes(body, match.start(1))
        return Token("bytes", value, offset), match.end()
    if "r" not in prefix and "\\" in body:
        body = _unescape(body, match.start(1))
    return Token("string", body, offset), match.end()


def _code(escape: str, offset: int) -> int:
    code = int(escape, 8) if escape[0].isdigit() else int(escape[1:], 16)
    if code > _MAX_CODE_POINT or 0xD800 <= code <= 0xDFFF:
        raise CelCompileError("syntax error: escape is not a valid code point", offset)
    return code


def _unescape(body: str, start: int) -> str:
    def replace(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) > 1:
            return chr(_code(escape, start + match.start()))
        if escape not in _SIMPLE:
            raise CelCompileError(f"syntax error: invalid escape \\{escape}", start + match.start())
        return _SIMPLE[escape]

    return _ESCAPE.sub(replace, body)


def _bytes(body: str, start: int) -> bytes:
    parts: list[bytes] = []
    last = 0
    for match in _ESCAPE.finditer(body):
        escape = match.group(1)
        parts.append(body[last : match.start()].encode())
        last = match.end()
        if len(escape) > 1 and escape[0] not in "uU":
            parts.append(bytes([_code(escape, start + match.start())]))
        elif escape in _SIMPLE:
            parts.append(_SIMPLE[escape].encode())
        else:
            raise CelCompileError(f"syntax error: invalid escape \\{escape} in bytes", start + match.start())
    parts.append(body[last:].encode())
    return b"".join(parts)
