"""Reading and editing a cloud assembly."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.assembly import Assembly

NESTED = "StackNetwork1234.nested.template.json"
OLD_HASH, ROOT_HASH = "a" * 64, "b" * 64


def asset(path: str, name: str) -> dict[str, Any]:
    return {"displayName": name, "source": {"path": path, "packaging": "file"}}


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """One nested stack with a topic and an alarm."""
    nested = {
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "notifications"}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        }
    }
    stack = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": f"https://assets/{OLD_HASH}.json"},
        "Metadata": {"aws:asset:path": NESTED},
    }
    files = {
        OLD_HASH: asset(NESTED, "Stack/Network.NestedTemplate"),
        ROOT_HASH: asset("Stack.template.json", "Stack Template"),
        "c" * 64: asset("asset.c", "Stack/Pipeline/RepositorySeed"),
    }
    written = {
        NESTED: nested,
        "Stack.template.json": {"Resources": {"Network": stack}},
        "Stack.assets.json": {"files": files},
        "manifest.json": {
            "artifacts": {"Stack": {"stackTemplateAssetObjectUrl": f"s3://assets/{ROOT_HASH}"}}
        },
    }
    for name, content in written.items():
        (tmp_path / name).write_text(json.dumps(content))
    return Assembly(tmp_path)


def test_nested_templates_and_assets_are_found_by_name(assembly: Assembly) -> None:
    assert set(assembly.nested["Network"]["Resources"]) == {"Topic", "Alarm"}
    assert assembly.asset("RepositorySeed") == assembly.folder / "asset.c"


def test_an_edited_template_is_a_new_asset(assembly: Assembly) -> None:
    assembly.edit({"AWS::SNS::Topic": lambda topic: topic.update(TopicName="changed")})
    assert assembly.nested["Network"]["Resources"]["Topic"]["Properties"] == {"TopicName": "changed"}
    url = assembly.root["Resources"]["Network"]["Properties"]["TemplateURL"]
    assert OLD_HASH not in url
    assert url.removeprefix("https://assets/").removesuffix(".json") in assembly.assets
    assert OLD_HASH not in assembly.assets
    assert ROOT_HASH not in (assembly.folder / "manifest.json").read_text()


def test_an_edit_without_a_resource_is_an_error(assembly: Assembly) -> None:
    with pytest.raises(LookupError, match=r"no template has a resource of AWS::SQS::Queue"):
        assembly.edit({"AWS::SQS::Queue": lambda _: None})
