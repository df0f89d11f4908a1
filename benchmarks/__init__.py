"""Measurements of time and memory on this machine. They print figures and check nothing."""
