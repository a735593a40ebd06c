"""The check stage: judge resources, silence what is excused, remember verdicts."""
