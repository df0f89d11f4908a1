"""Tests of the parts of `make engines`; the play itself is in integration_tests/engines."""
