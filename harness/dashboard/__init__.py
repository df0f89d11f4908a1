"""The dashboard: a table of the environments, and a live page of each.

It reads with the caller's credentials, and changes nothing.
"""
