"""Parts of pages; they register no route."""
