"""The services of our own, one package each."""
