"""Every context key of the app, with its default, its check and its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from infrastructure.config import account_options, image_scan_options, network_options, release_times
from infrastructure.config.account_options import flag, several
from infrastructure.config.catalogue import (
    EXAMPLE,
    SAMPLE,
    SERVICES,
    Service,
    read_services,
    reject_shadowing,
    service_of,
)
from infrastructure.config.context_key import (
    CDK_JSON,
    Rule,
    camel,
    context_key,
    number,
    one_of,
    read_values,
    reject_misspelled_keys,
    text,
)
from infrastructure.config.environments import (
    ENVIRONMENTS,
    SUFFIX_WORDS,
    environment_of,
    read_any_suffix,
    read_environments,
)
from infrastructure.config.notification_channel import ADDRESS, CHANNELS, EMAIL, check_channel
from infrastructure.config.optional_settings import chosen_defaults, given_settings, read_names
from infrastructure.config.service_settings import (
    named_sources,
    sized_promotions,
    task_settings,
)
from infrastructure.config.task_size import FARGATE_MEMORY, check_task_size, read_cpu
from infrastructure.naming import REGION, Names

# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html#deployment-configurations-predefined-ecs
DEPLOYMENT_CONFIGS = (
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSCanary10Percent15Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one environment. The field `environment_suffix` is the context key `environmentSuffix`.

    A field without a default is required in every environment of cdk.json.
    """

    environment_suffix: str = context_key(SUFFIX_WORDS, "dev", read_any_suffix)
    account: str | None = context_key(
        "the 12 digits of an AWS account id (leave it out to deploy to the account of the credentials)",
        "123456789012",
        text(account_options.ACCOUNT, 12),
        default=None,
    )
    notification_email: str | None = context_key(
        "one e-mail address, which must confirm the subscription (example.com reaches nobody)",
        "team@example.com",
        text(ADDRESS, 254),
        default=None,
    )
    notification_channel: str = context_key(
        "email, or other: no e-mail subscription, because failures are received in another way",
        "other",
        one_of(CHANNELS),
        default=EMAIL,
    )
    certificate_arn: str | None = context_key(
        f"the ARN of an ACM certificate in {REGION}, for HTTPS (leave it out for HTTP)",
        f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        text(account_options.CERTIFICATE, 128),
        default=None,
    )
    allow_http: bool = context_key(
        "true or false: whether the service may be public over HTTP, without a certificate",
        "true",
        flag,
        default=False,
    )
    test_traffic_cidr: str | None = context_key(
        "an IPv4 network of /8 or smaller without host bits, which may call the test listener "
        "(leave it out to admit only the test-traffic hook)",
        "203.0.113.0/24",
        network_options.test_traffic_cidr,
        default=None,
    )
    deployment_config: str = context_key(
        f"how CodeDeploy shifts the traffic, one of {', '.join(DEPLOYMENT_CONFIGS)}",
        DEPLOYMENT_CONFIGS[1],
        one_of(DEPLOYMENT_CONFIGS),
    )
    deployment_window: release_times.DeploymentWindow | None = release_times.window_key()  # noqa: RUF009 - a field
    freeze: str | None = release_times.freeze_key()
    image_scan_threshold: str = image_scan_options.threshold_key()
    image_scan_exceptions: tuple[image_scan_options.ScanException, ...] = image_scan_options.exceptions_key()
    desired_count: int = context_key("a number of tasks from 1 to 100", "2", number(1, 100))
    task_cpu: int = context_key(
        f"CPU units that Fargate offers: {', '.join(map(str, FARGATE_MEMORY))}", "256", read_cpu
    )
    task_memory: int = context_key(
        "a number of MiB from 512 to 30720 that Fargate offers with the task's CPU", "512", number(512, 30720)
    )
    termination_wait_minutes: int = context_key(
        "a number of minutes from 1 to 2880 (two days), for which the old tasks run after the shift",
        "5",
        number(1, 2880),
    )
    nat_gateways: int = context_key(
        "1 or 2: tasks in private subnets pull their images through them", "1", number(1, 2)
    )
    vpc_cidr: str = context_key(
        network_options.VPC_CIDR_WORDS, "10.1.0.0/16", network_options.vpc_cidr, default="10.0.0.0/16"
    )
    existing_vpc: network_options.ExistingVpc | None = context_key(  # noqa: RUF009 - it makes a field
        network_options.EXISTING_VPC_WORDS,
        network_options.EXISTING_VPC,
        network_options.existing_vpc,
        default=None,
    )
    flow_logs: bool = context_key(
        "true or false: log the traffic of the new VPC's network interfaces", "true", flag, default=False
    )
    access_logs: bool = context_key(
        "true or false: keep the load balancer's access logs in a bucket", "true", flag, default=False
    )
    termination_protection: bool = context_key(
        "true or false: CloudFormation refuses to delete the stack; operations destroy asks for its name",
        "true",
        flag,
        default=False,
    )
    promoted_from: tuple[account_options.PeerEnvironment, ...] = context_key(
        f"1 to {account_options.MOST_SOURCES} different environments, each with its account, whose pipelines "
        'may release here: SUFFIX@ACCOUNT, comma-separated, or a list of {"environment": SUFFIX, "account": '
        "ACCOUNT} (leave it out for none)",
        "qa@111111111111,test@222222222222",
        account_options.sources,
        default=(),
    )
    approvers: tuple[str, ...] = context_key(
        f"1 to {account_options.MOST_SOURCES} different ARNs of IAM roles or users without wildcards, as a "
        "list or comma-separated, who approve what the pipelines of promotedFrom release here "
        "(leave it out for whoever may approve in the pipeline's account)",
        "arn:aws:iam::222222222222:role/release-managers",
        several(account_options.PRINCIPAL, account_options.MOST_SOURCES),
        default=(),
    )
    required_approvals: int = context_key(
        "a number of people from 0 to 5 who approve a pull request before main takes it, once "
        "`operations protect` has run (0: who may push to main releases)",
        "1",
        number(0, 5),
        default=0,
    )
    promote_to: tuple[account_options.Promotion, ...] = context_key(
        f"1 to {account_options.MOST_PROMOTIONS} different environments in their order, each with its "
        'account: SUFFIX@ACCOUNT, comma-separated, or a list of {"environment": SUFFIX, "account": ACCOUNT} '
        "(leave it out to release here only)",
        "staging@222222222222,prod@333333333333",
        account_options.promotions,
        default=(),
    )
    github_repository: str | None = context_key(
        "a GitHub repository as OWNER/NAME (leave it out to trust none)",
        "acme/greeter",
        text(account_options.REPOSITORY, 140),
        default=None,
    )
    github_owner_id: str | None = context_key(
        "the number of the repository's owner, as `gh api repos/OWNER/NAME --jq .owner.id` prints it",
        "1234567",
        account_options.github_id,
        default=None,
    )
    github_repository_id: str | None = context_key(
        "the number of the repository, as `gh api repos/OWNER/NAME --jq .id` prints it",
        "7654321",
        account_options.github_id,
        default=None,
    )
    github_branches: tuple[str, ...] = context_key(
        "1 to 10 different branches without wildcards, as a list or comma-separated, whose jobs may "
        "deploy (leave it out for main, or for none where githubEnvironments are given)",
        "main",
        several(account_options.BRANCH_NAME, 10),
        default=(),
    )
    github_environments: tuple[str, ...] = context_key(
        "1 to 10 different GitHub environments without wildcards, as a list or comma-separated, whose "
        "jobs may deploy (leave it out for none)",
        "staging",
        several(account_options.GITHUB_ENVIRONMENT, 10),
        default=(),
    )
    create_github_oidc_provider: bool = context_key(
        "true or false: an account has one OIDC provider for GitHub, so one environment may create it",
        "true",
        flag,
        default=False,
    )
    drop_settings: tuple[str, ...] = context_key(
        "names of optional settings, as a list or comma-separated, that the environment has and that this "
        "deployment may drop (leave it out for none)",
        "notificationEmail",
        lambda value: read_names(value, Config),
        default=(),
    )

    # No context keys: the service whose name the suffix begins with, and whether another service shares the
    # network.
    service: Service = SAMPLE
    publishes_network: bool = False

    @property
    def names(self) -> Names:
        """The names of the resources."""
        return Names(self.environment_suffix, self.service.name)

    @property
    def network_owner(self) -> Names | None:
        """The names of the environment whose network this one shares, if any.

        With an existing VPC there is none: each service of the environment uses that VPC itself.
        """
        if not self.service.shares_network or self.existing_vpc is not None:
            return None
        return Names(self.environment_suffix.removeprefix(f"{self.service.name}-"))

    @property
    def optional_settings(self) -> dict[str, str]:
        """The optional settings that are given, and for a service its name in the catalogue, as text."""
        return given_settings(self) | ({} if self.service.is_sample else {SERVICES: self.service.name})

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Config:
        """Read the CDK context. A value is the key's own, else the environment's, else the default.

        Raises ConfigError for the first value that is not valid, and for a misspelled key.
        """
        rules = cls.rules()
        examples = {key: rule.example for key, rule in rules.items()}
        reject_misspelled_keys(examples | {SERVICES: EXAMPLE}, context)
        given = read_values(rules, context, required=("environmentSuffix",))
        services = read_services(context.get(SERVICES))
        service, environment = service_of(given["environmentSuffix"], services)
        environments = cls._environments(context.get(ENVIRONMENTS))
        reject_shadowing(services, environments, given["environmentSuffix"])
        values = environment_of(environment, environments) | task_settings(service) | given
        check_task_size(values)
        check_channel(values)
        if "promoteTo" in values:
            values["promoteTo"] = sized_promotions(values, environments, service)
        if "promotedFrom" in values:
            values["promotedFrom"] = named_sources(values, service)
        values["dropSettings"] = (*values.get("dropSettings", ()), *chosen_defaults(cls, values))
        shared = any(one.shares_network for one in services.values())
        return cls(
            service=service,
            publishes_network=service.is_sample and shared and "existingVpc" not in values,
            **{entry.name: values[key] for entry in fields(cls) if (key := camel(entry.name)) in values},
        )

    @classmethod
    def _environments(cls, given: object) -> dict[str, dict[str, Any]]:
        rules = {key: rule for key, rule in cls.rules().items() if key != "environmentSuffix"}
        environments = read_environments(given, rules, required=cls.required_keys())
        for name, values in environments.items():
            check_task_size(values, path=f"{ENVIRONMENTS}.{name}.", place=CDK_JSON)
            check_channel(values, path=f"{ENVIRONMENTS}.{name}.", place=CDK_JSON)
        return environments

    @classmethod
    def rules(cls) -> dict[str, Rule]:
        """Return the rule of each context key."""
        return {camel(entry.name): entry.metadata["rule"] for entry in fields(cls) if entry.metadata}

    @classmethod
    def required_keys(cls) -> tuple[str, ...]:
        """Return the keys that every environment of cdk.json must have."""
        names = [entry.name for entry in fields(cls) if entry.default is MISSING]
        return tuple(camel(name) for name in names if name != "environment_suffix")
