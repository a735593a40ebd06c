"""The command lines of all that talks to a cluster: sync, drift, adopt, rollback, status, history, fsck."""

import argparse
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitops_guard.commands.sync import SyncFlags
    from gitops_guard.commands.sync_target import Target

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EXIT_CODES = (
    "exit codes: 0 the cluster is what Git wants; 1 it is not (drift or changes in a dry run, an object that failed or"
    " is not healthy, a guard that stopped something, errors in the manifests); 2 nothing could be told or done (usage,"
    " configuration, cluster not available, another run holds the lock); 3 a bug of ours; 130 interrupted"
)


def add_sync_commands(commands: "Commands") -> None:
    """Add the subcommands."""
    _add_sync(commands)
    _add_drift(commands)
    _add_adopt(commands)
    _add_rollback(commands)
    _add_status(commands)
    _add_history(commands)
    _add_fsck(commands)


def _add_sync(commands: "Commands") -> None:
    parser = commands.add_parser(
        "sync",
        help="make a cluster what Git says",
        description="Render and check a revision, apply what differs, wait until it is healthy, and say what drifted"
        " and who did it. What left Git is only deleted with --prune, after a healthy run, and if no guard forbids it.",
        epilog=_EXIT_CODES,
    )
    _add_target(parser, several=True)
    _add_source(parser)
    group = parser.add_argument_group("what to do")
    group.add_argument("--dry-run", action="store_true", help="write nothing, and say what would be done")
    group.add_argument("--prune", action="store_true", help="delete what left Git")
    _add_wait(group)
    group.add_argument("--adopt", action="store_true", help="take over objects of other sets, and fields of whoever")
    group.add_argument(
        "--rollback-on-failure", action="store_true",
        help="put the last healthy revision back when this one fails or does not become healthy",
    )  # fmt: skip
    group.add_argument(
        "--remediate", action="append", metavar="KIND",
        help="correct drift of this kind only (Deployment.apps); none corrects none; may be given several times",
    )  # fmt: skip
    _add_guards(parser)
    _add_looks(parser)
    _add_staying(parser)
    _add_output(parser, metrics=True)
    parser.set_defaults(handler=_run_sync)


def _add_drift(commands: "Commands") -> None:
    parser = commands.add_parser(
        "drift",
        help="say how a cluster differs from Git, and who did it",
        description="Compare a cluster with a revision; reads only. Unchanged objects cost no request.",
        epilog=_EXIT_CODES,
    )
    _add_target(parser, several=True)
    _add_source(parser)
    _add_looks(parser)
    _add_output(parser, metrics=True)
    parser.set_defaults(handler=_run_drift)


def _add_adopt(commands: "Commands") -> None:
    parser = commands.add_parser(
        "adopt",
        help="take over what other tools applied",
        description="Apply a revision and make the objects, and their fields, ours: those of other sets, of kubectl,"
        " Flux or Argo CD. Nothing is deleted, and pods are only replaced where Git wants another template.",
        epilog=_EXIT_CODES,
    )
    _add_target(parser)
    _add_source(parser)
    group = parser.add_argument_group("what to do")
    group.add_argument("--dry-run", action="store_true", help="write nothing, and say what would be done")
    _add_wait(group)
    _add_output(parser)
    parser.set_defaults(handler=_run_adopt)


