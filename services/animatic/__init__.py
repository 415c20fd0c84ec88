"""The embedded demo backend, a separate program; imports nothing of Rushes and is reached over its protocol."""
