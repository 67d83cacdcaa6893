"""The AWS CLI, told no more than the endpoint and the credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from valetkey.testing.server import RunningServer

AWS: Final = Path(sys.executable).with_name("aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCli:
    """Runs `aws` in one folder, with one key."""

    server: RunningServer
    folder: Path
    credentials: Mapping[str, str]
    """As STS answers them: `AccessKeyId`, `SecretAccessKey` and maybe `SessionToken`."""
    proxy: str = ""
    """Whom it asks for everything, whatever host a request names."""

    def with_key(self, credentials: Mapping[str, str]) -> AwsCli:
        """Return the same with the key of somebody else."""
        return replace(self, credentials=credentials)

    def behind_proxy(self, url: str) -> AwsCli:
        """Return the same that looks for no host."""
        return replace(self, proxy=url)

    def __call__(self, *arguments: str, text: str = "", status: int = 0) -> str:
        """Return what the command printed; it must end with `status`."""
        environment = {
            "AWS_ACCESS_KEY_ID": self.credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.credentials.get("SessionToken", ""),
            "AWS_CONFIG_FILE": str(self.folder / ".aws-config"),
            "AWS_DEFAULT_REGION": self.server.region,
            "AWS_ENDPOINT_URL": self.server.endpoint,
            "HTTP_PROXY": self.proxy,
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ["PATH"],
        } | {
            name: value for name, value in os.environ.items() if name in ("AWS_EC2_METADATA_DISABLED", "HOME")
        }
        done = subprocess.run(
            [sys.executable, AWS, *arguments],
            cwd=self.folder, env=environment, input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        """Return what the command printed as JSON; None if it printed nothing."""
        printed = self(*arguments, "--output", "json")
        return json.loads(printed) if printed else None
