"""Tests of the rehearsal's parts; the rehearsal itself is in integration_tests/rehearsal."""
