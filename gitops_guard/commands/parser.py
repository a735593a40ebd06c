"""The command line of every subcommand, and the step from parsed arguments to a command's own types."""

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gitops_guard import __version__
from gitops_guard.commands.pull_parser import add_pr, add_report
from gitops_guard.commands.sync_parser import add_sync_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitops_guard.commands.workspace import Asked

_EXIT_CODES = (
    "exit codes: 0 clean; 1 findings at or above --fail-on; 2 could not check; 3 a bug of ours (a log file is named);"
    " 130 interrupted"
)


def parse_and_run(arguments: Sequence[str]) -> int:
    """Run the subcommand that the arguments name."""
    namespace = make_parser().parse_args(arguments)
    handler: Callable[[argparse.Namespace], int] = namespace.handler
    return handler(namespace)


def make_parser() -> argparse.ArgumentParser:
    """Build the whole parser; also what the reference in docs/ is generated from."""
    parser = argparse.ArgumentParser(
        prog="gitops-guard",
        description="Check Kubernetes GitOps repositories: would the API server accept this, and which line do I fix?",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"gitops-guard {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_diff(commands)
    _add_simulate(commands)
    _add_snapshot(commands)
    add_pr(commands)
    add_report(commands)
    _add_render(commands)
    _add_rules(commands)
    _add_explain(commands)
    _add_init(commands)
    _add_install_hook(commands)
    _add_test(commands)
    add_sync_commands(commands)
    return parser


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "check",
        help="check manifests against schemas and rules",
        description="Check the manifests of a work tree, the index, a revision, or standard input.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or directories; everything by default; - reads standard input"
    )
    _add_source_arguments(parser)
    _add_verdict_arguments(parser)
    _add_output_arguments(parser)
    parser.set_defaults(handler=_run_check)


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to check (the work tree by default)")
    group.add_argument(
        "--staged",
        action="store_true",
        help="the index's content; without PATH only what is staged for the next commit",
    )
    group.add_argument("--rev", metavar="REV", help="a revision; also in a bare repository")
    group.add_argument(
        "--from", dest="from_rev", metavar="REV", help="only files changed since the merge base with REV"
    )
    group.add_argument(
        "--to", dest="to_rev", metavar="REV", help="with --from: the revision to check (HEAD by default)"
    )


def _add_verdict_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to judge")
    group.add_argument(
        "--kubernetes-version", dest="kubernetes_versions", action="append", default=[], metavar="V",
        help="target minor version such as 1.36; may be given several times (the newest one known by default)",
    )  # fmt: skip
    group.add_argument(
        "--fail-on", metavar="SEVERITY", help="least severity that fails the run: error (default), warning, note"
    )
    group.add_argument(
        "--missing-schema",
        metavar="WHAT",
        help="a kind without a schema: ignore (default) counts it as skipped, error reports it",
    )
    group.add_argument("--new-from", metavar="REV", help="only findings that the merge base with REV does not have")
    group.add_argument(
        "--no-render", action="store_true", help="judge files only as they are written, not what they are rendered to"
    )
    group.add_argument("--allow-network", action="store_true", help="fetch remote bases and charts for rendering")
    group.add_argument("--baseline", metavar="FILE", help="leave out the findings that FILE knows")
    group.add_argument("--write-baseline", metavar="FILE", help="write all findings to FILE, for --baseline")
    _add_plugin_arguments(group)


def _add_plugin_arguments(group: argparse._ActionsContainer) -> None:
    group.add_argument("--config", metavar="FILE", help="configuration instead of the tree's .gitops-guard.yaml")
    group.add_argument(
        "-p",
        dest="plugins",
        action="append",
        default=[],
        metavar="MODULE_OR_PATH",
        help="load a plugin; may be given several times",
    )
    group.add_argument(
        "--policies", action="append", default=[], metavar="DIR",
        help="also apply the policies of a directory or file, pack:NAME, or git+PATH@REV; may be given several times;"
        " none leaves out those that come along and those of the configuration",
    )  # fmt: skip
    group.add_argument("--trusted-rev", metavar="REV", help="take the configuration's own plugins from this revision")


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output and effort")
    group.add_argument(
        "--format", metavar="F", help="text (default), json, sarif, junit, github, gitlab, markdown, or a plugin's"
    )
    group.add_argument("--colour", metavar="WHEN", help="auto (default), always, never")
    group.add_argument("-v", "--verbose", action="store_true", help="name every file and resource that was skipped")
    group.add_argument("--no-cache", action="store_true", help="believe and write no remembered verdicts")
    group.add_argument(
        "--cache-dir", metavar="DIR", help="where verdicts are remembered (the user's cache folder by default)"
    )
    group.add_argument("-j", "--jobs", metavar="N", help="processes; 0 (default) for as many as there are processors")


