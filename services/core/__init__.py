"""Values, errors, settings and events that every room speaks in; performs no I/O."""
