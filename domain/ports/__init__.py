"""What the domain asks of the world: the read tables, the log, engines, models and places; looks down on `events`."""