def _add_diff(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "diff",
        help="show what changes, object by object",
        description="Compare the manifests of two revisions, object by object and field by field. Without --from: HEAD"
        " with the work tree. Units that differ are compared as rendered, other files as they are written.",
        epilog="exit codes: 0 compared (with --exit-code: nothing changes); 1 with --exit-code: something changes, or a"
        " kustomization or chart differs that was not compared; 2 could not compare; 3 a bug of ours; 130 interrupted",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or directories; everything by default")
    parser.add_argument(
        "--from", dest="from_rev", metavar="REV", help="compare with the merge base of REV and --to (HEAD by default)"
    )
    parser.add_argument(
        "--to", dest="to_rev", metavar="REV", help="with --from: the revision to look at (the work tree by default)"
    )
    parser.add_argument(
        "--format", choices=("text", "markdown", "json", "yaml"), default="text",
        help="text (default), markdown, json, or yaml for a unified diff of the objects",
    )  # fmt: skip
    parser.add_argument("--exit-code", action="store_true", help="end with 1 when something changes")
    parser.add_argument("--no-render", action="store_true", help="compare files only, as they are written")
    parser.add_argument("--allow-network", action="store_true", help="fetch remote bases and charts for rendering")
    parser.add_argument("--no-cache", action="store_true", help="believe and write no remembered output")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the tree's .gitops-guard.yaml")
    parser.add_argument("--colour", metavar="WHEN", help="auto (default), always, never")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what is folded, too")
    _add_clusters(parser.add_argument_group("clusters (only read and dry-run, never written)"))
    parser.set_defaults(handler=_run_diff)


def _add_clusters(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--context", dest="contexts", metavar="CONTEXT", action="append", default=[],
        help="ask the cluster of this kubeconfig context, or of this name in the configuration; may be repeated",
    )  # fmt: skip
    group.add_argument("--live", action="store_true", help="ask all clusters of the configuration that have a context")
    group.add_argument("--kubeconfig", metavar="FILE", default="", help="instead of KUBECONFIG and ~/.kube/config")
    group.add_argument(
        "--field-manager", metavar="NAME", default="",
        help="as whom objects are dry-run; by default each as what deploys it: Flux, Argo CD, Helm, kubectl",
    )  # fmt: skip


def _add_simulate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "simulate",
        help="predict what a change does to running pods, over time",
        description=(
            "Predict the rollout of every workload that a change concerns: verdict, duration, available pods, extra"
            " capacity, and the hazards that its manifests give away. Asks no cluster unless told to."
        ),
        epilog=(
            "exit codes: 0 nothing at or above --fail-on; 1 a verdict at or above --fail-on, or a hazard of severity"
            " error; 2 something could not be simulated; 3 a bug of ours (a log file is named); 130 interrupted"
        ),
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="two files, BEFORE and AFTER (- reads standard input, /dev/null or a missing workload in BEFORE means that"
        " the change creates it); with --from: files or directories to look at",
    )
    parser.add_argument(
        "--from", dest="from_rev", metavar="REV", help="compare what is deployed with the merge base with REV"
    )
    parser.add_argument("--to", dest="to_rev", metavar="REV", help="with --from: the revision after (HEAD by default)")
    parser.add_argument("--no-render", action="store_true", help="with --from: compare plain manifests only")
    parser.add_argument("--assume", metavar="FILE", help="what the manifests do not say: start-up times, nodes, quota")
    parser.add_argument(
        "--context",
        metavar="CONTEXT",
        help="take a snapshot of the cluster of this kubeconfig context, or of this name in the configuration",
    )
    parser.add_argument("--kubeconfig", metavar="FILE", default="", help="instead of KUBECONFIG and ~/.kube/config")
    parser.add_argument(
        "--snapshot",
        metavar="FILE",
        help="what the cluster holds, from `gitops-guard snapshot`: nodes, quotas, volumes, running pods",
    )
    parser.add_argument(
        "--kubernetes-version",
        metavar="V",
        help="1.36, or with a patch: 1.35.2 (the snapshot's, else each cluster's own, else the newest checked against)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("stuck", "downtime", "degraded", "no-op"),
        default="downtime",
        help="mildest verdict that fails the run: stuck, downtime (default: stuck or downtime), degraded, no-op",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown", "html"),
        default="text",
        help="text (default), json, markdown, html",
    )
    parser.add_argument("--colour", metavar="WHEN", help="auto (default), always, never")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the tree's .gitops-guard.yaml")
    parser.set_defaults(handler=_run_simulate)


