"""Packing the frames of a timbre set as pictures, and reading them."""
