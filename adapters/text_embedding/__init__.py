"""The text embedder that runs on this machine, in worker processes."""
