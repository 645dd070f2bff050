"""Many independent jobs, on one machine or a cluster."""
