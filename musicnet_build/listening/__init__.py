"""Hearing and seeing whether labels are right: overlays, the audit page, verdicts."""
