"""Samples to features: spectra, and onset activations of each pitch."""
