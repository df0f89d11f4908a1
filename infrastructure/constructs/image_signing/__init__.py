"""The program with which Build signs an image."""
