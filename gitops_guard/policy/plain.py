"""The clean path's word on the policies that come along: "certainly passes" or "not sure", in some 20 us a workload.

Knows the kinds that policies look at, and a plain test of each policy (`plain_rules`, `plain_more`, written by
tools/plain_policies.py). The engine stays the authority: a property test holds that it denies nothing that passes here.

Imports nothing heavy, and re only with the first body.
"""

from gitops_guard.policy.decoded import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    Test = Callable[[Any], bool]
    Key = tuple[str, str]


class PlainPolicies:
    """Some of the policies that come along."""

    def __init__(self, chosen: "Collection[str] | None" = None) -> None:
        """Choose policies.

        Args:
            chosen: Their ids; None: those that are on by themselves.
        """
        self._chosen = None if chosen is None else frozenset(chosen)
        self._tests: dict[Key, tuple[tuple[str, Test | None], ...]] = {}
        self._all: frozenset[str] = frozenset()
        self._prepare: Callable[[Any], Any] | None = None
        self._last: tuple[object, frozenset[str]] = (None, frozenset())

    def is_clean(self, body: "Any") -> bool:
        """Tell whether a body certainly passes them all; it is known to be valid by its schema."""
        try:
            tests = self._tests_of(body)
            if not tests:
                return True
            assert self._prepare is not None
            given = self._prepare(decoded(body))
            for _, test in tests:  # noqa: SIM110 (a generator costs a third of all this)
                if test is None or test(given) is not True:
                    return False
            return True
        except Exception:  # an unexpected type, an error that the engine may absorb: not sure
            return False

    def unsure(self, body: "Any") -> "frozenset[str]":
        """Return the ids of those that a body may not pass; the same answer for the same body in a row."""
        if self._last[0] is not body:
            self._last = body, self._unsure(body)
        return self._last[1]

    def _unsure(self, body: "Any") -> "frozenset[str]":
        try:
            tests = self._tests_of(body)
        except (KeyError, TypeError, AttributeError):
            return self._all
        if not tests:
            return frozenset()
        assert self._prepare is not None
        try:
            given = self._prepare(decoded(body))
        except Exception:  # whatever it is: the engine will tell
            return frozenset([rule for rule, _ in tests])
        return frozenset([rule for rule, test in tests if test is None or not _passes(test, given)])

    def _tests_of(self, body: "Any") -> "tuple[tuple[str, Test | None], ...]":
        if self._prepare is None:
            self._load()
        key = (body["apiVersion"], body["kind"])
        tests = self._tests.get(key)
        if tests is None:
            tests = self._tests[key] = self._never(*key)
        return tests

    def _never(self, api_version: str, kind: str) -> "tuple[tuple[str, Test | None], ...]":
        """Return what looks at a kind in some other version, one that is not served any more: that is never sure."""
        group = _group(api_version)
        rows = [rows for (version, name), rows in self._tests.items() if name == kind and _group(version) == group]
        return tuple((rule, None) for rule in sorted({rule for tests in rows for rule, _ in tests}))

    def _load(self) -> None:
        """Load the tests, for the first body."""
        from gitops_guard.policy import plain_rules

        self._prepare = plain_rules.prepare
        modules: list[Any] = [plain_rules]
        if self._chosen is not None and not self._chosen <= plain_rules.TESTS.keys():
            from gitops_guard.policy import plain_more

            modules.append(plain_more)
        for module in modules:
            for key, rules in module.KINDS.items():
                self._add(key, rules, module.TESTS)
        self._all = frozenset([rule for tests in self._tests.values() for rule, _ in tests])

    def _add(self, key: "Key", rules: "tuple[str, ...]", tests: "dict[str, Test]") -> None:
        chosen = tuple((rule, tests.get(rule)) for rule in rules if self._chosen is None or rule in self._chosen)
        self._tests[key] = self._tests.get(key, ()) + chosen


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _passes(test: "Test", given: "Any") -> bool:
    try:
        return test(given) is True
    except Exception:  # an unexpected type, an error that the engine may absorb: not sure
        return False
