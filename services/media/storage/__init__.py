"""Where kept files live: today a folder on disk."""
