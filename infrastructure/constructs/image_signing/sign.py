"""Sign the pushed image, and attach its provenance and its bill of materials, in the formats of cosign.

CodeBuild runs this file on Python 3.9, whose boto3 the buildspec installs beside it: an image needs twenty
calls, and each start of the AWS CLI takes most of a second. `cosign verify` and `cosign verify-attestation`
read what it writes:
https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

# `python -I` looks for modules in no other folder than its own.
sys.path.insert(0, str(Path(__file__).with_name("packages")))

import boto3
from botocore.exceptions import BotoCoreError, ClientError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE, STATEMENT = "application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json"
PROVENANCE, BILL = "https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"
SIGNATURE = "dev.cosignproject.cosign/signature"
PINNED = re.compile(r"^(?:FROM|COPY) .*?([a-z0-9./-]+)(?::\S+)?@sha256:([0-9a-f]{64})", re.MULTILINE)
COPIED = re.compile(r"^(?:COPY|ADD) (?!--from).*?([\w./-]*requirements[\w.-]*\.txt)", re.MULTILINE)
PIN = re.compile(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)(.*)$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def compact(content: Any) -> bytes:
    """Return content as JSON without white space."""
    return json.dumps(content, separators=(",", ":")).encode()


def sign(kms: Any, key: str, message: bytes) -> str:
    """Return the signature of a message in Base64; its digest is signed, so it may have any length."""
    digest = hashlib.sha256(message).digest()
    signed = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")
    return base64.b64encode(signed["Signature"]).decode()


def envelope(kms: Any, key: str, statement: bytes) -> bytes:
    """Return a signed statement: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md."""
    signed = b"DSSEv1 %d %s %d %s" % (len(STATEMENT), STATEMENT.encode(), len(statement), statement)
    signature = {"keyid": "", "sig": sign(kms, key, signed)}
    payload = base64.b64encode(statement).decode()
    return compact({"payloadType": STATEMENT, "payload": payload, "signatures": [signature]})


def simple_signing(uri: str, digest: str) -> bytes:
    """Return what is signed of an image."""
    image = {"docker-manifest-digest": digest}
    kind = "cosign container image signature"
    critical = {"identity": {"docker-reference": uri}, "image": image, "type": kind}
    return compact({"critical": critical, "optional": None})


def statement(uri: str, digest: str, kind: str, predicate: Any) -> bytes:
    """Return what is said of an image."""
    subject = [{"name": uri, "digest": {"sha256": digest[7:]}}]
    return compact(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subject,
            "predicateType": kind,
            "predicate": predicate,
        }
    )


def provenance(dockerfile: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return what is known of the build of an image: https://slsa.dev/spec/v1.0/provenance."""
    build, commit = values["CODEBUILD_BUILD_ARN"], values["COMMIT"]
    source = {"uri": f"git+{values['SOURCE_URL']}", "digest": {"gitCommit": commit}}
    bases = [
        {"uri": f"pkg:docker/{name}", "digest": {"sha256": one}} for name, one in PINNED.findall(dockerfile)
    ]
    started = datetime.fromtimestamp(int(values["CODEBUILD_START_TIME"]) // 1000, timezone.utc)
    definition = {
        "buildType": "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html",
        "externalParameters": {"source": source},
        "resolvedDependencies": [source, *bases],
    }
    run = {
        "builder": {"id": build.replace(":build/", ":project/").rpartition(":")[0]},
        "metadata": {"invocationId": build, "startedOn": f"{started:%Y-%m-%dT%H:%M:%SZ}"},
    }
    return {"buildDefinition": definition, "runDetails": run}


def bill_of_materials(dockerfile: str) -> dict[str, Any]:
    """Return what the requirements files pin that the Dockerfile copies: https://cyclonedx.org/docs/1.6/json/."""
    files = [Path(each) for each in COPIED.findall(dockerfile)]
    text = "\n".join(each.read_text() for each in files if each.is_file()).replace("\\\n", "")
    components = {each["purl"]: each for each in (component(*pin) for pin in PIN.findall(text))}
    given = [components[purl] for purl in sorted(components)]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": given}


def component(name: str, version: str, rest: str) -> dict[str, Any]:
    """Return a package; the lock has the hash of each of its files."""
    purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"
    hashes = [{"alg": "SHA-256", "content": each} for each in HASH.findall(rest)]
    source = {"type": "distribution", "url": f"https://pypi.org/simple/{name}/", "hashes": hashes}
    named = {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
    return {**named, "externalReferences": [source]}


def digest_of(content: bytes) -> str:
    """Return the digest of a blob, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def upload(ecr: Any, repository: str, content: bytes) -> dict[str, Any]:
    """Store a blob, unless the repository has it; return its descriptor without media type."""
    digest = digest_of(content)
    started = {
        "repositoryName": repository,
        "uploadId": ecr.initiate_layer_upload(repositoryName=repository)["uploadId"],
    }
    ecr.upload_layer_part(**started, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
    with suppress(ecr.exceptions.LayerAlreadyExistsException):
        ecr.complete_layer_upload(**started, layerDigests=[digest])
    return {"size": len(content), "digest": digest}


Layer = tuple[str, bytes, Mapping[str, str]]


def attach(ecr: Any, uri: str, digest: str, end: str, layers: Sequence[Layer]) -> None:
    """Store layers, each with a media type and annotations, under the tag of what is attached to an image.

    Tags are immutable. A commit that is built again may result in the same image, which keeps what it has:
    the hook verifies it.
    """
    repository, tag = uri.partition("/")[2], f"{digest.replace(':', '-')}.{end}"
    root = {"type": "layers", "diff_ids": [digest_of(content) for _, content, _ in layers]}
    configuration = compact({"architecture": "", "os": "", "rootfs": root})
    config = {"mediaType": CONFIG, **upload(ecr, repository, configuration)}
    stored = [
        {"mediaType": kind, **upload(ecr, repository, content), "annotations": annotations}
        for kind, content, annotations in layers
    ]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": stored}
    try:
        ecr.put_image(
            repositoryName=repository,
            imageManifest=compact(manifest).decode(),
            imageManifestMediaType=MANIFEST,
            imageTag=tag,
        )
    except ecr.exceptions.ImageTagAlreadyExistsException:
        print(f"{tag} is there already")


def signature_layer(kms: Any, key: str, uri: str, digest: str) -> Layer:
    """Sign an image; return what is stored beside it."""
    payload = simple_signing(uri, digest)
    return SIMPLE_SIGNING, payload, {SIGNATURE: sign(kms, key, payload)}


def statement_layers(kms: Any, key: str, uri: str, digest: str, known: Mapping[str, Any]) -> list[Layer]:
    """Sign a statement of each predicate; return what is stored beside the image."""
    layers: list[Layer] = []
    for kind, predicate in known.items():
        signed = envelope(kms, key, statement(uri, digest, kind, predicate))
        layers.append((ENVELOPE, signed, {SIGNATURE: "", "predicateType": kind}))
    return layers


def main() -> None:
    """Sign IMAGE_URI with SIGNING_KEY, and attach what is known of it."""
    uri, _, digest = os.environ["IMAGE_URI"].partition("@")
    key = os.environ["SIGNING_KEY"]
    try:
        dockerfile = Path("Dockerfile").read_text()
        known = {PROVENANCE: provenance(dockerfile, os.environ), BILL: bill_of_materials(dockerfile)}
        kms, ecr = boto3.client("kms"), boto3.client("ecr")
        attach(ecr, uri, digest, "sig", [signature_layer(kms, key, uri, digest)])
        attach(ecr, uri, digest, "att", statement_layers(kms, key, uri, digest, known))
    except (BotoCoreError, ClientError, OSError) as error:
        sys.exit(f"cannot sign {uri}@{digest} with {key}: {error}")
    print(f"signed {uri}@{digest} with {key}")


if __name__ == "__main__":
    main()
