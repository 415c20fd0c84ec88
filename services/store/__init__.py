"""The database: every change is a compare-and-set, and rows never leave this package."""
