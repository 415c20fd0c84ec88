"""The embedded demo backend, a separate program: imports nothing of ours, is reached over its protocol."""
