"""Recordings and labels as published corpora lay them out, and their splits."""
