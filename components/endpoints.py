"""Endpoints: how the inside of a network reaches AWS without leaving it, and who may use them for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ec2, vpc

from components.access import document
from components.base import Component
from components.specs import NetworkSpec

HTTPS = 443
# Free of charge, and through a route; every private subnet has them.
GATEWAYS = ("s3", "dynamodb")
# What IAM calls a service whose endpoint has another name (Service Authorization Reference).
ACTIONS = {"appconfigdata": "appconfig", "ecr.api": "ecr", "ecr.dkr": "ecr", "monitoring": "cloudwatch"}


@dataclass(frozen=True)
class EndpointsOutputs:
    """Id of each endpoint by its service, which a policy on a bucket or a key can ask for (aws:SourceVpce)."""

    ids: dict[str, pulumi.Output[str]]


class Endpoints(Component, token="tollgate:network:Endpoints"):
    """The ways from a VPC's private subnets to AWS. aws only.

    Declares: gateway endpoints of S3 and DynamoDB on the private route tables; an interface endpoint per service of
    the spec, in every zone; where there is one, their security group with a single rule (from the workloads, on 443).

    Guarantees: each endpoint's policy lets through principals of this account only, so that credentials of another
    account are of no use inside; S3 and DynamoDB answer for this account's buckets and tables only, so that data cannot
    be copied to a stranger's. One bucket of AWS is excepted: ECR keeps the layers of images in it.
    """

    def __init__(
        self,
        name: str,
        spec: NetworkSpec,
        *,
        network: ec2.Vpc,
        subnet_ids: Sequence[pulumi.Input[str]],
        route_table_ids: Sequence[pulumi.Input[str]],
        workloads: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts=opts)
        self._network = network
        self._region = spec.region
        ids = {}
        for service in GATEWAYS:
            ids[service] = self._endpoint(service, "Gateway", _only_ours, route_table_ids=list(route_table_ids))
        if spec.interface_endpoints:
            door = self._door(workloads)
            for found in spec.interface_endpoints:
                inside = {"subnet_ids": list(subnet_ids), "security_group_ids": [door.id], "private_dns_enabled": True}
                ids[found] = self._endpoint(found, "Interface", _only_us, **inside)
        self.outputs = self.register(EndpointsOutputs(ids))

    def _endpoint(self, service: str, kind: str, policy: Any, **where: Any) -> pulumi.Output[str]:
        region = self._region
        network = pulumi.Output.all(self._network.owner_id, self._network.id)
        endpoint = ec2.VpcEndpoint(
            self.child(service.replace(".", "-")),
            vpc_id=self._network.id,
            service_name=f"com.amazonaws.{region}.{service}",
            vpc_endpoint_type=kind,
            policy=network.apply(lambda known: policy(service, account=known[0], vpc_id=known[1], region=region)),
            tags={"Name": self.child(service)},
            opts=self.within(),
            **where,
        )
        return pulumi.Output.from_input(endpoint.id)

    def _door(self, workloads: pulumi.Input[str]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self.child("door"),
            vpc_id=self._network.id,
            description="endpoints: from workloads, on port 443; nothing goes out",
            revoke_rules_on_delete=True,
            opts=self.within(),
        )
        vpc.SecurityGroupIngressRule(
            self.child("in"),
            security_group_id=group.id,
            description="Workloads reach AWS",
            referenced_security_group_id=workloads,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self.within(),
        )
        return group


def _allow(service: str, account: str, *, resources: bool) -> dict[str, Any]:
    ours = {"aws:PrincipalAccount": account} | ({"aws:ResourceAccount": account} if resources else {})
    return {
        "Sid": "OnlyOurs" if resources else "OnlyUs",
        "Effect": "Allow",
        "Principal": "*",
        "Action": f"{ACTIONS.get(service, service)}:*",
        "Resource": "*",
        "Condition": {"StringEquals": ours},
    }


def _only_us(service: str, *, account: str, **_: str) -> str:
    """Principals of the account. What they reach may be another's: images of EKS itself lie in AWS's registries."""
    return document(_allow(service, account, resources=False))


def _only_ours(service: str, *, account: str, vpc_id: str, region: str) -> str:
    """Principals and resources of the account, and for S3 the bucket in which ECR keeps the layers of images."""
    ours = _allow(service, account, resources=True)
    return document(ours, _image_layers(vpc_id, region)) if service == "s3" else document(ours)


def _image_layers(vpc_id: str, region: str) -> dict[str, Any]:
    """ECR user guide, "Create the Amazon S3 gateway endpoint". ECR signs these reads itself: no principal is ours."""
    return {
        "Sid": "ImageLayers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*",
        "Condition": {"StringEquals": {"aws:SourceVpc": vpc_id}},
    }
