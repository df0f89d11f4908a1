"""An almost empty CDK app: what a synth costs before anything of ours."""

from aws_cdk import App, CfnWaitConditionHandle, Stack

app = App()
# The CDK refuses a stack without any resource; this one does nothing.
CfnWaitConditionHandle(Stack(app, "empty"), "Nothing")
app.synth()
