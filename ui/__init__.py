"""NiceGUI pages; no service imports them."""
