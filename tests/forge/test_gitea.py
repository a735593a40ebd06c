"""A real Gitea: the contract of hosts, and pull requests from opening to closing as people see them."""

import os
import re
import urllib.request
from dataclasses import replace

import pytest
from forge import contract

from gitops_guard.forge.gitea import Gitea
from gitops_guard.testing import Sandbox

WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0
"""


class Bench:
    """Pull request 7 of the contract, under the number that the server gave it."""

    def __init__(self, team, number, branch):
        self.team, self.number, self.branch = team, number, branch
        self.forge = _Numbered(Gitea(team.repository, team.token, server=team.server.address), number)

    def stranger_writes(self, body):
        return self.team.comment(self.number, body)

    def move_head(self, _head):
        self.team.wait_for_head(self.number, self.team.push(self.branch, {"web.yaml": WEB.replace("3", "4")}))

    def close(self):
        self.team.close(self.number)


class _Numbered:
    """The contract says 7; nothing else is different."""

    def __init__(self, forge, number):
        self._forge, self._number = forge, number

    def __getattr__(self, name):
        found = getattr(self._forge, name)
        if name not in ("pull", "comments", "create_comment", "update_comment", "delete_comment"):
            return found

        def call(number, *rest):
            given = found(self._number if number == 7 else number, *rest)
            if name != "pull":
                return given
            return replace(given, number=number)

        return call


@pytest.fixture(scope="module")
def shared_team(gitea, tmp_path_factory):
    found = gitea.team(tmp_path_factory.mktemp("clone"))
    found.push("main", {"web.yaml": WEB})
    return found


@pytest.mark.parametrize("case", contract.CASES, ids=lambda case: case.__name__)
def test_gitea_when_asked_for_a_thing_of_the_contract_then_it_does_it(shared_team, case):
    team = shared_team
    team.git("checkout", "--quiet", "-B", case.__name__, "main")
    team.push(case.__name__, {"web.yaml": WEB.replace("web:1.0", f"web:{case.__name__}")})
    case(Bench(team, team.open_pull(case.__name__), case.__name__))


# From opening to closing, by the command line, as people see it


@pytest.fixture
def team(gitea, tmp_path):
    found = gitea.team(tmp_path / "clone")
    found.push("main", {"apps/web.yaml": WEB})
    found.git("fetch", "--quiet", "origin")
    found.git("checkout", "--quiet", "-b", "feature")
    return found


class Job:
    """A CI job for a pull request: `pr` in one, `report` in another that has the token."""

    def __init__(self, team, sandbox):
        self.team, self.sandbox = team, sandbox

    def run(self, number, *, plan="plan.json"):
        self.plan(number, plan)
        return self.report(plan)

    def plan(self, number, plan="plan.json"):
        self.team.git("fetch", "--quiet", "origin")
        return self.sandbox.run(
            "pr",
            "--from",
            "origin/main",
            "--policies",
            "none",
            "--number",
            str(number),
            "--repository",
            self.team.repository,
            "--plan",
            f"../{plan}",
        )

    def report(self, plan="plan.json"):
        variables = {"GITOPS_GUARD_FORGE_URL": self.team.server.address, "GITEA_TOKEN": self.team.token}
        return self.sandbox.run(
            "report", f"../{plan}", "--post", "gitea", "--repository", self.team.repository, **variables
        )


@pytest.fixture
def job(team, tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT")}
    return Job(
        team,
        Sandbox(
            team.clone, {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}
        ),
    )


def ours(team, number):
    return [comment for comment in team.comments(number) if comment["user"]["login"] == team.bot]


def status(team, commit):
    return [(one["context"], one["status"]) for one in team.status(commit)["statuses"] or []]


def test_gitea_when_a_pull_request_lives_then_one_comment_and_a_status_follow_it(team, job):
    first = team.push("feature", {"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})
    number = team.open_pull("feature")
    job.run(number).assert_code(0)
    (comment,) = ours(team, number)
    assert "nothing stops the merge: 1 app" in comment["body"]
    assert [("gitops-guard", "success")] == status(team, first)

    said = job.run(number)  # again: nothing is written
    assert "comment unchanged" in said.err
    assert [comment["updated_at"]] == [one["updated_at"] for one in ours(team, number)]

    second = team.push("feature", {"apps/web.yaml": WEB.replace("replicas: 3", "replicas: 3\n  bogus: 1")})
    team.wait_for_head(number, second)
    stale = job.report()  # the plan of the first commit comes late
    stale.assert_code(2)
    assert "pull request's newest" in stale.err
    job.run(number).assert_code(1)
    (blocked,) = ours(team, number)
    assert comment["id"] == blocked["id"]
    assert "stops the merge: 1 blocking" in blocked["body"]
    assert [("gitops-guard", "failure")] == status(team, second)

    third = team.push("feature", {"apps/web.yaml": WEB.replace("web:1.0", "web:1.2")}, amend=True, force=True)
    team.wait_for_head(number, third)
    job.run(number).assert_code(0)
    assert [comment["id"]] == [one["id"] for one in ours(team, number)]
    assert [("gitops-guard", "success")] == status(team, third)

    team.close(number)
    closed = job.run(number)
    closed.assert_code(2)
    assert "closed" in closed.err


def test_gitea_when_somebody_copies_our_comment_then_theirs_is_never_edited(team, job):
    team.push("feature", {"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})
    number = team.open_pull("feature")
    job.run(number).assert_code(0)
    copied = ours(team, number)[0]["body"]
    theirs = team.comment(number, copied)
    team.wait_for_head(number, team.push("feature", {"apps/web.yaml": WEB.replace("web:1.0", "web:2.0")}))
    job.run(number).assert_code(0)
    bodies = {comment["id"]: comment["body"] for comment in team.comments(number)}
    assert copied == bodies[theirs]
    assert 2 == len(bodies)


def test_gitea_when_the_token_may_not_say_whose_it_is_then_the_error_helps(team, job):
    team.push("feature", {"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})
    number = team.open_pull("feature")
    job.plan(number).assert_code(0)
    token = team.server.token(team.bot, "write:issue", "write:repository")
    variables = {"GITOPS_GUARD_FORGE_URL": team.server.address, "GITEA_TOKEN": token}
    line = ("report", "../plan.json", "--post", "gitea", "--repository", team.repository)
    refused = job.sandbox.run(*line, **variables)
    refused.assert_code(2)
    assert "read:user" in refused.err
    assert token not in refused.err
    job.sandbox.run(*line, GITOPS_GUARD_FORGE_USER=team.bot, **variables).assert_code(0)


EVIL = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil, namespace: shop}\ndata:\n  x: |\n    ```\n    # Passed\n    </details>"
    "<img src=x onerror=alert(1)> @boss [l](http://evil.example) ![i](http://evil.example/i.png) http://evil.example #1\n    ````\n"
)


def test_gitea_when_a_reviewer_looks_at_the_page_then_content_is_shown_and_nothing_of_it_is_live(
    team, job, browser, tmp_path
):
    team.push("feature", {
        "apps/web.yaml": WEB.replace("web:1.0", "web:2.0"), "apps/evil.yaml": EVIL,
        "shop/bad.yaml": WEB.replace("replicas: 3", "replicas: 3\n  bogus: 1").replace("name: web", "name: bad", 1),
    })  # fmt: skip
    number = team.open_pull("feature")
    job.run(number).assert_code(1)
    address = f"{team.server.address}/{team.repository}/pulls/{number}"
    team.server.call("PATCH", f"/repos/{team.repository}", {"private": False}, user=team.developer)
    with urllib.request.urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    start = page.index("gitops-guard: stops the merge")
    comment = page[start : page.index("gitops-guard <code>", start)]
    assert "&lt;img src=x onerror=alert(1)&gt; @boss" in comment
    assert [] == re.findall(
        r"<img\b|onerror=\w+\(|<a [^>]*evil\.example|<a [^>]*class=\"mention", re.sub(r"&lt;.*?&gt;", "", comment)
    )
    assert comment.count("<details") == comment.count("</details>") >= 3
    kept = tmp_path / "page.html"  # as the server gives it, without the scripts and styles that its Go module lacks
    kept.write_text(re.sub(r"(?s)<script.*?</script>|<link[^>]*>|<img[^>]*>", "", page))
    assert browser.picture(kept.as_uri(), "gitea.png").exists()
