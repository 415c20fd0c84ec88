"""Values, errors, settings and events that all packages share; no I/O."""
