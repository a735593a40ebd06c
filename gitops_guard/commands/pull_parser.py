"""The command lines of `pr` and `report`, and the step to their own types."""

import argparse
import os
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitops_guard.commands.telling import Telling

_EXIT_CODES = (
    "exit codes: 0 nothing stops the merge; 1 a new finding, hazard or predicted rollout does; 2 something could not be"
    " checked, or was not previewed; 3 a bug of ours (a log file is named); 130 interrupted"
)
_ROLLOUTS = ("stuck", "downtime", "degraded")


def add_pr(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `pr`."""
    parser = commands.add_parser(
        "pr",
        help="say what merging a pull request does, and whether it may be merged",
        description="Compare a branch with the commit that it left its target from: new findings, changes, rollouts and"
        " their hazards, deletions, images. In CI the pull request is known; elsewhere give --from. Without --post or a"
        " file the report is printed as Markdown.",
        epilog=_EXIT_CODES,
    )
    group = parser.add_argument_group("what to compare")
    group.add_argument("--from", dest="from_rev", metavar="REV", help="target branch; in CI: the pull request's")
    group.add_argument("--to", dest="to_rev", metavar="REV", default="HEAD", help="what is to be merged (HEAD)")
    group.add_argument("--head", metavar="REV", help="commit that the result is about, when --to is a merge of it")
    group.add_argument("--number", metavar="N", type=int, help="of the pull or merge request; in CI it is known")
    group.add_argument("--repository", metavar="NAME", help="owner/name; in CI it is known")
    group.add_argument("--assume", metavar="FILE", help="what the manifests do not say: start-up times, nodes, quota")
    group.add_argument(
        "--simulate-version",
        metavar="V",
        default="",
        help="Kubernetes that rollouts are simulated for (each cluster's own, else the newest that is checked against)",
    )
    group.add_argument(
        "--context", dest="contexts", metavar="CONTEXT", action="append", default=[],
        help="ask the cluster of this kubeconfig context, or of this name in the configuration; may be repeated",
    )  # fmt: skip
    group.add_argument("--live", action="store_true", help="ask all clusters of the configuration that have a context")
    group.add_argument("--kubeconfig", metavar="FILE", default="", help="instead of KUBECONFIG and ~/.kube/config")
    group.add_argument("--shard", metavar="I/N", help="this job's part, from 0; auto: as CI says")
    _add_gate(parser)
    _add_check(parser)
    group = parser.add_argument_group("where to tell it")
    group.add_argument("--plan", metavar="FILE", help="write plan.json, for report")
    _add_telling(group)
    parser.set_defaults(handler=_run_pr)


def add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `report`."""
    parser = commands.add_parser(
        "report",
        help="post the plans that pr wrote in another job",
        description="Read one or several plan.json (shards, or one a cluster), check that they belong to the pull"
        " request as the forge knows it, and tell them. Nothing else of the pull request is read, so that a job with"
        " the right to write may do it for one without.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("plans", nargs="+", metavar="PLAN", help="files that `gitops-guard pr --plan` wrote")
    parser.add_argument("--repository", metavar="NAME", help="owner/name; in CI it is known")
    _add_gate(parser)
    _add_telling(parser.add_argument_group("where to tell it"))
    parser.set_defaults(handler=_run_report)


def _add_gate(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what stops the merge")
    group.add_argument("--fail-on", metavar="SEVERITY", help="error (default), warning, note")
    group.add_argument(
        "--fail-on-rollout",
        choices=_ROLLOUTS,
        help="mildest prediction that does (pr: downtime; report: as the plan says)",
    )
    group.add_argument(
        "--allow-unpreviewed", action="store_true", help="let a change pass of which a part could not be previewed"
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to check")
    group.add_argument("--config", metavar="FILE", help="configuration instead of the head's .gitops-guard.yaml")
    group.add_argument(
        "--plugin", dest="plugins", action="append", default=[], metavar="NAME", help="plugin to load; may be repeated"
    )
    group.add_argument("--policies", action="append", default=[], metavar="DIR", help="as of check; may be repeated")
    group.add_argument(
        "--kubernetes-version", dest="kubernetes_versions", action="append", default=[], metavar="V",
        help="minor version to check against; may be repeated",
    )  # fmt: skip
    group.add_argument("--allow-network", action="store_true", help="fetch remote bases and charts")
    group.add_argument("--no-cache", action="store_true", help="believe and write no remembered verdicts")
    group.add_argument("--cache-dir", metavar="DIR", help="where verdicts are remembered (the user's cache folder)")
    group.add_argument("-j", "--jobs", metavar="N", help="processes; 0 (default) for as many as there are processors")


def _add_telling(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--post", metavar="WHERE", help="comment and status: github, gitlab, gitea, auto (as CI says), local[:DIR]"
    )
    group.add_argument("--name", default="gitops-guard", help="of the status, and the comment's key (gitops-guard)")
    group.add_argument("--markdown", metavar="FILE", help="the full report as Markdown")
    group.add_argument("--html", metavar="FILE", help="the full report as one page")
    group.add_argument("--sarif", metavar="FILE", help="new findings for code scanning")
    group.add_argument("--code-quality", metavar="FILE", help="new findings for GitLab's widget")
    group.add_argument("--summary", metavar="FILE", help="add the report to FILE (in Actions: the job's summary)")
    group.add_argument("--report-url", metavar="URL", default="", help="where the full report will lie, for a link")
    group.add_argument("--parts", metavar="N", type=int, default=1, help="most comments for a long report (1)")
    group.add_argument(
        "--no-quiet-comment", action="store_true", help="make no comment where nothing changes and nothing was found"
    )


def _telling(namespace: argparse.Namespace) -> "Telling":
    from gitops_guard.commands.telling import Telling

    return Telling(
        post=namespace.post,
        summary=namespace.summary,
        markdown=namespace.markdown,
        html=namespace.html,
        sarif=namespace.sarif,
        code_quality=namespace.code_quality,
        report_url=namespace.report_url,
        name=namespace.name,
        parts=namespace.parts,
        quiet_comment=not namespace.no_quiet_comment,
    )


def _run_pr(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import pr
    from gitops_guard.commands.check import CheckRequest
    from gitops_guard.config import Flags

    flags = Flags(
        kubernetes_versions=tuple(namespace.kubernetes_versions),
        fail_on=namespace.fail_on,
        cache_dir=namespace.cache_dir,
        jobs=namespace.jobs,
    )
    check = CheckRequest(
        config=namespace.config,
        plugins=tuple(namespace.plugins),
        policies=tuple(namespace.policies),
        allow_network=namespace.allow_network,
        no_cache=namespace.no_cache,
        flags=flags,
    )
    request = pr.PrRequest(
        from_rev=namespace.from_rev,
        to_rev=namespace.to_rev,
        head=namespace.head,
        number=namespace.number,
        repository=namespace.repository,
        plan=namespace.plan,
        shard=namespace.shard,
        contexts=tuple(namespace.contexts),
        live=namespace.live,
        kubeconfig=namespace.kubeconfig,
        assume=namespace.assume,
        kubernetes_version=namespace.simulate_version,
        fail_on_rollout=namespace.fail_on_rollout or "downtime",
        unseen_passes=namespace.allow_unpreviewed,
        check=check,
        telling=_telling(namespace),
    )
    return pr.run(request, os.environ, today=datetime.now(UTC).date())


def _run_report(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import report

    request = report.ReportRequest(
        plans=tuple(namespace.plans),
        fail_on=report.severity_of(namespace.fail_on),
        fail_on_rollout=namespace.fail_on_rollout or "stuck",
        unseen_passes=namespace.allow_unpreviewed,
        repository=namespace.repository,
        telling=_telling(namespace),
    )
    return report.run(request, os.environ)
