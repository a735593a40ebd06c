"""GitHub: its limits, its tokens, its check-runs."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from forge.double import TOKEN, Fault

from gitops_guard.errors import ForgeError
from gitops_guard.forge.github_app import installation_token
from gitops_guard.forge.host import Annotation, Check, Level, State, Status

HEAD = "a" * 40


def notes(number):
    return [
        Annotation(path=f"a{index}.yaml", line=index, end_line=index, level=Level.FAILURE, title="t", message="m")
        for index in range(number)
    ]


def check(number=0, state=State.FAILURE):
    return Check(name="guard", state=state, title="v", summary="s", text="t", annotations=notes(number))


@pytest.mark.parametrize(("number", "updates"), [(0, 1), (1, 2), (50, 2), (51, 3), (120, 4)])
def test_check_when_there_are_many_annotations_then_they_come_in_batches(on_github, github, number, updates):
    assert on_github.publish_check(HEAD, check(number))
    assert ["POST /repos/{owner}/{repo}/check-runs"] + [
        "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}"
    ] * updates == github.host.writes()
    (run,) = github.host.checks.values()
    assert (number, "completed", "failure") == (len(run["annotations"]), run["status"], run["conclusion"])


def test_check_when_not_all_was_previewed_then_it_is_neutral(on_github, github):
    on_github.publish_check(HEAD, check(state=State.NEUTRAL))
    assert ["neutral"] == [run["conclusion"] for run in github.host.checks.values()]


def test_check_when_the_token_may_not_then_there_is_none(on_github, github):
    github.host.may_check = False
    assert not on_github.publish_check(HEAD, check(3))


def test_me_when_the_token_may_not_ask_then_graphql_says_it(on_github, github):
    github.host.may_ask_user = False
    assert "guard[bot]" == on_github.me()


def test_me_when_nobody_says_it_then_it_is_an_error_that_helps(on_github, github):
    github.host.may_ask_user = False
    github.host.faults = [Fault(status=403, only="POST /graphql", data={"message": "no"})]
    with pytest.raises(ForgeError, match="GITOPS_GUARD_FORGE_USER"):
        on_github.me()


def test_pull_when_the_fork_is_gone_then_it_is_a_fork(on_github, github):
    github.host.pulls[7]["fork_gone"] = True
    assert on_github.pull(7).is_fork


def test_writes_when_there_are_many_then_they_are_a_second_apart(on_github, waits):
    for _ in range(4):
        on_github.set_status(HEAD, Status(state=State.SUCCESS, context="guard", description="d"))
    assert [1.0, 1.0, 1.0] == waits.slept


@pytest.mark.parametrize(
    ("fault", "slept"),
    [
        pytest.param(Fault(status=429, headers={"Retry-After": "17"}), 17.0, id="retry-after"),
        pytest.param(
            Fault(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000042"}),
            42.0,
            id="primary",
        ),
        pytest.param(
            Fault(status=403, data={"message": "You have exceeded a secondary rate limit"}), 60.0, id="secondary"
        ),
        pytest.param(
            Fault(status=403, headers={"Retry-After": "30"}, data={"message": "secondary rate limit"}),
            30.0,
            id="secondary with time",
        ),
        pytest.param(Fault(status=502), 1.0, id="bad gateway"),
        pytest.param(Fault(status=0), 1.0, id="cut"),
    ],
)
def test_call_when_the_host_wants_us_to_wait_then_we_do_and_it_succeeds(on_github, github, waits, fault, slept):
    github.host.faults = [fault]
    assert HEAD == on_github.pull(7).head
    assert [slept] == waits.slept


def test_call_when_the_limit_is_used_up_for_long_then_we_say_so(on_github, github):
    github.host.faults = [Fault(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1003600"})]
    with pytest.raises(ForgeError, match="wait for 3600 s"):
        on_github.pull(7)


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_call_when_it_is_refused_then_it_is_not_repeated(on_github, github, waits, status):
    github.host.faults = [Fault(status=status, data={"message": "secret text of the answer"})]
    with pytest.raises(ForgeError) as refused:
        on_github.pull(7)
    assert (status, []) == (refused.value.status, waits.slept)
    assert "secret text" not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_call_when_the_host_stays_down_then_we_give_up(on_github, github, waits):
    github.host.faults = [Fault(status=503)] * 9
    with pytest.raises(ForgeError, match="answered 503, 5 times"):
        on_github.pull(7)
    assert [1.0, 2.0, 4.0, 8.0] == waits.slept


def test_call_when_it_leads_elsewhere_then_the_token_stays_here(on_github, github):
    github.host.faults = [Fault(status=302, headers={"Location": "http://evil.example/"})]
    with pytest.raises(ForgeError, match="another place"):
        on_github.pull(7)


def test_call_when_the_repository_has_a_new_name_then_it_is_followed_there(on_github, github):
    github.host.faults = [Fault(status=301, headers={"Location": "/repos/acme/shop/pulls/7"})]
    assert HEAD == on_github.pull(7).head


@pytest.mark.parametrize("is_done", [False, True])
def test_comment_when_the_answer_is_lost_then_there_is_one_in_the_end(on_github, github, is_done):
    from gitops_guard.forge.sticky import Sticky, Text, Written

    github.host.faults = [Fault(status=502, only="POST .*comments", is_done=is_done)]
    sticky = Sticky(on_github, 7, key="k", head=HEAD, generation=1, settle=lambda: None)
    assert Written.CREATED is sticky.write([Text(body="b", digest="0" * 32)])
    assert 1 == len(github.host.comments[7])


def test_address_when_it_is_none_then_it_is_refused():
    from gitops_guard.forge.github import GitHub

    for api in ("file:///etc", "ftp://x", "https://", "https://x/?a=b", "javascript:x"):
        with pytest.raises(ForgeError):
            GitHub("a/b", "t", api=api)


def test_app_when_it_signs_in_then_its_token_is_that_of_the_installation(github, waits):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    seen = []
    answer = github.handle
    github.handle = lambda request: (seen.append(request.headers["Authorization"]), answer(request))[1]
    found = installation_token(
        "acme/shop", client_id="Iv1.x", private_key=pem.decode(), api=github.address, clock=waits.clock()
    )
    assert (TOKEN, "guard[bot]") == found
    head, claims, signature = seen[0].removeprefix("Bearer ").split(".")
    key.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert said["iss"] == "Iv1.x"
    assert said["exp"] - said["iat"] <= 600


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_app_when_the_key_is_none_then_it_is_an_error_without_it(key):
    with pytest.raises(ForgeError, match="private key"):
        installation_token("a/b", client_id="x", private_key=key, api="http://127.0.0.1:9")
