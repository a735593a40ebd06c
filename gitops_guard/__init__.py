"""gitops-guard: one engine that checks, previews and syncs the desired state of Kubernetes clusters kept in Git.

Importing the package imports nothing else: the hook's hot path counts milliseconds.
"""

__version__ = "0.1.0"
