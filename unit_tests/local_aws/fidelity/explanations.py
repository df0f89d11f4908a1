"""Why some codes that operations declare cannot be reached here: one reason for codes of a kind."""

from dataclasses import dataclass

EVERY = ("*",)


@dataclass(frozen=True)
class Explanation:
    """The reason why `codes` of a service cannot be reached by its `operations`."""

    service: str
    reason: str
    codes: tuple[str, ...]
    operations: tuple[str, ...] = EVERY

    def covers(self, operation: str, code: str) -> bool:
        """Return whether this is the reason for a code of an operation."""
        return code in self.codes and (self.operations == EVERY or operation in self.operations)


_NO_KEYS = "local_aws encrypts nothing, so that no key can be missing, disabled or denied."
_INTERNAL = "It is an internal failure of AWS, with status 500: no request is the reason for it."
_THROTTLED = "AWS throttles calls: local_aws answers each one."
_QUOTA = "It needs more resources than a test can create: a quota of the account or of a resource."
_RACE = "It needs two calls at the same moment."
_OTHER_PLATFORM = "It is about EC2 instances, on-premises instances or Lambda: local_aws deploys to ECS only."
_NO_RULE = "AWS's pages name no value that gets it, or no limit."
_NOT_HERE = "It is about a feature that local_aws refuses by name, or does not have."
_TWIN = "AWS declares two codes for what is invalid, and its pages name no case of this one."
_ORGANIZATION = "It needs a policy of AWS Organizations."

