def test_explain_when_a_policy_comes_along_then_its_page_is_printed_though_it_is_not_switched_on(repo):
    outcome = repo().call(["explain", "privileged-container"])
    outcome.assert_code(0)
    assert outcome.out.startswith("# privileged-container\n")
    assert "## When to suppress" in outcome.out
