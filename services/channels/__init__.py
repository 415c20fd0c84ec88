"""Push, polling and the race between them; knows no wire format and no database."""
