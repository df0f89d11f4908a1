"""An almost empty CDK app, whose synthesis time is the baseline."""

from aws_cdk import App, CfnWaitConditionHandle, Stack

app = App()
# The CDK rejects a stack without resources; this one has no effect.
CfnWaitConditionHandle(Stack(app, "empty"), "Nothing")
app.synth()
