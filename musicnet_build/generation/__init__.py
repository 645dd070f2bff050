"""Music made of nothing: the demo, piano corpora, and guitar and trumpet sets."""
