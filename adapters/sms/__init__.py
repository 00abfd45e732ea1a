"""The conversations that a service of the user's own answers."""
