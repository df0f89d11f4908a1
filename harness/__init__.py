"""Drives an environment with git, the CDK CLI and boto3, the same on local_aws and on AWS."""
