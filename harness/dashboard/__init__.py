"""The dashboard: a live page of one environment, read with the caller's credentials; it changes nothing."""
