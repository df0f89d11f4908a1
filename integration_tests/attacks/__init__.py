"""Attacks on the pipeline and on local_aws, each of which must be stopped: docs/attacks.md lists them."""
