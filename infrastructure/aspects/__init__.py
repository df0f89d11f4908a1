"""The rules for every resource, checked when the app is synthesized."""
