"""What may be asked of the Job that brings databases up to date."""

from __future__ import annotations

from pydantic import Field

from components.specs.foundation import Ref, Spec, Target


class MigrationsSpec(Spec):
    """How database migrations run. The image needs sh, psql and coreutils; the scripts are shipped into it."""

    image: str = Field(
        pattern=r"^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$",
        max_length=255,
        description="by digest, e.g. registry/postgresql:17.5@sha256:...: a tag alone can be moved to other content",
    )
    user_id: int = Field(ge=1, le=2**31 - 1, description="the image's own user; never root")
    deadline_seconds: int = Field(ge=60, le=86400, description="a run that takes longer is ended")
    lock_timeout_seconds: int = Field(ge=1, le=30, description="how long a migration may hold up others for a table")
    retries: int = Field(ge=0, le=2, description="further tries after one that failed")
    kept_seconds: int = Field(ge=3600, le=2_592_000, description="how long the finished Job's log can be read")
    secret_store_ref: Ref | None = Field(description="ClusterSecretStore that reads Secrets Manager; needed on aws")
    authority_ref: Ref | None = Field(description="ConfigMap with ca.crt, the RDS certificate bundle; needed on aws")

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        on_aws = target is Target.AWS
        refused = []
        for field, use in (("secret_store_ref", "sign in to RDS"), ("authority_ref", "know the server for RDS's own")):
            if on_aws and getattr(self, field) is None:
                refused.append((field, f"without it the migrations Job cannot {use}; write its name"))
            if not on_aws and getattr(self, field) is not None:
                refused.append((field, f"CloudNativePG makes what is needed on {target}; remove it"))
        return tuple(refused)
