"""Reads synthesized templates and the changelog, and writes pages from them."""
