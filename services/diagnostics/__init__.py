"""Doctor and drill, and their runs for the check-up page; never touch an install's own data."""
