"""Pictures of alignments, their errors, and datasets."""
