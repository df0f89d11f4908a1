"""What the service says: change this line, commit, push, and watch it arrive."""

GREETING = "Hello from the pipeline"
