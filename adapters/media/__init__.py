"""Photos as bytes: what a file is, when it was taken, and the pictures that are made of it."""
