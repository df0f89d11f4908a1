"""The image keeper: its construct, and the code of its function."""
