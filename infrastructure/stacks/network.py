"""The network stack: a VPC over two zones, security groups, and the load balancer with its routes."""

from __future__ import annotations

from aws_cdk import Annotations, Duration, Fn, NestedStack, RemovalPolicy, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.access_logs import AccessLogs
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.shared_network import import_existing, import_network, publish_network
from infrastructure.constructs.vpc import create_vpc, nat_addresses
from infrastructure.naming import HTTPS_PORT, PRODUCTION_PORT, TEST_PORT
from infrastructure.warnings import HTTP_WITHOUT_TLS


class NetworkStack(NestedStack):
    """Everything between a client and a task."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        self._names = names = config.names
        self._service = config.service
        self.vpc, self._nat_networks = self._network(config)
        self.load_balancer_group = self._load_balancer_group(config)
        self.service_group = self._service_group()
        self.traffic_hook_group = self._traffic_hook_group()
        Tags.of(self.load_balancer_group).add("Name", names.qualified("load-balancer-group"))
        Tags.of(self.service_group).add("Name", names.qualified("service-group"))
        Tags.of(self.traffic_hook_group).add("Name", names.qualified("test-traffic-hook-group"))
        self.load_balancer = self._load_balancer(config)
        self._blue = self._target_group("Blue", names.blue_target_group)
        self._green = self._target_group("Green", names.green_target_group)
        self.routes = BlueGreenRoutes(
            blue=self._blue,
            green=self._green,
            production_listener=self._production_listener(config),
            test_listener=self._listener("Test", TEST_PORT, self._green),
        )

    @property
    def availability_zones(self) -> list[str]:
        """The account's first two zones, resolved at deploy time, so synth needs no credentials."""
        return [Fn.select(index, Fn.get_azs()) for index in (0, 1)]

    def _network(self, config: Config) -> tuple[ec2.IVpc, list[str]]:
        """Return the VPC, created here or not, and the networks that its NAT gateways' addresses are in."""
        zones = self.availability_zones
        if config.existing_vpc is not None:
            return import_existing(self, config.existing_vpc, zones=zones), [
                *config.existing_vpc.nat_addresses
            ]
        if config.network_owner is not None:
            vpc, addresses = import_network(
                self, names=config.network_owner, zones=zones, nat_addresses=config.nat_gateways
            )
        else:
            vpc = create_vpc(self, config=config)
            addresses = nat_addresses(vpc)
            if config.publishes_network:
                publish_network(self, names=config.names, vpc=vpc, nat_addresses=addresses)
        return vpc, [Fn.join("", [address, "/32"]) for address in addresses]

    def _load_balancer(self, config: Config) -> elbv2.ApplicationLoadBalancer:
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            load_balancer_name=config.names.load_balancer,
            vpc=self.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            security_group=self.load_balancer_group,
            internet_facing=True,
            # gunicorn keeps its connections for 75 s, longer than this (pitfall N1).
            idle_timeout=Duration.seconds(60),
            drop_invalid_header_fields=True,
            deletion_protection=False,
        )
        if config.access_logs:
            AccessLogs(self, "AccessLogs", names=config.names).record(load_balancer)
        else:
            # Explicit: what is only left out of a template stays on.
            load_balancer.set_attribute("access_logs.s3.enabled", "false")
        return load_balancer

    def _load_balancer_group(self, config: Config) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "LoadBalancerGroup",
            vpc=self.vpc,
            description="The load balancer: the world on the production listener",
            allow_all_outbound=False,
        )
        world = ec2.Peer.any_ipv4()
        group.add_ingress_rule(world, ec2.Port.tcp(PRODUCTION_PORT), "Production traffic")
        if config.certificate_arn:
            group.add_ingress_rule(world, ec2.Port.tcp(HTTPS_PORT), "Production traffic over HTTPS")
        if config.test_traffic_cidr:
            peer = ec2.Peer.ipv4(config.test_traffic_cidr)
            group.add_ingress_rule(peer, ec2.Port.tcp(TEST_PORT), "Unreleased versions, for testers only")
        for network in self._nat_networks:
            # Inside the VPC too, the load balancer's name resolves to its public addresses, so the hook's
            # requests leave through a NAT gateway and arrive from its address.
            group.add_ingress_rule(ec2.Peer.ipv4(network), ec2.Port.tcp(TEST_PORT), "The test-traffic hook")
        return group

    def _traffic_hook_group(self) -> ec2.SecurityGroup:
        """The hook receives no traffic; it calls the test listener and the APIs of AWS."""
        group = ec2.SecurityGroup(
            self,
            "TrafficHookGroup",
            vpc=self.vpc,
            description="The test-traffic hook: out to the test listener and to AWS",
            allow_all_outbound=False,
        )
        world = ec2.Peer.any_ipv4()
        group.add_egress_rule(world, ec2.Port.tcp(TEST_PORT), "The test listener, at its public addresses")
        group.add_egress_rule(world, ec2.Port.tcp(443), "The APIs of AWS")
        return group

    def _service_group(self) -> ec2.SecurityGroup:
        """Create the tasks' group in this stack: a rule across stacks would make a cycle (pitfall J3)."""
        group = ec2.SecurityGroup(
            self,
            "ServiceGroup",
            vpc=self.vpc,
            description="The tasks: only the load balancer may call them",
            allow_all_outbound=True,
        )
        group.connections.allow_from(
            self.load_balancer_group, ec2.Port.tcp(self._service.port), "Requests and health checks"
        )
        return group

    def _target_group(self, id_: str, name: str) -> elbv2.ApplicationTargetGroup:
        """Create a target group; most changes here would replace it, which ECS cannot follow (pitfall C6)."""
        return elbv2.ApplicationTargetGroup(
            self,
            id_,
            target_group_name=name,
            vpc=self.vpc,
            target_type=elbv2.TargetType.IP,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=self._service.port,
            deregistration_delay=Duration.seconds(30),
            health_check=elbv2.HealthCheck(
                path=self._service.health_path,
                healthy_http_codes="200",
                interval=Duration.seconds(5),
                timeout=Duration.seconds(4),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )

    def _production_listener(self, config: Config) -> elbv2.ApplicationListener:
        """Create the listener, for HTTPS with a certificate; a later change would edit it (pitfall C5)."""
        if config.certificate_arn is None:
            listener = self._listener("Production", PRODUCTION_PORT, self._blue)
            if not config.allow_http:
                Annotations.of(listener).add_warning_v2(
                    HTTP_WITHOUT_TLS,
                    "The production listener serves HTTP without TLS: set certificateArn for the first "
                    'deploy, or "allowHttp": true if that is intended',
                )
            return listener
        listener = self._listener("Production", HTTPS_PORT, self._blue, certificate=config.certificate_arn)
        redirect = self.load_balancer.add_listener(
            "Redirect",
            port=PRODUCTION_PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.redirect(
                protocol="HTTPS", port=str(HTTPS_PORT), permanent=True
            ),
        )
        Tags.of(redirect).add("Name", self._names.qualified("redirect-listener"))
        # A port has one listener: when a certificate is added, Production leaves port 80 first.
        redirect.node.add_dependency(listener)
        return listener

    def _listener(
        self,
        id_: str,
        port: int,
        target_group: elbv2.ApplicationTargetGroup,
        *,
        certificate: str | None = None,
    ) -> elbv2.ApplicationListener:
        """Create a listener; CodeDeploy owns its default action after the first release (pitfall C5)."""
        secure = certificate is not None
        listener = self.load_balancer.add_listener(
            id_,
            port=port,
            protocol=elbv2.ApplicationProtocol.HTTPS if secure else elbv2.ApplicationProtocol.HTTP,
            certificates=[elbv2.ListenerCertificate.from_arn(certificate)] if certificate else None,
            # Explicit: AWS's default still accepts TLS 1.0, and the CDK's may change (pitfall C5).
            ssl_policy=elbv2.SslPolicy.TLS13_12_RES_PQ if secure else None,
            open=False,  # The security group decides who may connect.
            default_target_groups=[target_group],
        )
        Tags.of(listener).add("Name", self._names.qualified(f"{id_.lower()}-listener"))
        # After a release both listeners refer to both groups: delete both before either group (pitfall I1).
        listener.node.add_dependency(self._blue, self._green)
        return listener
