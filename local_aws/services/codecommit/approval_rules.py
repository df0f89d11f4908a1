"""Approval rule templates: what CodeCommit requires of a pull request before it is merged.

https://docs.aws.amazon.com/codecommit/latest/userguide/approval-rule-templates.html
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from local_aws.core.api import CALLER, AwsError, now
from local_aws.services.codecommit.commits import Commits

# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
MOST_TEMPLATES = 25
VERSIONS = ("2018-11-08", "2019-11-26")
_POOL_BY_NAME = re.compile(r"CodeCommitApprovers:(?P<account>\d{12}):(?P<name>.+)")


class ApprovalRules(Commits):
    """The operations on approval rule templates."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # By name, as ApprovalRuleTemplate of the API.
        self.templates: dict[str, dict[str, Any]] = {}
        # Name of a template -> the ids of the repositories that it is associated with.
        self.associations: dict[str, list[str]] = {}

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the templates besides what a repository does not have itself."""
        rules = {"templates": self.templates, "associations": self.associations}
        return {**super().to_snapshot(), **rules}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Restore the templates."""
        super().restore(kept)
        self.templates, self.associations = kept["templates"], kept["associations"]

    def caller_arn(self) -> str:
        """Return the ARN of the user or the session that calls."""
        return self.context.identity(CALLER.get())

    def create_approval_rule_template(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a template."""
        name = params["approvalRuleTemplateName"]
        if name in self.templates:
            code = "ApprovalRuleTemplateNameAlreadyExistsException"
            raise AwsError(code, f"An approval rule template named {name} already exists")
        template = {
            "approvalRuleTemplateId": str(uuid.uuid4()),
            "approvalRuleTemplateName": name,
            "creationDate": now(),
            **self._content(params["approvalRuleTemplateContent"]),
        }
        if "approvalRuleTemplateDescription" in params:
            template["approvalRuleTemplateDescription"] = params["approvalRuleTemplateDescription"]
        self.templates[name] = template
        return {"approvalRuleTemplate": template}

    def get_approval_rule_template(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a template."""
        return {"approvalRuleTemplate": self._template(params["approvalRuleTemplateName"])}

    def update_approval_rule_template_content(self, params: dict[str, Any]) -> dict[str, Any]:
        """Replace the content; existing pull requests keep their rule."""
        template = self._template(params["approvalRuleTemplateName"])
        expected = params.get("existingRuleContentSha256", template["ruleContentSha256"])
        if expected != template["ruleContentSha256"]:
            raise AwsError("InvalidRuleContentSha256Exception", "The SHA-256 hash signature is not valid")
        template.update(self._content(params["newRuleContent"]))
        return {"approvalRuleTemplate": template}

    def delete_approval_rule_template(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a template; an unknown name is not an error, as on AWS."""
        name = params["approvalRuleTemplateName"]
        if any(repository.id in self.associations.get(name, []) for repository in self.repositories.values()):
            message = f"The approval rule template {name} is associated with at least one repository"
            raise AwsError("ApprovalRuleTemplateInUseException", message)
        self.associations.pop(name, None)
        template = self.templates.pop(name, {"approvalRuleTemplateId": ""})
        return {"approvalRuleTemplateId": template["approvalRuleTemplateId"]}

    def list_approval_rule_templates(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the names of the templates."""
        return {"approvalRuleTemplateNames": sorted(self.templates)}

    def associate_approval_rule_template_with_repository(self, params: dict[str, Any]) -> None:
        """Let new pull requests of a repository have the template's rule."""
        name = params["approvalRuleTemplateName"]
        self._template(name)
        repository = self.find(params["repositoryName"])
        ids = self.associations.setdefault(name, [])
        associated = [each for each in self.associations.values() if repository.id in each]
        if repository.id not in ids:
            if len(associated) >= MOST_TEMPLATES:
                message = f"A repository can have at most {MOST_TEMPLATES} approval rule templates"
                raise AwsError("MaximumRuleTemplatesAssociatedWithRepositoryException", message)
            ids.append(repository.id)

    def disassociate_approval_rule_template_from_repository(self, params: dict[str, Any]) -> None:
        """End an association; existing pull requests keep their rule."""
        name = params["approvalRuleTemplateName"]
        self._template(name)
        repository = self.find(params["repositoryName"])
        self.associations[name] = [each for each in self.associations.get(name, []) if each != repository.id]

    def list_associated_approval_rule_templates_for_repository(
        self, params: dict[str, Any]
    ) -> dict[str, Any]:
        """List the templates of a repository."""
        repository = self.find(params["repositoryName"])
        names = sorted(name for name, ids in self.associations.items() if repository.id in ids)
        return {"approvalRuleTemplateNames": names}

    def rules_for(self, repository_id: str, destination: str) -> list[dict[str, Any]]:
        """Return the rules of a new pull request to the reference `destination`."""
        return [
            _rule(self.templates[name])
            for name, ids in sorted(self.associations.items())
            if repository_id in ids and _applies(self.templates[name], destination)
        ]

    def _template(self, name: str) -> dict[str, Any]:
        if name not in self.templates:
            code = "ApprovalRuleTemplateDoesNotExistException"
            raise AwsError(code, f"The approval rule template {name} does not exist")
        return self.templates[name]

    def _content(self, content: str) -> dict[str, Any]:
        """Return the members of a template that its content determines."""
        _check(content)
        return {
            "approvalRuleTemplateContent": content,
            "ruleContentSha256": hashlib.sha256(content.encode()).hexdigest(),
            "lastModifiedDate": now(),
            "lastModifiedUser": self.caller_arn(),
        }


def is_satisfied(rule: Mapping[str, Any], approvers: list[str]) -> bool:
    """Return whether enough of the users who approved count for a rule."""
    statements = json.loads(rule["approvalRuleContent"])["Statements"]
    return all(
        sum(_counts(each.get("ApprovalPoolMembers"), arn) for arn in approvers)
        >= each["NumberOfApprovalsNeeded"]
        for each in statements
    )


def _counts(pool: list[str] | None, approver: str) -> bool:
    """Return whether an approver is in a pool; without one, everybody is.

    A name counts for IAM users and federated users, not for sessions of a role.
    """
    return not pool or any(_is_member(member, approver) for member in pool)


def _is_member(member: str, approver: str) -> bool:
    named = _POOL_BY_NAME.fullmatch(member)
    if named is None:
        return fnmatchcase(approver, member)
    account, name = named["account"], named["name"]
    forms = [f"arn:aws:iam::{account}:user/{name}", f"arn:aws:sts::{account}:federated-user/{name}"]
    if "/" in name or "*" in name:
        forms.append(f"arn:aws:sts::{account}:assumed-role/{name}")
    return any(fnmatchcase(approver, form) for form in forms)


def _applies(template: Mapping[str, Any], destination: str) -> bool:
    references = json.loads(template["approvalRuleTemplateContent"]).get("DestinationReferences")
    return not references or destination in references


def _rule(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ApprovalRule that a template creates on a pull request."""
    origin = {key: template[key] for key in ("approvalRuleTemplateId", "approvalRuleTemplateName")}
    shared = ("ruleContentSha256", "lastModifiedDate", "lastModifiedUser")
    return {
        "approvalRuleId": str(uuid.uuid4()),
        "approvalRuleName": template["approvalRuleTemplateName"],
        "approvalRuleContent": template["approvalRuleTemplateContent"],
        "creationDate": now(),
        "originApprovalRuleTemplate": origin,
        **{key: template[key] for key in shared},
    }


def _check(content: str) -> None:
    """Raise InvalidApprovalRuleTemplateContentException for what is no rule."""
    try:
        rule = json.loads(content)
        good = rule["Version"] in VERSIONS and bool(rule["Statements"])
        for statement in rule["Statements"]:
            good = good and statement["Type"] == "Approvers" and int(statement["NumberOfApprovalsNeeded"]) > 0
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        message = "The content of the approval rule template is not valid"
        raise AwsError("InvalidApprovalRuleTemplateContentException", message)
