"""The audit page and the server behind it."""