def _add_snapshot(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "snapshot",
        help="write down what a cluster holds, for simulate",
        description=(
            "Read a cluster's nodes, pods, quotas, volumes and what else rollouts depend on, and write them to standard"
            " output as JSON. Reads only; no Secret, no data of a ConfigMap, no image, no variable."
        ),
        epilog="exit codes: 0 written; 2 the cluster cannot be asked; 3 a bug of ours (a log file is named)",
    )
    parser.add_argument(
        "--context", metavar="CONTEXT", default="", help="of the kubeconfig; its current one by default"
    )
    parser.add_argument("--kubeconfig", metavar="FILE", default="", help="instead of KUBECONFIG and ~/.kube/config")
    parser.set_defaults(handler=_run_snapshot)


def _add_render(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "render",
        help="print what will really be deployed",
        description="Render kustomizations, charts, Flux and Argo CD objects; YAML on standard output.",
        epilog="exit codes: 0 all rendered; 2 a unit, or a part of one, could not be rendered; 3 a bug of ours",
    )
    parser.add_argument("path", nargs="?", metavar="PATH", help="only units deployed from or declared below PATH")
    group = parser.add_argument_group("what to render (the work tree by default)")
    group.add_argument("--staged", action="store_true", help="the index's content")
    group.add_argument("--rev", metavar="REV", help="a revision; also in a bare repository")
    parser.add_argument("--allow-network", action="store_true", help="fetch remote bases and charts")
    parser.add_argument("--kubernetes-version", dest="kubernetes_versions", action="append", default=[], metavar="V",
        help="what charts are rendered for, where clusters: does not say (the newest one known by default)",
    )  # fmt: skip
    _add_plugin_arguments(parser)
    parser.add_argument("--no-cache", action="store_true", help="believe and write no remembered output")
    parser.add_argument("--cache-dir", metavar="DIR", help="where output is remembered (the user's cache folder)")
    parser.add_argument("-j", "--jobs", metavar="N", help="tools at a time; 0 (default) for as many as processors")
    parser.set_defaults(handler=_run_render)


def _add_rules(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "rules",
        help="list all rules and where each comes from",
        description="List every rule with its severity in force, where it comes from, and what it flags.",
    )
    _add_plugin_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    parser.set_defaults(handler=_run_rules)


def _add_explain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "explain",
        help="print the page of a rule",
        description="Print what a rule flags, why it matters, and how to fix it; Markdown in a pipe.",
    )
    parser.add_argument("rule", metavar="RULE", help="id of the rule, such as unknown-field")
    _add_plugin_arguments(parser)
    parser.set_defaults(handler=_run_explain)


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "init",
        help="write a .gitops-guard.yaml for this repository",
        description="Look at the repository and write a commented .gitops-guard.yaml that fits it.",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the configuration that is there")
    parser.add_argument("--print", dest="only_print", action="store_true", help="print it and write nothing")
    parser.set_defaults(handler=_run_init)


def _add_install_hook(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "install-hook",
        help="check every commit of this clone, without pre-commit",
        description="Write a pre-commit hook into this clone that runs gitops-guard check --staged.",
    )
    parser.add_argument(
        "--force", action="store_true", help="keep a hook that is there already as pre-commit.before and run it first"
    )
    parser.add_argument(
        "--uninstall", action="store_true", help="remove our hook, and put back the one that was there before"
    )
    parser.set_defaults(handler=_run_install_hook)


def _asked(namespace: argparse.Namespace) -> "Asked":
    from gitops_guard.commands.workspace import Asked

    return Asked(config=namespace.config, plugins=tuple(namespace.plugins), trusted_rev=namespace.trusted_rev)


