"""The database: every change is a compare-and-set. Rows never leave this room."""
