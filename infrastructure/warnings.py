"""The ids of the warnings of the synthesis, by which the CDK lets one acknowledge them."""

from __future__ import annotations

PLACEHOLDER_EMAIL = "python-service-pipeline:placeholderEmail"
HTTP_WITHOUT_TLS = "python-service-pipeline:httpWithoutTls"
