"""HTTP to backends and result hosts: connections, limits, guards; it never interprets a response."""
