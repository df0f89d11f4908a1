"""The test-traffic hook: the Lambda function that checks a new version before users reach it."""
