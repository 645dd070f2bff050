"""A witness from outside: what a transcriber heard, believed as far as it agrees with what the recording is sure of."""
