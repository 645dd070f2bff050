"""Transcriptions against the truth: frames, notes, and what scores are worth."""
