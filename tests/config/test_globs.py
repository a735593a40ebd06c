import time

import pytest

from gitops_guard.config.globs import FieldGlob, NameGlob, PathSet


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        pytest.param(["*.yaml"], "web.yaml", True, id="name-at-root"),
        pytest.param(["*.yaml"], "apps/shop/web.yaml", True, id="name-at-depth"),
        pytest.param(["*.yaml"], "apps/web.yml", False, id="name-other-ending"),
        pytest.param(["apps/*.yaml"], "apps/web.yaml", True, id="anchored"),
        pytest.param(["apps/*.yaml"], "old/apps/web.yaml", False, id="anchored-not-deeper"),
        pytest.param(["apps/*.yaml"], "apps/shop/web.yaml", False, id="star-stops-at-slash"),
        pytest.param(["/web.yaml"], "web.yaml", True, id="leading-slash"),
        pytest.param(["/web.yaml"], "apps/web.yaml", False, id="leading-slash-root-only"),
        pytest.param(["apps"], "apps/shop/web.yaml", True, id="directory-covers-below"),
        pytest.param(["apps"], "apps", True, id="name-is-file"),
        pytest.param(["apps/"], "apps", False, id="trailing-slash-not-file"),
        pytest.param(["apps/"], "apps/web.yaml", True, id="trailing-slash-below"),
        pytest.param(["apps/"], "x/apps/web.yaml", True, id="trailing-slash-any-depth"),
        pytest.param(["/apps/"], "x/apps/web.yaml", False, id="both-slashes-root-only"),
        pytest.param(["**/test/*.yaml"], "test/a.yaml", True, id="double-star-zero"),
        pytest.param(["**/test/*.yaml"], "a/b/test/a.yaml", True, id="double-star-many"),
        pytest.param(["a/**/z.yaml"], "a/z.yaml", True, id="inner-double-star-zero"),
        pytest.param(["a/**/z.yaml"], "a/b/c/z.yaml", True, id="inner-double-star-many"),
        pytest.param(["a/**/z.yaml"], "a/b/c/y.yaml", False, id="inner-double-star-other"),
        pytest.param(["a/**"], "a", False, id="ending-double-star-not-itself"),
        pytest.param(["a/**"], "a/b/c", True, id="ending-double-star-below"),
        pytest.param(["a/**/"], "a/b", False, id="double-star-slash-wants-directory"),
        pytest.param(["a/**/"], "a/b/c", True, id="double-star-slash-below-directory"),
        pytest.param(["**"], "a/b", True, id="double-star-all"),
        pytest.param(["a/**/b/**/c"], "a/b/x/b/y/c", True, id="two-double-stars"),
        pytest.param(["?.yaml"], "a.yaml", True, id="question-mark"),
        pytest.param(["?.yaml"], "ab.yaml", False, id="question-mark-one-only"),
        pytest.param(["[a-c].yaml"], "b.yaml", True, id="set"),
        pytest.param(["[a-c].yaml"], "d.yaml", False, id="set-other"),
        pytest.param(["[!a-c].yaml"], "d.yaml", True, id="negated-set"),
        pytest.param(["[^a-c].yaml"], "a.yaml", False, id="negated-set-caret"),
        pytest.param(["[]a].yaml"], "].yaml", True, id="bracket-member"),
        pytest.param(["[a-].yaml"], "-.yaml", True, id="dash-last-is-member"),
        pytest.param([r"\[x].yaml"], "[x].yaml", True, id="escaped-bracket"),
        pytest.param([r"\!x"], "!x", True, id="escaped-bang"),
        pytest.param(["apps/", "!apps/legacy/"], "apps/legacy/a.yaml", False, id="negation-after"),
        pytest.param(["!apps/legacy/", "apps/"], "apps/legacy/a.yaml", True, id="negation-before-is-undone"),
        pytest.param(["!apps/"], "other/a.yaml", False, id="negation-alone-adds-nothing"),
        pytest.param([], "a.yaml", False, id="empty-set"),
        pytest.param(["*"], ".hidden/a", True, id="dot-files-are-not-special"),
        pytest.param(["Ä*.yaml"], "Äpfel.yaml", True, id="non-ascii"),
        pytest.param(["a//b"], "a/b", True, id="double-slash-reads-as-one"),
    ],
)
def test_path_set_when_matching_then_reads_as_gitignore(patterns: list[str], path: str, expected: bool) -> None:
    assert expected == PathSet(patterns).matches(path)


@pytest.mark.parametrize("pattern", ["", "/", "!", "a[b", "a\\", "  "])
def test_path_set_when_pattern_is_broken_then_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        PathSet([pattern])


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("*a" * 40 + "b", "a" * 2_000, id="stars"),
        pytest.param("**/a/" * 40 + "b", "a/" * 1_000 + "c", id="double-stars"),
    ],
)
def test_path_set_when_pattern_is_hostile_then_stays_fast(pattern: str, path: str) -> None:
    start = time.process_time()
    assert not PathSet([pattern]).matches(path)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("web-*", "web-7f", True, id="star"),
        pytest.param("web-*", "x-web-7f", False, id="whole-name"),
        pytest.param("a*c*e", "abcde", True, id="two-stars"),
        pytest.param("*/web", "shop/web", True, id="slash-is-a-character"),
        pytest.param("web", "web", True, id="literal"),
        pytest.param("*", "", True, id="star-matches-nothing"),
    ],
)
def test_name_glob_when_matching_then_takes_the_whole_name(pattern: str, name: str, expected: bool) -> None:
    assert expected == NameGlob(pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "field", "expected"),
    [
        pytest.param("spec.replicas", "spec.replicas", True, id="literal"),
        pytest.param("spec.containers[*].image", "spec.containers[12].image", True, id="any-index"),
        pytest.param("spec.containers[0].image", "spec.containers[1].image", False, id="one-index"),
        pytest.param("spec.template", "spec.template.spec.hostPID", True, id="covers-below"),
        pytest.param("spec.containers", "spec.containers[0]", True, id="covers-items"),
        pytest.param("spec.temp", "spec.template", False, id="whole-elements-only"),
        pytest.param("*.image", "spec.initContainers[0].image", True, id="star-crosses-dots"),
        pytest.param("spec", "", False, id="root"),
        pytest.param("*", "", True, id="star-takes-root"),
    ],
)
def test_field_glob_when_matching_then_brackets_are_literal(pattern: str, field: str, expected: bool) -> None:
    assert expected == FieldGlob(pattern).matches(field)
