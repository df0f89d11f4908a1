"""Mutations of the templates of the app: each is refused as AWS or cfn-lint refuses it, or explained."""
