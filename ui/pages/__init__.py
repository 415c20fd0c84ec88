"""One module for each page, and the routes that register them; pages decide nothing about jobs."""
