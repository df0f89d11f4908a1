"""CodePipeline: executions that run through stages; each action assumes its own role."""
