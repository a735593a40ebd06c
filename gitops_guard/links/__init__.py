"""What Kubernetes objects say about one another: names, selectors and ports, and who answers to them.

Knows objects and no trees: whoever has objects that are deployed together (a directory, a rendered chart, the two sides
of a change) asks here what they refer to.
"""
