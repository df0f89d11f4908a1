"""The CDK app: settings, stacks, constructs, and the rules that every resource complies with."""
