"""The settings of an environment: context keys, their checks and their errors. Standard library only."""