def _run_render(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import render
    from gitops_guard.commands.workspace import Asked
    from gitops_guard.config import Flags

    asked = Asked(
        staged=namespace.staged,
        rev=namespace.rev,
        config=namespace.config,
        plugins=tuple(namespace.plugins),
        trusted_rev=namespace.trusted_rev,
        flags=Flags(
            kubernetes_versions=tuple(namespace.kubernetes_versions),
            cache_dir=namespace.cache_dir,
            jobs=namespace.jobs,
        ),
    )
    request = render.RenderRequest(
        asked=asked, path=namespace.path, allow_network=namespace.allow_network, no_cache=namespace.no_cache
    )
    return render.run(request, os.environ)


def _run_rules(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import rules

    return rules.run(_asked(namespace), os.environ, output_format=namespace.format)


def _run_explain(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import explain

    return explain.run(namespace.rule, _asked(namespace), os.environ)


def _run_init(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import init

    return init.run(".", force=namespace.force, only_print=namespace.only_print)


def _run_install_hook(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import install_hook

    if namespace.uninstall:
        return install_hook.uninstall(".")
    return install_hook.install(".", force=namespace.force)


def _add_test(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "test",
        help="run the examples of policies",
        description="Judge the manifests in pass/ and fail/ of every policy folder, and compare with their marks.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="folders with policies, or pack:NAME; those of the configuration, or policies, by default",
    )  # fmt: skip
    parser.add_argument(
        "--kubernetes-version", dest="kubernetes_versions", action="append", default=[], metavar="V",
        help="minor version to evaluate in; may be given several times (the newest one known by default)",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json", "junit"), default="text", help="text by default")
    parser.add_argument(
        "--write-marks", action="store_true", help="write the marks `# finding: RULE` where findings are, for review"
    )
    parser.set_defaults(handler=_run_test)


def _run_test(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import test

    request = test.TestRequest(
        paths=tuple(namespace.paths),
        output_format=namespace.format,
        kubernetes_versions=tuple(namespace.kubernetes_versions),
        write_marks=namespace.write_marks,
    )
    return test.run(request)


def _run_diff(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import diff
    from gitops_guard.config import Flags

    request = diff.DiffRequest(
        paths=tuple(namespace.paths),
        from_rev=namespace.from_rev,
        to_rev=namespace.to_rev,
        format=namespace.format,
        exit_code=namespace.exit_code,
        render=not namespace.no_render,
        allow_network=namespace.allow_network,
        no_cache=namespace.no_cache,
        config=namespace.config,
        verbose=namespace.verbose,
        contexts=tuple(namespace.contexts),
        live=namespace.live,
        kubeconfig=namespace.kubeconfig,
        field_manager=namespace.field_manager,
        flags=Flags(colour=namespace.colour),
    )
    return diff.run(request, os.environ)


def _run_simulate(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import simulate

    request = simulate.SimulateRequest(
        paths=tuple(namespace.paths),
        from_rev=namespace.from_rev,
        to_rev=namespace.to_rev,
        render=not namespace.no_render,
        assume=namespace.assume,
        snapshot=namespace.snapshot,
        context=namespace.context,
        kubeconfig=namespace.kubeconfig,
        kubernetes_version=namespace.kubernetes_version,
        output_format=namespace.format,
        fail_on=namespace.fail_on,
        colour=namespace.colour,
        config=namespace.config,
    )
    return simulate.run(request, os.environ, today=datetime.now(UTC).date())


def _run_snapshot(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import snapshot

    request = snapshot.SnapshotRequest(context=namespace.context, kubeconfig=namespace.kubeconfig)
    return snapshot.run(request, os.environ)


def _run_check(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import check
    from gitops_guard.config import Flags

    request = check.CheckRequest(
        paths=tuple(namespace.paths),
        staged=namespace.staged,
        rev=namespace.rev,
        from_rev=namespace.from_rev,
        to_rev=namespace.to_rev,
        new_from=namespace.new_from,
        baseline=namespace.baseline,
        write_baseline=namespace.write_baseline,
        config=namespace.config,
        plugins=tuple(namespace.plugins),
        policies=tuple(namespace.policies),
        trusted_rev=namespace.trusted_rev,
        no_cache=namespace.no_cache,
        render=not namespace.no_render,
        allow_network=namespace.allow_network,
        verbose=namespace.verbose,
        flags=Flags(
            kubernetes_versions=tuple(namespace.kubernetes_versions),
            fail_on=namespace.fail_on,
            missing_schema=namespace.missing_schema,
            format=namespace.format,
            colour=namespace.colour,
            cache_dir=namespace.cache_dir,
            jobs=namespace.jobs,
        ),
    )
    return check.run(request, os.environ, today=datetime.now(UTC).date())
