"""The scenarios, which run on local_aws or, with --live, on AWS."""
