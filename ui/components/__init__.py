"""Parts that pages are built from. A component never knows which page it is on."""
