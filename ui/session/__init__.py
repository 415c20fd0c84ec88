"""The state of one open page: its person, subscriptions, drafts and rules; draws nothing."""
