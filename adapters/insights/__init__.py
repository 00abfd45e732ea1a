"""What a language model is told of a photo, what it may look up, and the turns in which it answers."""
