"""The two stacks: `ShopImage` has the repositories and the project, `ShopPipeline` all the rest.

The second one takes the outputs of the first from the environment, as a script of the workshop does.
"""

import os

import aws_cdk as cdk

from integration_tests.other_apps.workshop.image import OUTPUTS, ImageStack
from integration_tests.other_apps.workshop.pipeline import PipelineStack

app = cdk.App()
if os.environ.get("SHOP_STACK") == "pipeline":
    PipelineStack(app, "ShopPipeline", made={name: os.environ[f"SHOP_{name.upper()}"] for name in OUTPUTS})
else:
    ImageStack(app, "ShopImage")
app.synth()
