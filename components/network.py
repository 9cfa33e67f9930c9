"""Network: a VPC whose data has no way in or out but the doors named here."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, rds, vpc

from components.access import assumed_by, document
from components.base import Component
from components.endpoints import Endpoints
from components.specs import NetworkSpec, Safety

# Ports of the data services, each opened from the workloads' security group only.
DOORS = {"database": 5432, "redis": 6379}
# The VPC is cut in 16 equal parts, and a tier's begin here: a third zone added later moves no other subnet.
FIRST_PART = {"public": 0, "private": 4, "data": 8}
ANYWHERE = "0.0.0.0/0"
HTTPS = 443
# Where Kubernetes puts load balancers that are not public (EKS user guide, "Subnet requirements"). Public subnets bear
# no such tag: nothing becomes public because a Service asked for it.
MEANT_FOR = {"private": {"kubernetes.io/role/internal-elb": "1"}}


@dataclass(frozen=True)
class NetworkOutputs:
    """Ids of the network's parts.

    ``account``: who owns it. ``zones``: in the order of the subnets. ``data_ranges``: addresses of the data subnets.
    ``data_subnet_group``: name of the RDS subnet group over them. ``endpoints``: id of each endpoint by AWS service.
    ``doors``: security group by service.
    """

    vpc_id: pulumi.Output[str]
    account: pulumi.Output[str]
    region: str
    zones: list[str]
    cidr: str
    data_ranges: list[str]
    private_subnet_ids: list[pulumi.Output[str]]
    data_subnet_ids: list[pulumi.Output[str]]
    data_subnet_group: pulumi.Output[str]
    workloads: pulumi.Output[str]
    endpoints: dict[str, pulumi.Output[str]]
    doors: dict[str, pulumi.Output[str]]


class Network(Component, token="tollgate:network:Network"):
    """A VPC over two or three zones.

    Declares: VPC, internet gateway, default security group emptied; per zone a public, a private and a data subnet;
    no NAT gateway, one, or one per zone; route tables; Endpoints; a security group for workloads and one per data
    service with a single rule (from the workloads, on the service's port); flow logs to CloudWatch; the RDS subnet
    group.

    Guarantees: data subnets have no route out of the VPC, nor to AWS: their table has the local route only; the default
    security group lets nothing through (FSBP EC2.2); every connection is logged (FSBP EC2.6); AWS is reached through
    endpoints that serve this account only; the VPC and the addresses that partners know us by are guarded as the tier
    says.
    """

    def __init__(
        self, name: str, spec: NetworkSpec, *, safety: Safety, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self._spec = spec
        self._vpc = ec2.Vpc(
            self.child("vpc"),
            cidr_block=spec.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self.stateful(),  # all that holds data lies in it
        )
        ec2.DefaultSecurityGroup(self.child("default"), vpc_id=self._vpc.id, ingress=[], egress=[], opts=self.within())
        public, private, data = (self._subnets(tier) for tier in FIRST_PART)
        private_tables = self._ways_out(public, private)
        self._route("data", data)
        workloads, doors = self._doors()
        endpoints = Endpoints(
            self.child("aws"),
            spec,
            network=self._vpc,
            subnet_ids=[subnet.id for subnet in private.values()],
            route_table_ids=[table.id for table in private_tables],
            workloads=workloads.id,
            opts=self.within(),
        ).outputs
        self._flow_logs()
        group = rds.SubnetGroup(
            self.child("data"),
            description="Data subnets: no route out of the VPC",
            subnet_ids=[subnet.id for subnet in data.values()],
            opts=self.within(),
        )
        self.outputs = self.register(
            NetworkOutputs(
                vpc_id=self._vpc.id,
                account=self._vpc.owner_id,
                region=spec.region,
                zones=list(spec.zones),
                cidr=spec.cidr,
                data_ranges=self._ranges("data"),
                private_subnet_ids=[subnet.id for subnet in private.values()],
                data_subnet_ids=[subnet.id for subnet in data.values()],
                data_subnet_group=group.name,
                workloads=workloads.id,
                endpoints=endpoints.ids,
                doors={service: group.id for service, group in doors.items()},
            )
        )

    def _ranges(self, tier: str) -> list[str]:
        """Address range of the tier's subnet in each zone."""
        parts = [str(part) for part in IPv4Network(self._spec.cidr).subnets(prefixlen_diff=4)]
        return parts[FIRST_PART[tier] : FIRST_PART[tier] + len(self._spec.zones)]

    def _subnets(self, tier: str) -> dict[str, ec2.Subnet]:
        """One subnet per zone, by name (data-ap-southeast-1a)."""
        return {
            f"{tier}-{zone}": ec2.Subnet(
                self.child(f"{tier}-{zone}"),
                vpc_id=self._vpc.id,
                availability_zone=zone,
                cidr_block=part,
                map_public_ip_on_launch=False,
                tags={"Name": self.child(f"{tier}-{zone}"), "tier": tier, **MEANT_FOR.get(tier, {})},
                opts=self.within(),
            )
            for zone, part in zip(self._spec.zones, self._ranges(tier), strict=True)
        }

    def _ways_out(self, public: dict[str, ec2.Subnet], private: dict[str, ec2.Subnet]) -> list[ec2.RouteTable]:
        """Public subnets reach the internet; private ones only call out, through NAT, if at all. Their tables."""
        internet = ec2.InternetGateway(self.child("internet"), vpc_id=self._vpc.id, opts=self.within())
        self._route("public", public, gateway_id=internet.id)
        if self._spec.nat_gateways == "none":
            return [self._route("private", private)]
        if self._spec.nat_gateways == "one":
            nat = self._nat(next(iter(public.values())), self._spec.zones[0], internet)
            return [self._route("private", private, nat_gateway_id=nat.id)]
        tables = []
        for zone, outside, part in zip(self._spec.zones, public.values(), private, strict=True):
            nat = self._nat(outside, zone, internet)
            tables.append(self._route(part, {part: private[part]}, nat_gateway_id=nat.id))
        return tables

    def _nat(self, subnet: ec2.Subnet, zone: str, internet: ec2.InternetGateway) -> ec2.NatGateway:
        # Providers and banks let our payments in by this address: it is kept like data.
        address = ec2.Eip(self.child(f"nat-{zone}"), domain="vpc", opts=self.stateful(depends_on=[internet]))
        return ec2.NatGateway(
            self.child(f"nat-{zone}"), allocation_id=address.id, subnet_id=subnet.id, opts=self.within()
        )

    def _route(self, name: str, subnets: dict[str, ec2.Subnet], **target: pulumi.Input[str]) -> ec2.RouteTable:
        """A table of the subnets' own. Without a target it has the VPC's local route only, and stays so."""
        table = ec2.RouteTable(
            self.child(name),
            vpc_id=self._vpc.id,
            routes=[{"cidr_block": ANYWHERE, **target}] if target else [],
            opts=self.within(),
        )
        for part, subnet in subnets.items():
            ec2.RouteTableAssociation(
                self.child(part), route_table_id=table.id, subnet_id=subnet.id, opts=self.within()
            )
        return table

    def _doors(self) -> tuple[ec2.SecurityGroup, dict[str, ec2.SecurityGroup]]:
        """A group for workloads, and one per data service that only workloads may enter."""
        workloads = self._group("workloads", "Services of the platform: they call out, nothing calls in")
        vpc.SecurityGroupEgressRule(
            self.child("workloads-inside"),
            security_group_id=workloads.id,
            description="Services call each other, AWS and the data services",
            ip_protocol="-1",
            cidr_ipv4=self._spec.cidr,
            opts=self.within(),
        )
        vpc.SecurityGroupEgressRule(
            self.child("workloads-out"),
            security_group_id=workloads.id,
            description="Services call payment providers, over TLS and nothing else (PCI DSS 1.3.2)",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            cidr_ipv4=ANYWHERE,
            opts=self.within(),
        )
        doors = {}
        for service, port in DOORS.items():
            doors[service] = self._group(service, f"{service}: from workloads, on port {port}; nothing goes out")
            vpc.SecurityGroupIngressRule(
                self.child(f"{service}-in"),
                security_group_id=doors[service].id,
                description=f"Workloads reach {service}",
                referenced_security_group_id=workloads.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                opts=self.within(),
            )
        return workloads, doors

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self.child(name),
            vpc_id=self._vpc.id,
            description=description,
            revoke_rules_on_delete=True,
            opts=self.within(),
        )

    def _flow_logs(self) -> None:
        group = cloudwatch.LogGroup(
            self.child("flow"), retention_in_days=self._spec.flow_log_retention_days, opts=self.within()
        )
        role = iam.Role(
            self.child("flow"), assume_role_policy=assumed_by("vpc-flow-logs.amazonaws.com"), opts=self.within()
        )
        iam.RolePolicy(self.child("flow"), role=role.id, policy=group.arn.apply(_may_write_logs), opts=self.within())
        ec2.FlowLog(
            self.child("flow"),
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            opts=self.within(),
        )


def _may_write_logs(group_arn: str) -> str:
    # The actions that VPC user guide asks for ("IAM role for publishing flow logs"), on one group only.
    actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return document({"Effect": "Allow", "Action": actions, "Resource": f"{group_arn}:*"})
