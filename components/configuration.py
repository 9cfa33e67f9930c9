"""ConfigCentre: values that change while services run, and that go back by themselves when they do harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import appconfig, cloudwatch, iam
from pulumi_kubernetes.core.v1 import ConfigMap

from components.access import allow, assumed_by, policy
from components.base import Component
from components.cluster import Place
from components.naming import digest_of, physical
from components.specs import AlarmSpec, ConfigCentreSpec, RolloutSpec, Target

# One document, so one profile: an environment takes one deployment at a time (AppConfig user guide, StartDeployment).
PROFILE = "runtime"
DOCUMENT = "config.json"


@dataclass(frozen=True)
class ConfigCentreOutputs:
    """Where services read the document, and its digest.

    ``source``: the path that the AppConfig agent serves (aws), or the name of the ConfigMap with ``config.json``.
    """

    source: pulumi.Output[str]
    revision: str


class ConfigCentre(Component, token="tollgate:configuration:ConfigCentre"):
    """The run-time configuration of one environment: one JSON document.

    Declares, on aws: AppConfig application, environment, configuration profile, deployment strategy, hosted version and
    deployment; the CloudWatch alarms that take a change back, and the role by which AppConfig looks at them. On
    kubernetes and edge: an immutable ConfigMap whose name ends in a digest of the document.

    Guarantees: a document that its JSON Schema refuses is never deployed; on aws a change reaches callers by shares, is
    watched for ``bake_minutes``, and an alarm in that time brings the last document back; old versions stay for that.
    On kubernetes and edge a change is a new object: pods that mount it are rolled, and those of before keep theirs.
    A document is deployed when everything in ``after`` is there, as what it sends gateways to.

    Mind: AWS goes on after Pulumi says done. A deployment that was taken back is not seen by ``up``: ask AppConfig's
    GetDeployment for COMPLETE or ROLLED_BACK. An alarm without data stays silent: services must publish its metric.
    Raises Refusal when the target cannot keep a promise of the spec.
    Source: AppConfig user guide; terraform-provider-aws #35516 (the provider does not wait).
    """

    def __init__(
        self,
        name: str,
        spec: ConfigCentreSpec,
        *,
        target: Target,
        environment: str,
        place: Place,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts=opts)
        self.refuse(spec.refused_by(target))
        self._spec, self._after = spec, list(after)
        revision = digest_of({DOCUMENT: spec.document()})
        # There is a rollout exactly where the target has one: anything else was refused.
        source = (
            self._appconfig(physical(name), environment, spec.rollout) if spec.rollout else self._map(revision, place)
        )
        self.outputs = self.register(ConfigCentreOutputs(source=source, revision=revision))

    def _appconfig(self, called: str, environment: str, rollout: RolloutSpec) -> pulumi.Output[str]:
        application = appconfig.Application(self.child("application"), name=called, opts=self.within())
        watched = self._environment(application, environment)
        profile = appconfig.ConfigurationProfile(
            self.child("profile"),
            application_id=application.id,
            name=PROFILE,
            location_uri="hosted",
            type="AWS.Freeform",
            validators=[{"type": "JSON_SCHEMA", "content": self._spec.validator()}],
            opts=self.within(),
        )
        # The version before must stay: it is what a roll-back goes back to, and what undo deploys.
        version = appconfig.HostedConfigurationVersion(
            self.child("version"),
            application_id=application.id,
            configuration_profile_id=profile.configuration_profile_id,
            content_type="application/json",
            content=self._spec.document(),
            opts=self.within(retain_on_delete=True),
        )
        appconfig.Deployment(
            self.child("deployment"),
            application_id=application.id,
            environment_id=watched.environment_id,
            configuration_profile_id=profile.configuration_profile_id,
            configuration_version=version.version_number.apply(str),
            deployment_strategy_id=self._strategy(rollout).id,
            opts=self.within(depends_on=self._after),
        )
        return pulumi.Output.concat(
            "/applications/", application.name, "/environments/", watched.name, "/configurations/", profile.name
        )

    def _environment(self, application: appconfig.Application, environment: str) -> appconfig.Environment:
        """The environment with its alarms."""
        alarms = {key: self._alarm(key, spec) for key, spec in sorted(self._spec.alarms.items())}
        watcher = iam.Role(
            self.child("watcher"), assume_role_policy=assumed_by("appconfig.amazonaws.com"), opts=self.within()
        )
        looks = iam.RolePolicy(
            self.child("looks"),
            role=watcher.id,
            policy=policy(allow("cloudwatch:DescribeAlarms", on=["*"])),  # as AppConfig's guide has it: a list, no more
            opts=self.within(),
        )
        return appconfig.Environment(
            self.child("environment"),
            application_id=application.id,
            name=environment,
            monitors=[{"alarm_arn": alarm.arn, "alarm_role_arn": watcher.arn} for alarm in alarms.values()],
            opts=self.within(depends_on=[looks]),
        )

    def _alarm(self, key: str, spec: AlarmSpec) -> cloudwatch.MetricAlarm:
        return cloudwatch.MetricAlarm(
            self.child(f"alarm-{key}"),
            alarm_description=f"Takes a new configuration back: more than {spec.more_than} {spec.metric} a minute",
            namespace=spec.namespace,
            metric_name=spec.metric,
            statistic="Sum",
            period=60,
            evaluation_periods=spec.bad_minutes,
            threshold=spec.more_than,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            opts=self.within(),
        )

    def _strategy(self, rollout: RolloutSpec) -> appconfig.DeploymentStrategy:
        return appconfig.DeploymentStrategy(
            self.child("strategy"),
            growth_type=rollout.growth.upper(),
            growth_factor=rollout.first_share_percent,
            deployment_duration_in_minutes=rollout.over_minutes,
            final_bake_time_in_minutes=rollout.bake_minutes,
            replicate_to="NONE",
            opts=self.within(),
        )

    def _map(self, revision: str, place: Place) -> pulumi.Output[str]:
        made = ConfigMap(
            self.child("document"),
            metadata={"name": f"configuration-{revision}", "namespace": place.namespace},
            immutable=True,
            data={DOCUMENT: self._spec.document()},
            opts=self.within(depends_on=self._after),
        )
        return pulumi.Output.from_input(made.metadata["name"])
