"""Photos found by meaning: their texts embedded in the background, kept beside the log, compared in memory."""
