"""Provokes the pitfalls of AWS: a small wrong change to the synthesized templates gets AWS's own error."""
