"""Measure the speed that docs/performance.md promises, as ratios within one run, and fail when a limit is passed.

    make bench                            everything; builds kubeconform from its Go module once
    python tests/bench/run.py --files N   a smaller corpus, to try things

Nothing here is a unit test and nothing compares absolute times: a slow runner is slow for both sides of a ratio.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from corpus import write_corpus
from measure import Command, Run, interleave, median_ratio, median_wall
from standalone_schemas import write_standalone_schemas

ROOT = Path(__file__).parents[2]
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
KUBERNETES = "1.37"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a ratio may be at most."""

    name: str
    over: str
    under: str
    limit: float


LIMITS = (
    Limit(name="hook, 3 files known / python -c pass", over="hit", under="python", limit=1.6),
    Limit(name="the same without policies", over="hit, no policies", under="python", limit=1.6),
    Limit(name="hook, 3 files unknown / python -c pass", over="miss", under="python", limit=4.5),
    Limit(name="the same without policies", over="miss, no policies", under="python", limit=4.5),
    Limit(name="cold, one process / bare event loop", over="cold serial", under="bare events", limit=1.5),
    Limit(name="warm / cold, one process", over="warm", under="cold serial", limit=0.06),
    Limit(name="cold / kubeconform 0.8", over="cold", under="kubeconform", limit=0.65),
    # a first run with a configuration of its own reads it by the full path before it starts
    Limit(name="the same without policies", over="cold, no policies", under="kubeconform", limit=0.8),
)


