"""The rule `missing-team-label`; its page is `missing-team-label.md` beside this file."""

from collections.abc import Iterator
from importlib.resources import files

from gitops_guard.model import MapKey, Problem, Resource, RuleContext, Severity

DEFAULT_LABEL = "team"


class MissingTeamLabel:
    """Flag a Deployment or StatefulSet that does not say which team answers for it.

    A rule is a pure function of the resource and the context: it keeps no state and looks at nothing else, so its
    verdicts can be cached and its work can be spread over processes.
    """

    id = "missing-team-label"
    severity = Severity.WARNING
    kinds = ("Deployment.apps", "StatefulSet.apps")
    summary = "A workload without the label that names its team."

    @property
    def documentation(self) -> str:
        """Return the page that `gitops-guard explain missing-team-label` prints."""
        return files(__package__).joinpath("missing-team-label.md").read_text(encoding="utf-8")

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem]:
        """Yield one problem if the label is absent or empty.

        Args:
            resource: A Deployment or StatefulSet.
            context: `options["label"]` is the label's key; `team` when the configuration names none.
        """
        label = str(context.options.get("label", DEFAULT_LABEL))
        metadata = resource.body.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        if isinstance(labels, dict) and labels.get(label):
            return
        yield Problem(
            # The field need not exist: the finding then stands at its nearest parent, the labels or the metadata.
            field=("metadata", "labels", MapKey(label)),
            message="Required value: names the team that answers for this workload",
            hint=f"add the label {label!r}",
        )
