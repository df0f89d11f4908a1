"""What must hold of every resource, checked when the app is synthesized."""
