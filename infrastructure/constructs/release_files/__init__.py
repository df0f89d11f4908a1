"""What the Deploy stage reads: the platform's files, with what a commit may decide."""
