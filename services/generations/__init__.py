"""One generation's life, from the committed intent to the delivered bytes; knows no page and no route."""
