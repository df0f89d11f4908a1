"""The retry of a stage Build that failed before the commit had a part in it: construct and function."""
