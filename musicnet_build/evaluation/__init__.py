"""Measuring what was predicted against what is true."""
