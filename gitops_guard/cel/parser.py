"""Tokens to a syntax tree, by precedence climbing. Knows the grammar only: names and functions are the compiler's."""

from gitops_guard.cel.errors import CelCompileError
from gitops_guard.cel.lexer import Token, tokenize
from gitops_guard.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    Unary,
    dotted_name,
)
from gitops_guard.cel.values import INT_MAX, UINT_MAX, UInt

MAX_NESTING = 250
"""The API server's parser stops at the same depth."""

MAX_LENGTH = 100_000
"""Code points of one expression, the API server's limit."""

_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "==": 3,
    "!=": 3,
    "in": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
}
_KEYWORDS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"),
        *("namespace", "return", "var", "void", "while"),
    )
)
_NUMBERS = frozenset({"int", "uint", "double"})
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


def parse(source: str, *, quoted_fields: bool = True) -> Node:
    """Parse one expression.

    Args:
        source: The text.
        quoted_fields: Fields may be written in backticks.

    Raises:
        CelCompileError: The text is no expression, too long, or nested too deeply.
    """
    if len(source) > MAX_LENGTH:
        raise CelCompileError(f"expression exceeds {MAX_LENGTH} code points", 0)
    tokens = tokenize(source)
    if not quoted_fields and (quoted := next((token for token in tokens if token.kind == "quoted"), None)):
        raise CelCompileError("unsupported syntax: '`'", quoted.offset)
    _check_nesting(tokens)
    parser = _Parser(tokens)
    node = parser.expression()
    parser.expect("end")
    return node


def _too_deep(offset: int) -> CelCompileError:
    return CelCompileError(f"expression recursion limit exceeded: {MAX_NESTING}", offset)


