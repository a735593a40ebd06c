"""Text to resources, read as kubectl reads YAML, with a place for every value."""
