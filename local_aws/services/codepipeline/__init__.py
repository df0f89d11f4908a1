"""CodePipeline: executions, stages and actions, each action as its own role."""
