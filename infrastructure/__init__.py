"""What AWS gets: the CDK app's stacks, and what is checked before a template leaves this machine."""