class Bench:
    """The corpus, the programs, and a cache of their own."""

    def __init__(self, work: Path, files: int) -> None:
        self.work = work
        self.repository = work / f"corpus-{files}-2"
        self.without = work / f"corpus-{files}-2-no-policies"
        self.cache, self.other_cache = work / "cache", work / "cache-no-policies"
        self.python = str(install(work / "venv"))
        self.program = str(Path(self.python).with_name("gitops-guard"))
        self._make_corpus(files)
        self.documents = int((self.repository / ".git" / "documents").read_text())
        self.some = self._git("ls-files").splitlines()[:: max(files // 3, 1)][:3]
        self._copy_without_policies()

    def _copy_without_policies(self) -> None:
        """Clone the corpus with a configuration that switches all policies off."""
        if self.without.exists():
            return
        self._git("clone", "--quiet", str(self.repository), str(self.without))
        (self.without / ".gitops-guard.yaml").write_text("policies: []\n")
        self._git("-C", str(self.without), "add", "--all")
        self._git("-C", str(self.without), "commit", "--quiet", "--message", "no policies")

    def _git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.repository, check=True, capture_output=True, text=True
        ).stdout

    def _make_corpus(self, files: int) -> None:
        if (self.repository / ".git" / "documents").exists():
            return
        shutil.rmtree(self.repository, ignore_errors=True)
        self.repository.mkdir(parents=True)
        documents = write_corpus(self.repository, files=files)
        self._git("init", "--quiet")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "corpus")
        (self.repository / ".git" / "documents").write_text(str(documents))

    def forget(self) -> None:
        """Empty the cache, the schemas included: the first run ever."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def forget_other(self) -> None:
        """The same without policies."""
        shutil.rmtree(self.other_cache, ignore_errors=True)

    def stage_anew(self) -> None:
        """Write the three files as new loose objects, as `git add` does before a commit: nobody has seen them yet."""
        self._touch(self.repository)

    def stage_anew_without(self) -> None:
        """Do the same without policies."""
        self._touch(self.without)

    def _touch(self, repository: Path) -> None:
        for name in self.some:
            path = repository / name
            path.write_text(path.read_text().split("# touched", 1)[0] + f"# touched {os.urandom(8).hex()}\n")
        self._git("-C", str(repository), "add", *self.some)

    def guard(self, name: str, *arguments: str, where: Path | None = None, **options: object) -> Command:
        """Return a gitops-guard command on the corpus."""
        line = [self.program, "check", *arguments]
        cache = self.cache if where is None else self.other_cache
        environment = {"GITOPS_GUARD_CACHE_DIR": str(cache), "XDG_STATE_HOME": str(self.work / "state")}
        directory = str(where or self.repository)
        return Command(name=name, line=line, directory=directory, environment=environment, **options)  # type: ignore[arg-type]

    def hooks(self) -> list[Command]:
        """Return what a hook does, beside the floor."""
        return [
            Command(name="python", line=[self.python, "-c", "pass"]),
            self.guard("miss", "--staged", *self.some, before=self.stage_anew),
            self.guard("hit", "--staged", *self.some),
            self.guard("miss, no policies", "--staged", *self.some, where=self.without, before=self.stage_anew_without),
            self.guard("hit, no policies", "--staged", *self.some, where=self.without),
        ]

    def whole(self, kubeconform: list[str]) -> list[Command]:
        """Return what judges the whole repository, beside its rivals."""
        events = [self.python, str(Path(__file__).with_name("bare_events.py")), str(self.repository)]
        return [
            Command(name="bare events", line=events),
            self.guard("cold serial", before=self.forget, one_processor=True),
            self.guard("cold", before=self.forget),
            self.guard("cold, no policies", where=self.without, before=self.forget_other),
            self.guard("warm"),
            *(
                Command(name=f"kubeconform -n {n}", line=[*kubeconform, "-n", n, str(self.repository)])
                for n in ("2", "4")
            ),
        ]


def install(venv: Path) -> Path:
    """Install this checkout as a user does, into an environment of its own, and return the environment's Python."""
    python = venv / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([python, "-m", "pip", "install", *quiet, "--upgrade", "pip"], check=True)
    subprocess.run([python, "-m", "pip", "install", *quiet, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
    subprocess.run([python, "-m", "pip", "install", *quiet, str(ROOT)], check=True)
    return python


def build_kubeconform(work: Path) -> list[str]:
    """Build kubeconform from its Go module, once, and return its command line with local schemas."""
    program = work / "bin" / "kubeconform"
    if not program.exists():
        go = shutil.which("go") or str(Path(sys.executable).with_name("go"))
        environment = {**os.environ, "GOBIN": str(program.parent), "GOFLAGS": "-mod=mod"}
        subprocess.run([go, "install", KUBECONFORM], check=True, env=environment)
    schemas = work / "schemas"
    if not schemas.exists():
        write_standalone_schemas(schemas, KUBERNETES)
    return [str(program), "-strict", "-schema-location", f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"]


def best_kubeconform(runs: dict[str, list[Run]]) -> list[Run]:
    """Return the runs of the number of workers that did best."""
    rivals = [name for name in runs if name.startswith("kubeconform")]
    return runs[min(rivals, key=lambda name: median_wall(runs[name]))]


def show(bench: Bench, runs: dict[str, list[Run]]) -> None:
    """Print what each command took."""
    size = sum(path.stat().st_size for path in bench.repository.rglob("*.yaml")) / 1e6
    print(f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} processors,", end=" ")
    print(f"Python {platform.python_version()}; {bench.documents} documents in {size:.1f} MB")
    print(f"{'':24}{'wall ms':>10}{'min':>10}{'CPU ms':>10}{'RSS MB':>10}")
    for name, found in runs.items():
        best = min(run.wall_s for run in found)
        cpu = sorted(run.cpu_s for run in found)[len(found) // 2]
        rss = max(run.rss_bytes for run in found)
        print(f"{name:24}{median_wall(found) * 1e3:10.1f}{best * 1e3:10.1f}{cpu * 1e3:10.1f}{rss / 1e6:10.1f}")


def judge(runs: dict[str, list[Run]], slack: float) -> bool:
    """Print the ratios and return whether all are within their limits, times the slack of a noisy machine."""
    good = True
    for limit in LIMITS:
        ratio = median_ratio(runs[limit.over], runs[limit.under])
        good = good and ratio <= limit.limit * slack
        word = (
            "ok" if ratio <= limit.limit else "above, within the slack" if ratio <= limit.limit * slack else "TOO SLOW"
        )
        print(f"{limit.name:45}{ratio:8.3f}   at most {limit.limit:<6}{word}")
    return good


def main() -> int:
    """Measure, print, and return 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds over the whole corpus")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--slack", type=float, default=1.0, help="what a limit is multiplied by before the run fails")
    parser.add_argument("--json", type=Path, help="write all figures to a file")
    arguments = parser.parse_args()
    bench = Bench(arguments.work, arguments.files)
    runs = interleave(bench.hooks(), rounds=4 * arguments.rounds)
    runs |= interleave(bench.whole(build_kubeconform(arguments.work)), rounds=arguments.rounds)
    show(bench, runs)
    runs["kubeconform"] = best_kubeconform(runs)
    if arguments.json:
        figures = {name: [[run.wall_s, run.cpu_s, run.rss_bytes] for run in found] for name, found in runs.items()}
        arguments.json.write_text(json.dumps(figures, indent=1))
    return 0 if judge(runs, arguments.slack) else 1


if __name__ == "__main__":
    sys.exit(main())
