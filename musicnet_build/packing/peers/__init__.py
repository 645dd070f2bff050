"""Packing datasets as folders and files in the layouts that other projects read."""
