"""The model: definitions as the standard writes them, compiled for the device that serves them."""