EXPLANATIONS = (
    Explanation(
        "codecommit",
        _NO_KEYS,
        (
            "EncryptionIntegrityChecksFailedException",
            "EncryptionKeyAccessDeniedException",
            "EncryptionKeyDisabledException",
            "EncryptionKeyNotFoundException",
            "EncryptionKeyUnavailableException",
            "EncryptionKeyInvalidUsageException",
        ),
    ),
    Explanation(
        "codecommit",
        _QUOTA,
        (
            "FileTooLargeException",
            "FolderContentSizeLimitExceededException",
            "MaximumNumberOfApprovalsExceededException",
            "MaximumOpenPullRequestsExceededException",
            "MaximumRuleTemplatesAssociatedWithRepositoryException",
            "NumberOfRuleTemplatesExceededException",
            "RepositoryLimitExceededException",
        ),
    ),
    Explanation("codecommit", _RACE, ("ConcurrentReferenceUpdateException",)),
    Explanation("codecommit", _ORGANIZATION, ("TagPolicyException", "OperationNotAllowedException")),
    Explanation(
        "codecommit",
        _NO_RULE,
        (
            "InvalidClientRequestTokenException",
            "InvalidDeletionParameterException",
            "InvalidTargetException",
            "InvalidTargetsException",
            "NameLengthExceededException",
            "PutFileEntryConflictException",
            "TargetRequiredException",
        ),
    ),
    Explanation("codecommit", _TWIN, ("InvalidCommitIdException",), ("GetDifferences",)),
    Explanation("codecommit", "Clients always send a token.", ("ClientRequestTokenRequiredException",)),
    Explanation("codecommit", _NOT_HERE, ("FilePathConflictsWithSubmodulePathException",)),
    Explanation("codepipeline", _RACE, ("ConcurrentModificationException", "ConflictException")),
    Explanation(
        "codepipeline",
        _QUOTA,
        ("ConcurrentPipelineExecutionsLimitExceededException", "LimitExceededException"),
    ),
    Explanation(
        "codepipeline",
        "Blockers are reserved for future use, says their documentation.",
        ("InvalidBlockerDeclarationException",),
    ),
    Explanation("codebuild", _QUOTA, ("AccountLimitExceededException",)),
    Explanation("codedeploy", _THROTTLED, ("ThrottlingException",)),
    Explanation(
        "codedeploy",
        _QUOTA,
        (
            "ApplicationLimitExceededException",
            "DeploymentConfigLimitExceededException",
            "DeploymentGroupLimitExceededException",
        ),
    ),
    Explanation(
        "codedeploy",
        _OTHER_PLATFORM,
        (
            "InstanceDoesNotExistException",
            "InvalidAutoScalingGroupException",
            "InvalidDeploymentInstanceTypeException",
            "InvalidEC2TagCombinationException",
            "InvalidGitHubAccountTokenException",
            "InvalidIgnoreApplicationStopFailuresValueException",
            "InvalidInstanceNameException",
            "InvalidOnPremisesTagCombinationException",
            "InvalidTargetInstancesException",
            "InvalidUpdateOutdatedInstancesOnlyValueException",
            "LifecycleHookLimitExceededException",
            "TagSetListLimitExceededException",
            "UnsupportedActionForDeploymentTypeException",
        ),
    ),
    Explanation(
        "codedeploy",
        _NO_RULE,
        (
            "DescriptionTooLongException",
            "InvalidExternalIdException",
            "InvalidInputException",
            "InvalidKeyPrefixFilterException",
        ),
    ),
    Explanation("codedeploy", _RACE, ("DeploymentNotStartedException",)),
    Explanation("codedeploy", _TWIN, ("InvalidDeploymentStatusException",), ("ContinueDeployment",)),
    Explanation("ecs", _INTERNAL, ("ServerException",)),
    Explanation("ecs", _TWIN, ("ClientException", "UpdateInProgressException")),
    Explanation(
        "ecs",
        "The feature is missing in some regions of AWS, which no call names.",
        ("UnsupportedFeatureException",),
    ),
    Explanation(
        "ecs",
        _NOT_HERE,
        (
            "ClusterContainsCapacityProviderException",
            "ClusterContainsContainerInstancesException",
            "NamespaceNotFoundException",
        ),
    ),
    Explanation("ecs", _QUOTA, ("LimitExceededException",)),
    Explanation("ecs", "AWS blocks an account.", ("BlockedException",)),
    Explanation("ecr", _INTERNAL, ("ServerException",)),
    Explanation("ecr", _NO_KEYS, ("KmsException",)),
    Explanation("ecr", _TWIN, ("ValidationException",)),
    Explanation(
        "ecr",
        _NOT_HERE,
        (
            "ImageArchivedException",
            "LayerInaccessibleException",
            "ReferencedImagesNotFoundException",
            "UnableToGetUpstreamImageException",
            "UnableToGetUpstreamLayerException",
            "UnsupportedImageTypeException",
        ),
    ),
    Explanation(
        "ecr",
        _QUOTA,
        ("LimitExceededException",),
        ("BatchGetImage", "CreateRepository", "PutImage", "UploadLayerPart"),
    ),
    Explanation("ecr-public", _INTERNAL, ("ServerException",)),
    Explanation(
        "ecr-public",
        "The operation has no members that could be wrong.",
        ("InvalidParameterException", "UnsupportedCommandException"),
    ),
    Explanation(
        "elbv2",
        _QUOTA,
        (
            "TooManyListeners",
            "TooManyLoadBalancers",
            "TooManyRegistrationsForTargetId",
            "TooManyRules",
            "TooManyTargetGroups",
            "TooManyTargets",
            "TooManyUniqueTargetGroupsPerLoadBalancer",
        ),
    ),
    Explanation(
        "elbv2",
        _NOT_HERE,
        (
            "ALPNPolicyNotFound",
            "AllocationIdNotFound",
            "AvailabilityZoneNotSupported",
            "CapacityReservationPending",
            "IncompatibleProtocols",
            "TrustStoreNotFound",
            "TrustStoreNotReady",
            "UnsupportedProtocol",
        ),
    ),
    Explanation("elbv2", _INTERNAL, ("HealthUnavailable",)),
    Explanation("elbv2", _NO_RULE, ("InvalidLoadBalancerAction", "InvalidSubnet", "TooManyActions")),
    Explanation(
        "elbv2",
        "AWS answers ValidationError, which every operation may return.",
        ("InvalidConfigurationRequest", "InvalidScheme", "InvalidTarget"),
    ),
    Explanation(
        "elbv2",
        "The call succeeds if the load balancer does not exist, says its page.",
        ("LoadBalancerNotFound",),
        ("DeleteLoadBalancer",),
    ),
    Explanation("application-autoscaling", _INTERNAL, ("InternalServiceException",)),
    Explanation("application-autoscaling", _RACE, ("ConcurrentUpdateException",)),
    Explanation("application-autoscaling", _QUOTA, ("LimitExceededException",)),
    Explanation("service-quotas", _INTERNAL, ("ServiceException",)),
    Explanation("service-quotas", _THROTTLED, ("TooManyRequestsException",)),
)
