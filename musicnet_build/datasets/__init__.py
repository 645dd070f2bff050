"""From a manifest to datasets that others can load."""
