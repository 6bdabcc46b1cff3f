"""Pages, one module a step of the path."""
