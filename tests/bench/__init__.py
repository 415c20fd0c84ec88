"""`make bench`: figures, not tests. What each one means stands at the head of its file."""
