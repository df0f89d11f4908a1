"""ECR: what its registry does beyond what MiniStack keeps."""
