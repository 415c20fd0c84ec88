"""Renders a prompt as a drawn film or picture. A `Stage` is a scene being composed, nothing of the pages."""
