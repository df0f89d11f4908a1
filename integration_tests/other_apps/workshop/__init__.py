"""An app in the shape of a workshop: a project that builds from CodeCommit, and a pipeline for it.

https://github.com/aws-containers/ecs-workshop-blue-green-deployments
"""
