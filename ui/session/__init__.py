"""State of one person or one open page: drafts, queries, subscriptions. It never draws."""
