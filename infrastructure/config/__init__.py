"""The settings of an environment: context keys, their checks and their errors; the standard library only."""
