"""The scenarios, played on local_aws or, with --live, on AWS."""
