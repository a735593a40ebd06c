"""The recording is what the real API server answers. `--update-golden` writes it anew."""

import json

import pytest
from controlplane.server import ADMIN, ControlPlane
from policy.cases import RECORDED, cases, recorded
from policy.server import ask


@pytest.mark.controlplane
def test_recording_when_the_server_is_asked_again_then_it_says_the_same(
    control_plane: ControlPlane, request: pytest.FixtureRequest
) -> None:
    api = control_plane.api(ADMIN)
    answers = ask(api, cases())
    if request.config.getoption("--update-golden"):
        version = api.expect("GET", "/version")["gitVersion"]
        RECORDED.write_text(json.dumps({"source": f"kube-apiserver {version}", "cases": answers}, indent=1) + "\n")
    assert recorded() == answers
