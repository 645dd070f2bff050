"""What the job of one recording is told, the files that it reads, and what it needs."""
