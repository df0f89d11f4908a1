"""The drift check: its construct, and the code of its function."""