def _check_nesting(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.kind in _OPENING:
            depth += 1
            if depth >= MAX_NESTING:
                raise _too_deep(token.offset)
        elif token.kind in _CLOSING:
            depth -= 1


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self._token = tokens[0]

    def _advance(self) -> Token:
        token = self._token
        self._position += 1
        if token.kind != "end":
            self._token = self._tokens[self._position]
        return token

    def _accept(self, kind: str) -> bool:
        if self._token.kind != kind:
            return False
        self._advance()
        return True

    def expect(self, kind: str) -> Token:
        if self._token.kind != kind:
            wanted = "end of expression" if kind == "end" else f"'{kind}'"
            raise self._unexpected(wanted)
        return self._advance()

    def _unexpected(self, wanted: str) -> CelCompileError:
        token = self._token
        found = "end of expression" if token.kind == "end" else f"{token.value!r}"
        return CelCompileError(f"syntax error: found {found}, expecting {wanted}", token.offset)

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise _too_deep(self._token.offset)
        node = self._binary(1)
        if self._token.kind == "?":
            offset = self._advance().offset
            then = self._binary(1)
            self.expect(":")
            node = Conditional(node, then, self.expression(), offset)
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        left = self._operand()
        while True:
            token = self._token
            operator = str(token.value) if token.kind == "ident" else token.kind
            precedence = _PRECEDENCE.get(operator, 0)
            if precedence < level or not precedence:
                return left
            self._advance()
            right = self._binary(precedence + 1)
            if precedence <= 2:
                left = _join(operator, left, right, token.offset)
            else:
                left = Binary(operator, left, right, token.offset)

    def _operand(self) -> Node:
        # brackets are dealt with right here, to take few frames for each level of nesting
        kind = self._token.kind
        if kind == "(":
            self._advance()
            node = self.expression()
            self.expect(")")
        elif kind == "[":
            node = self._list()
        elif kind == "{":
            node = self._map()
        elif kind in ("!", "-"):
            return self._unary()
        else:
            node = self._primary()
        return self._member(node)

    def _unary(self) -> Node:
        kind, offset = self._token.kind, self._token.offset
        count = 0
        while self._accept(kind):
            count += 1
        if kind == "-" and count == 1 and self._token.kind in _NUMBERS:
            return self._member(self._number(self._advance(), negative=True))
        if self._token.kind in ("!", "-"):
            raise self._unexpected("an expression")
        operand = self._operand()
        return Unary(kind, operand, offset) if count % 2 else operand

    def _member(self, node: Node) -> Node:
        while True:
            kind = self._token.kind
            if kind == ".":
                node = self._selection(node)
            elif kind == "[":
                offset = self._advance().offset
                optional = self._accept("?")
                node = Index(node, self.expression(), optional, offset)
                self.expect("]")
            elif kind == "{" and (name := dotted_name(node)):
                root = "." if name and self._is_rooted(node) else ""
                node = self._message(root + name)
            else:
                return node

    @staticmethod
    def _is_rooted(node: Node) -> bool:
        while isinstance(node, Select):
            node = node.operand
        return isinstance(node, Ident) and node.rooted

    def _selection(self, operand: Node) -> Node:
        offset = self._advance().offset
        optional = self._accept("?")
        if self._token.kind == "quoted":
            return Select(operand, str(self._advance().value), optional, offset)
        name = self._field_name()
        if not optional and self._accept("("):
            return Call(operand, name, self._arguments(), offset)
        return Select(operand, name, optional, offset)

    def _field_name(self) -> str:
        token = self._token
        if token.kind != "ident" or token.value in _KEYWORDS or token.value == "in":
            raise self._unexpected("a field name")
        self._advance()
        return str(token.value)

    def _arguments(self) -> tuple[Node, ...]:
        if self._accept(")"):
            return ()
        arguments = [self.expression()]
        while self._accept(","):
            arguments.append(self.expression())
        self.expect(")")
        return tuple(arguments)

    def _primary(self) -> Node:
        token = self._token
        kind = token.kind
        if kind == "ident":
            return self._name()
        if kind in _NUMBERS:
            return self._number(self._advance(), negative=False)
        if kind in ("string", "bytes"):
            self._advance()
            return Literal(token.value, token.offset)
        if kind == ".":
            self._advance()
            return self._name(rooted=True)
        raise self._unexpected("an expression")

    def _name(self, *, rooted: bool = False) -> Node:
        token = self._token
        name = str(token.value)
        if token.kind != "ident" or name == "in":
            raise self._unexpected("a name")
        if name in _KEYWORDS and not rooted:
            self._advance()
            return Literal(_KEYWORDS[name], token.offset)
        if name in _RESERVED or name in _KEYWORDS:
            raise CelCompileError(f"syntax error: reserved identifier: {name}", token.offset)
        self._advance()
        if self._accept("("):
            return Call(None, name, self._arguments(), token.offset)
        return Ident(name, rooted, token.offset)

    @staticmethod
    def _number(token: Token, *, negative: bool) -> Node:
        value = token.value
        if token.kind == "double":
            assert isinstance(value, float)
            return Literal(-value if negative else value, token.offset)
        assert isinstance(value, int)
        if token.kind == "uint":
            if value > UINT_MAX or negative:
                raise CelCompileError("syntax error: invalid uint literal", token.offset)
            return Literal(UInt(value), token.offset)
        if value > INT_MAX + negative:
            raise CelCompileError("syntax error: invalid int literal", token.offset)
        return Literal(-value if negative else value, token.offset)

    def _list(self) -> Node:
        offset = self._advance().offset
        items: list[tuple[Node, bool]] = []
        while self._token.kind != "]":
            optional = self._accept("?")
            items.append((self.expression(), optional))
            if not self._accept(","):
                break
        self.expect("]")
        return ListLiteral(tuple(items), offset)

    def _map(self) -> Node:
        offset = self._advance().offset
        entries: list[tuple[Node, Node, bool]] = []
        while self._token.kind != "}":
            optional = self._accept("?")
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression(), optional))
            if not self._accept(","):
                break
        self.expect("}")
        return MapLiteral(tuple(entries), offset)

    def _message(self, name: str) -> Node:
        offset = self._advance().offset
        entries: list[tuple[str, Node, bool]] = []
        while self._token.kind != "}":
            optional = self._accept("?")
            field = str(self._advance().value) if self._token.kind == "quoted" else self._field_name()
            self.expect(":")
            entries.append((field, self.expression(), optional))
            if not self._accept(","):
                break
        self.expect("}")
        return MessageLiteral(name, tuple(entries), offset)


def _join(operator: str, left: Node, right: Node, offset: int) -> Node:
    head = left.terms if isinstance(left, Logic) and left.operator == operator else (left,)
    tail = right.terms if isinstance(right, Logic) and right.operator == operator else (right,)
    return Logic(operator, head + tail, offset)
