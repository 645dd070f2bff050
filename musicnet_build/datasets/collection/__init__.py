"""One onset network for all recordings of an instrumentation, learnt from what a build is sure of."""
