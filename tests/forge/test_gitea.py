"""A real Gitea: the contract of hosts, and pull requests from opening to closing as people see them."""

from dataclasses import replace

import pytest
from forge import contract

from gitops_guard.forge.gitea import Gitea

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
