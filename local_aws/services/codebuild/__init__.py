"""CodeBuild: builds that run the commands of their buildspec."""
