"""The copy of an image to the environment that it is promoted to."""
