"""Builds, opens and serves the whole application; holds no behaviour of its own."""
