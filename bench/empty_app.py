"""An empty CDK app: what a synth costs before anything of ours."""

from aws_cdk import App, Stack

app = App()
Stack(app, "empty")
app.synth()
