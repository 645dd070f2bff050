"""Samples to features: spectra, and evidence for the onset of each pitch."""
