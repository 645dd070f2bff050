"""Datasets of many recordings: manifest, building, checking, statistics."""
