"""What annotations of an object say about its handling: our own, and those of other tools that mean the same.

"Never prune" is honoured whoever's word it is. Values of Flux are read in either case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OWN: Final = "gitops-guard.io/"
FLUX: Final = "kustomize.toolkit.fluxcd.io/"
ARGO: Final = "argocd.argoproj.io/"
KAPP: Final = "kapp.k14s.io/"

_LIFECYCLE: Final = "client.lifecycle.config.k8s.io/"
_KEEP: Final = (
    (f"{OWN}prune", "disabled"),
    (f"{FLUX}prune", "disabled"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    (f"{_LIFECYCLE}deletion", "detach"),
    (f"{KAPP}delete-strategy", "orphan"),
    ("kluctl.io/skip-delete", "true"),
    ("helm.sh/resource-policy", "keep"),
)
_IGNORE: Final = (
    (f"{OWN}reconcile", "disabled"),
    (f"{FLUX}reconcile", "disabled"),
    (f"{FLUX}ssa", "ignore"),
    (f"{KAPP}noop", ""),
    (f"{KAPP}exists", ""),
    (f"{_LIFECYCLE}mutation", "ignore"),
)
_CREATE_ONLY: Final = ((f"{OWN}apply", "if-not-present"), (f"{FLUX}ssa", "ifnotpresent"))
_MERGE: Final = ((f"{FLUX}ssa", "merge"),)
_RECREATE: Final = (
    (f"{OWN}recreate", "enabled"),
    (f"{FLUX}force", "enabled"),
    (f"{KAPP}update-strategy", "fallback-on-replace"),
    (f"{KAPP}update-strategy", "always-replace"),
)
_DEPENDS_ON: Final = (f"{OWN}depends-on", "config.kubernetes.io/depends-on")
_WAVE: Final = (f"{OWN}wave", f"{ARGO}sync-wave")
_SKIP_DELETE_TAGS: Final = "kluctl.io/skip-delete-if-tags"
_HOOK: Final = f"{ARGO}hook"
_HELM_HOOK: Final = "helm.sh/hook"
_KEEP_OPTIONS: Final = {"prune=false": "Prune=false", "delete=false": "Delete=false"}
"""`Delete=false` keeps an object when its application goes; whether that or only the object went is not known."""

_CONFIRM: Final = frozenset(("prune=confirm", "delete=confirm"))
_CHANGE_GROUP: Final = f"{KAPP}change-group"
_CHANGE_RULE: Final = f"{KAPP}change-rule"
_RULE: Final = re.compile(r"upsert (after|before) upserting (\S+)")
_WAVES: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """How an object is to be handled; the defaults are those of an object without annotations."""

    keep: str = ""
    """Annotation that forbids to prune it; empty for none."""

    ignore: str = ""
    """Annotation that forbids to touch it; empty for none."""

    create_only: str = ""
    """Annotation by which it is created and then left alone; empty for none."""

    merges: bool = False
    """What people added with kubectl stays, as with Flux's `ssa: Merge`."""

    recreate: bool = False
    """It may be deleted and created anew when a change of an immutable field wants it."""

    prune_last: bool = False
    prune_confirm: bool = False
    """It is pruned only once somebody has approved that by an annotation on it."""

    depends_on: tuple[str, ...] = ()
    """As written: `apps/namespaces/shop/Deployment/web`."""

    wave: int = 0
    has_wave: bool = False
    hook: str = ""
    """Argo CD's or Helm's word for what it is run for; empty for an ordinary object."""

    groups: tuple[str, ...] = ()
    """kapp's change groups that it is in."""

    after_groups: tuple[str, ...] = ()
    before_groups: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """What is said and cannot be read: such an object is not applied."""


_NOTHING_SAID: Final = Instructions()


def read_instructions(annotations: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Instructions:
    """Read what annotations (and labels, which kapp and Argo CD do not use but Flux does) say.

    Args:
        annotations: Of the object.
        labels: Of the object; Flux reads its own words there, too.
    """
    said = {**{key: value for key, value in (labels or {}).items() if key.startswith(FLUX)}, **annotations}
    if not said:
        return _NOTHING_SAID
    options = _options(said.get(f"{ARGO}sync-options", ""))
    wave, problems = _wave(said)
    after, before, more = _rules(said)
    recreates = bool(_said(said, _RECREATE)) or {"force=true", "replace=true"} <= options
    return Instructions(
        keep=_keep(said, options),
        ignore=_said(said, _IGNORE) or ("argocd.argoproj.io/skip-reconcile" if _skips(said) else ""),
        create_only=_said(said, _CREATE_ONLY),
        merges=bool(_said(said, _MERGE)),
        recreate=recreates,
        prune_last="prunelast=true" in options,
        prune_confirm=not _CONFIRM.isdisjoint(options) and f"{ARGO}deletion-approved" not in said,
        depends_on=tuple(
            part.strip() for name in _DEPENDS_ON for part in said.get(name, "").split(",") if part.strip()
        ),
        wave=wave or 0,
        has_wave=wave is not None,
        hook=said.get(_HOOK, "") or said.get(_HELM_HOOK, ""),
        groups=_many(said, _CHANGE_GROUP),
        after_groups=after,
        before_groups=before,
        problems=(*problems, *more),
    )


def _said(said: Mapping[str, str], words: tuple[tuple[str, str], ...]) -> str:
    """Return the annotation that says one of the words; a word that is empty stands for any value."""
    for name, word in words:
        value = said.get(name)
        if value is not None and (not word or value.strip().casefold() == word):
            return f"{name}: {value}"
    return ""


def _options(text: str) -> set[str]:
    return {part.strip().casefold() for part in text.split(",")}


def _keep(said: Mapping[str, str], options: set[str]) -> str:
    for option, written in _KEEP_OPTIONS.items():
        if option in options:
            return f"{ARGO}sync-options: {written}"
    if _SKIP_DELETE_TAGS in said:
        return _SKIP_DELETE_TAGS
    return _said(said, _KEEP)


def _skips(said: Mapping[str, str]) -> bool:
    return said.get(f"{ARGO}skip-reconcile", "").casefold() == "true"


def _wave(said: Mapping[str, str]) -> tuple[int | None, tuple[str, ...]]:
    for name in _WAVE:
        if name in said:
            text = said[name].strip()
            if _WAVES.fullmatch(text) is None:
                return None, (f"{name} must be a whole number, not {said[name]!r}",)
            return int(text), ()
    return None, ()


def _many(said: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the values of an annotation that may be given several times, as `name.1`, `name.2`."""
    return tuple(said[key] for key in sorted(said) if key == name or key.startswith(f"{name}."))


def _rules(said: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the groups to come after, those to come before, and what cannot be read; not those on deletion."""
    after: list[str] = []
    before: list[str] = []
    problems: list[str] = []
    for text in _many(said, _CHANGE_RULE):
        match = _RULE.fullmatch(text.strip())
        if match is not None:
            (after if match[1] == "after" else before).append(match[2])
        elif not text.strip().startswith("delete "):
            problems.append(f"{_CHANGE_RULE} must be such as `upsert after upserting GROUP`, not {text!r}")
    return tuple(after), tuple(before), tuple(problems)
