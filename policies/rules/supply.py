"""Rules for where code comes from, and for the accounts and clusters that a program is pointed at."""

import json
import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

REPOSITORY = "aws:ecr/repository:Repository"
AWS, KUBERNETES = "pulumi:providers:aws", "pulumi:providers:kubernetes"
ALERTS = tuple(
    f"kubernetes:monitoring.coreos.com/v1:{kind}" for kind in ("PodMonitor", "PrometheusRule", "ServiceMonitor")
)
# A whole version, with no wish for the newest in it: 1.2.3, v1.2.3-rc.1.
_ONE_VERSION = re.compile(r"v?\d+\.\d+\.\d+[0-9A-Za-z.+-]*")


@rule(
    id="supply-image-scan",
    why="Known holes in an image must be found before it runs.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.1", "PCI-DSS 11.3.1", "FSBP ECR.1"),
    types=(REPOSITORY,),
    fix="set imageScanningConfiguration.scanOnPush to true",
    good={"imageScanningConfiguration": {"scanOnPush": True}},
    bad={"imageScanningConfiguration": {"scanOnPush": False}},
)
def image_scanned(repository: Reading) -> Check:
    return repository["imageScanningConfiguration.scanOnPush"].is_true()


@rule(
    id="supply-image-fix",
    why="A version that can be overwritten is not the version that was tested.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "FSBP ECR.2", "Seed 14"),
    types=(REPOSITORY,),
    fix="set imageTagMutability to IMMUTABLE",
    good={"imageTagMutability": "IMMUTABLE"},
    bad={"imageTagMutability": "MUTABLE"},
)
def image_fixed(repository: Reading) -> Check:
    return repository["imageTagMutability"].one_of("IMMUTABLE")


@rule(
    id="supply-image-keep",
    why="Deleting the images of what runs means that it cannot start again.",
    severity=HIGH,
    controls=("Seed 19",),
    types=(REPOSITORY,),
    fix="set forceDelete to false",
    good={"forceDelete": False},
    bad={"forceDelete": True},
    # pulumi_aws 7.51.1, argument force_delete: "Defaults to false".
    defaults={"forceDelete": False},
)
def images_kept(repository: Reading) -> Check:
    return repository["forceDelete"].is_false()


@rule(
    id="supply-chart-pin",
    why="A chart without a version brings what its authors published last, unseen by any rule here.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=("kubernetes:helm.sh/v3:Release",),
    fix="set version to one whole version",
    good={"version": "1.2.3"},
    bad={"version": ">=1.2"},
    also_good={"before the release": {"version": "v1.2.3-rc.1"}},
    also_bad={"any of a kind": {"version": "1.2.x"}, "any": {"version": ""}},
)
def chart_pinned(release: Reading) -> Check:
    return release["version"].matches(_ONE_VERSION, "one version")


@rule(
    id="supply-chart-whole",
    why="A release that stops half way leaves a mixture that nobody tested.",
    severity=MEDIUM,
    types=("kubernetes:helm.sh/v3:Release",),
    fix="set atomic to true",
    good={"atomic": True},
    bad={"atomic": False},
)
def chart_whole(release: Reading) -> Check:
    return release["atomic"].is_true()


def _tags(**tags: str) -> dict[str, str]:
    return {"defaultTags": json.dumps({"tags": tags})}


@rule(
    id="supply-account-tag",
    why="What does not say whose it is, and of which environment, is nobody's when it costs too much or breaks.",
    severity=MEDIUM,
    controls=("PCI-DSS 12.5.1", "Seed 13"),
    types=(AWS,),
    fix="set owner and tier (or environment) in defaultTags.tags of the provider",
    good=_tags(owner="payments", tier="prod"),
    bad=_tags(tier="prod"),
    also_good={
        "in another word": _tags(owner="payments", environment="prod"),
        "as an object": {"defaultTags": {"tags": {"owner": "payments", "tier": "prod"}}},
    },
    also_bad={"of no environment": _tags(owner="payments"), "empty": _tags(owner="", tier="prod")},
)
def account_tagged(provider: Reading) -> Check:
    tags = provider["defaultTags"].document()["tags"]
    environment = tags.any_of([tags["tier"].is_set(), tags["environment"].is_set()], "tier or environment")
    return tags["owner"].is_set() & environment


@rule(
    id="supply-cluster-name",
    why="A program that takes the cluster somebody used last will one day take the wrong one.",
    severity=HIGH,
    controls=("PCI-DSS 6.5.3",),
    types=(KUBERNETES,),
    fix="set context (or kubeconfig) of the provider",
    good={"context": "payments-prod"},
    bad={"context": ""},
    also_good={"by its own file": {"kubeconfig": "apiVersion: v1"}},
)
def cluster_named(provider: Reading) -> Check:
    return provider["context"].is_set().unless(provider["kubeconfig"].is_set())


@rule(
    id="supply-alert-seen",
    why="An alert rule without the label that Prometheus looks for is ignored without a word.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.7.2",),
    types=ALERTS,
    fix="set the label release to the name of Prometheus's Helm release",
    good={"metadata": {"labels": {"release": "kube-prometheus-stack"}}},
    bad={"metadata": {"labels": {"release": ""}}},
)
def alert_seen(alert: Reading) -> Check:
    return alert["metadata.labels.release"].is_set()


@rule(
    id="supply-certificate-renew",
    why="A new certificate on the old key helps whoever has the old key.",
    severity=LOW,
    controls=("PCI-DSS 3.7.4",),
    types=("kubernetes:cert-manager.io/v1:Certificate",),
    fix="set spec.privateKey.rotationPolicy to Always",
    good={"spec": {"privateKey": {"rotationPolicy": "Always"}}},
    bad={"spec": {"privateKey": {"rotationPolicy": "Never"}}},
)
def certificate_renewed(certificate: Reading) -> Check:
    return certificate["spec.privateKey.rotationPolicy"].one_of("Always")
