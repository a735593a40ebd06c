"""What is told of a pull request: the plan as JSON, the comment, the page, and what forges show beside them.

Everything here is made from `model.PullPlan` and a `Judgement` of it, and from nothing else.
"""
