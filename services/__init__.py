"""Everything that works without an open browser; imports go downwards only."""
