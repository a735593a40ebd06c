"""Trees of a Git repository: commit, index, work tree, memory; the only user of pygit2."""
