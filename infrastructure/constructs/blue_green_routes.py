"""The target groups and listeners of a blue/green deployment, handed over as one value."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_elasticloadbalancingv2 as elbv2


@dataclass(frozen=True)
class BlueGreenRoutes:
    """Two target groups, and the two listeners that CodeDeploy points to them."""

    blue: elbv2.ApplicationTargetGroup
    green: elbv2.ApplicationTargetGroup
    production_listener: elbv2.ApplicationListener
    test_listener: elbv2.ApplicationListener

    @property
    def target_groups(self) -> dict[str, elbv2.ApplicationTargetGroup]:
        """The target groups by colour."""
        return {"blue": self.blue, "green": self.green}

    @property
    def load_balancer(self) -> elbv2.IApplicationLoadBalancer:
        """The load balancer of both listeners."""
        return self.production_listener.load_balancer
