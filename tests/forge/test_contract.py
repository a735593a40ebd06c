"""What every host must do; the real Gitea is held to the same in test_gitea.py."""

import pytest
from forge import contract


@pytest.mark.parametrize("case", contract.CASES, ids=lambda case: case.__name__)
def test_host_when_asked_for_a_thing_of_the_contract_then_it_does_it(bench, case):
    case(bench)
