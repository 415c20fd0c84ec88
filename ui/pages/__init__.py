"""One module for each page, and the frame around them. Pages hold no business rules."""
