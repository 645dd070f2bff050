"""Packages for training: writing and reading them."""
