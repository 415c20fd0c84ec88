"""`make bench`: figures, not tests. Each module's docstring explains its figures."""
