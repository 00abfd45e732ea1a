"""What is decided the same way whoever asks: who may see what, which names are free; looks down on `ports`."""
