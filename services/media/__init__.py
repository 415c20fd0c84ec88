"""Downloads, verifies, stores and serves files; knows no database row and no job."""
