"""HTTP to backends and result hosts: connections, limits, guards; it never judges what an answer means."""