def _add_rollback(commands: "Commands") -> None:
    parser = commands.add_parser(
        "rollback",
        help="put an earlier revision back",
        description="Apply an earlier revision, and keep it until Git has a newer commit than the present one.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("rev", nargs="?", metavar="REV", help="the one that was synced before, by default")
    _add_target(parser)
    _add_source(parser)
    group = parser.add_argument_group("what to do")
    group.add_argument("--prune", action="store_true", help="delete what that revision does not have")
    _add_wait(group)
    _add_guards(parser)
    _add_output(parser)
    parser.set_defaults(handler=_run_rollback)


def _add_status(commands: "Commands") -> None:
    parser = commands.add_parser(
        "status",
        help="say what is applied to a cluster",
        description="Print what a set remembers: its revision, the last healthy one, how the last run ended.",
    )
    _add_target(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    parser.set_defaults(handler=_run_status)


def _add_history(commands: "Commands") -> None:
    parser = commands.add_parser(
        "history",
        help="list the runs that a set remembers",
        description="Print the last runs that changed something or ended otherwise than the one before, newest first.",
    )
    _add_target(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    parser.set_defaults(handler=_run_history)


def _add_fsck(commands: "Commands") -> None:
    parser = commands.add_parser(
        "fsck",
        help="rebuild a lost inventory",
        description="Rebuild a set's inventory from all objects that carry its label. Nothing is deleted, neither now"
        " nor by later runs until one has gone through healthy.",
    )
    _add_target(parser)
    parser.set_defaults(handler=_run_fsck)


def _add_target(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    group = parser.add_argument_group("where")
    if several:
        group.add_argument(
            "--context", metavar="CTX", action="append", default=[],
            help="kubeconfig context (the current one by default); several are run at once, with one report",
        )  # fmt: skip
    else:
        group.add_argument(
            "--context", metavar="CTX", default="", help="kubeconfig context (the current one by default)"
        )
    group.add_argument("--kubeconfig", metavar="FILE", default="", help="instead of KUBECONFIG or ~/.kube/config")
    group.add_argument(
        "-n", "--namespace", metavar="NS", default="",
        help="where the set's inventory lies, and objects go that name none (that of the context by default)",
    )  # fmt: skip
    group.add_argument("--name", metavar="NAME", default="default", help="name of the set of objects (default)")


def _add_source(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what Git wants")
    group.add_argument(
        "--source", metavar="SOURCE", default=".",
        help="directory of a repository, or without one (.); or a repository's URL: https://host/path, ssh://git@host/path",
    )  # fmt: skip
    group.add_argument(
        "--git-auth", metavar="DIR",
        help="for a URL: directory with the files username, password, bearerToken, identity, known_hosts, ca.crt,"
        " those that are needed",
    )  # fmt: skip
    group.add_argument("--git-cache", metavar="DIR", help="for a URL: where it is kept (below the user's cache folder)")
    group.add_argument(
        "--max-stale", type=_seconds, metavar="TIME",
        help="when the URL does not answer, go on with what it said last, if that is not older (otherwise: fail)",
    )  # fmt: skip
    group.add_argument(
        "--allowed-signers", action="append", default=[], metavar="FILE",
        help="refuse a commit that none of these has signed: SSH allowed signers or OpenPGP keys; may be repeated",
    )  # fmt: skip
    group.add_argument("--revision", metavar="REV", help="commit, branch or tag (HEAD by default)")
    group.add_argument("--path", metavar="PATH", help="only what is deployed from or declared below PATH")
    group.add_argument("--cluster", metavar="NAME", help="name of this cluster in the repository")
    group.add_argument("--config", metavar="FILE", help="configuration instead of the tree's .gitops-guard.yaml")
    group.add_argument("--allow-network", action="store_true", help="fetch remote bases and charts")
    group.add_argument("--kubernetes-version", dest="kubernetes_versions", action="append", default=[], metavar="V",
        help="what is checked against and charts are rendered for (the newest one known by default)",
    )  # fmt: skip


def _add_wait(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--wait", action="store_true", help="wait until everything is healthy")
    group.add_argument(
        "--timeout", type=_seconds, default=300.0, metavar="TIME", help="for --wait: 90s, 5m (default), 1h"
    )


def _add_guards(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("guards against deleting too much")
    group.add_argument("--max-prune", type=int, metavar="N", help="objects that one run may delete (50)")
    group.add_argument("--max-prune-percent", type=int, metavar="P", help="share of the set that it may delete (20)")
    group.add_argument(
        "--approve-prune", action="append", default=[], metavar="ID", help="delete exactly what a guard named with ID"
    )
    group.add_argument(
        "--prune-kind", action="append", default=[], metavar="KIND",
        help="also delete objects of a protected kind: Namespace, CustomResourceDefinition, PersistentVolumeClaim,"
        " PersistentVolume",
    )  # fmt: skip
    group.add_argument(
        "--allow-rewind", action="store_true", help="also delete when the revision does not follow the last one"
    )


def _add_looks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to look for")
    group.add_argument("--verify", action="store_true", help="compare every object, also those that look unchanged")
    group.add_argument("--foreign", action="store_true", help="report what others added to our objects")
    group.add_argument("--unmanaged", action="store_true", help="report objects in our namespaces that nobody manages")


def _add_staying(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("staying in the cluster")
    group.add_argument(
        "--interval", type=_seconds, metavar="TIME", help="run again and again, with so much time between: 5m"
    )
    group.add_argument(
        "--listen", metavar="ADDRESS:PORT", help="with --interval: answer /healthz, /readyz and /metrics there"
    )
    group.add_argument("--no-events", action="store_true", help="write no Events to the cluster")


def _add_output(parser: argparse.ArgumentParser, *, metrics: bool = False) -> None:
    group = parser.add_argument_group("output")
    if metrics:
        group.add_argument(
            "--metrics-file", metavar="FILE", help="also write figures for Prometheus there, for its textfile collector"
        )
    group.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="text (default), json, markdown"
    )
    group.add_argument("--colour", choices=("auto", "always", "never"), default="auto", help="auto (default)")
    group.add_argument("-v", "--verbose", action="store_true", help="name unchanged objects, too")


def _seconds(text: str) -> float:
    """Read `90s`, `5m`, `1h`; a number alone is seconds."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 90s, 5m or 1h")
    return int(number) * units[unit]


def _target(namespace: argparse.Namespace) -> "Target":
    from gitops_guard.commands.sync_target import Target

    several = isinstance(namespace.context, list)
    return Target(
        context=next(iter(namespace.context), "") if several else namespace.context,
        kubeconfig=namespace.kubeconfig,
        namespace=namespace.namespace,
        name=namespace.name,
    )


def _flags(namespace: argparse.Namespace) -> "SyncFlags":
    """Return what a command line says; what a command has no flag for is as by default."""
    from gitops_guard.commands.sync import SyncFlags
    from gitops_guard.commands.sync_source import SourceFlags
    from gitops_guard.config import Flags

    given = vars(namespace)
    remediate = given.get("remediate")
    return SyncFlags(
        target=_target(namespace),
        source=SourceFlags(
            source=namespace.source,
            git_auth=namespace.git_auth,
            git_cache=namespace.git_cache,
            max_stale_s=namespace.max_stale,
            allowed_signers=tuple(namespace.allowed_signers),
            revision=namespace.revision,
            path=namespace.path,
            cluster=namespace.cluster,
            config=namespace.config,
            allow_network=namespace.allow_network,
            flags=Flags(kubernetes_versions=tuple(namespace.kubernetes_versions)),
        ),
        dry_run=given.get("dry_run", False),
        prune=given.get("prune", False),
        wait=given.get("wait", False),
        adopt=given.get("adopt", False),
        rollback_on_failure=given.get("rollback_on_failure", False),
        verify=given.get("verify", False),
        foreign=given.get("foreign", False),
        unmanaged=given.get("unmanaged", False),
        remediate=None if remediate is None else tuple(kind for kind in remediate if kind != "none"),
        max_prune=given.get("max_prune"),
        max_prune_percent=given.get("max_prune_percent"),
        approved=tuple(given.get("approve_prune", ())),
        allow_rewind=given.get("allow_rewind", False),
        prune_kinds=tuple(given.get("prune_kind", ())),
        timeout_s=given.get("timeout", 300.0),
        contexts=tuple(dict.fromkeys(contexts)) if isinstance(contexts := given["context"], list) else (),
        events=not given.get("no_events", False),
        metrics_file=given.get("metrics_file"),
        interval_s=given.get("interval"),
        listen=given.get("listen"),
        format=namespace.format,
        colour=namespace.colour,
        verbose=namespace.verbose,
    )


def _run_sync(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import sync
    from gitops_guard.errors import UsageError

    if namespace.listen is not None and namespace.interval is None:
        raise UsageError("--listen has a meaning only with --interval; a single run can write --metrics-file")
    if namespace.interval == 0:
        raise UsageError("--interval 0s: give a time, such as 5m")
    return sync.run(_flags(namespace), os.environ)


def _run_drift(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import drift

    return drift.run(_flags(namespace), os.environ)


def _run_adopt(namespace: argparse.Namespace) -> int:
    from dataclasses import replace

    from gitops_guard.commands import sync

    return sync.run(replace(_flags(namespace), adopt=True), os.environ)


def _run_rollback(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import rollback

    return rollback.run(namespace.rev, _flags(namespace), os.environ)


def _run_status(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import status

    return status.run_status(_target(namespace), os.environ, output_format=namespace.format)


def _run_history(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import status

    return status.run_history(_target(namespace), os.environ, output_format=namespace.format)


def _run_fsck(namespace: argparse.Namespace) -> int:
    from gitops_guard.commands import fsck

    return fsck.run(_target(namespace), os.environ)
