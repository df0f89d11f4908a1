"""The commands to run around `cdk`, on AWS and on local_aws. They find every resource by the suffix."""
