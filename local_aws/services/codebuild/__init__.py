"""CodeBuild: a buildspec's phases, truly run."""
