"""What people run around `cdk`: the same on AWS and on local_aws, and everything found by the suffix."""
