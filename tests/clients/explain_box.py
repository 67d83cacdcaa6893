"""What the ways to break a presigned URL are made with: real clients, shells, libraries and proxies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from tests.clients.boto import S3Client
from tests.clients.nginx import nginx_before

from valetkey.explain.causes import Cause
from valetkey.testing.server import RunningServer

JS: Final = Path(__file__).parent / "js"
AWS: Final = Path(sys.executable).with_name("aws")
OTHER_SECRET: Final = "another/secret of the same person!"

_BASE: Final = """
import { text } from 'node:stream/consumers'
const task = JSON.parse(await text(process.stdin))
const url = task.url
"""
_SDK: Final = """
import { connect, task, tell } from './client.mjs'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What somebody gives to `valetkey explain`."""

    text: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A server, a bucket with an object in it, and the tools."""

    server: RunningServer
    bucket: str
    folder: Path

    def boto(self, **options: Any) -> S3Client:
        """Return a boto3 client that signs with SigV4, unless `options` say otherwise."""
        given = {
            "secret": self.server.secret_key, "access_key": self.server.access_key,
            "endpoint": self.server.endpoint, "region": self.server.region, "token": None, "version": "s3v4",
            "style": "path",
        } | options  # fmt: skip
        session = boto3.session.Session(
            aws_access_key_id=given["access_key"],
            aws_secret_access_key=given["secret"],
            aws_session_token=given["token"],
            region_name=given["region"],
        )
        config = Config(signature_version=given["version"], s3={"addressing_style": given["style"]})
        return session.client("s3", endpoint_url=given["endpoint"], config=config)

    def url(self, key: str = "folder/a report.pdf", method: str = "get_object", **options: Any) -> str:
        """Return a URL that boto3 presigned for an object."""
        parameters = {"Bucket": self.bucket, "Key": key} | options.pop("parameters", {})
        lifetime = options.pop("lifetime", 3600)
        signed: str = self.boto(**options).generate_presigned_url(
            method, Params=parameters, ExpiresIn=lifetime
        )
        return signed

    def aws(self, *arguments: str, **environment: str) -> str:
        """Return what the AWS CLI printed."""
        own = {
            "AWS_ACCESS_KEY_ID": self.server.access_key, "AWS_SECRET_ACCESS_KEY": self.server.secret_key,
            "AWS_DEFAULT_REGION": self.server.region, "AWS_ENDPOINT_URL": self.server.endpoint,
            "AWS_CONFIG_FILE": str(self._config()), "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": os.environ["PATH"], "HOME": str(self.folder),
        } | environment  # fmt: skip
        command = [sys.executable, str(AWS), *arguments]
        return subprocess.run(command, env=own, capture_output=True, text=True, check=True).stdout.strip()

    def _config(self) -> Path:
        path = self.folder / "aws-config"
        path.write_text("[default]\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n")
        return path

    def sh(self, command: str, **variables: str) -> str:
        """Return what a command of bash printed, whether it failed or not."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | variables
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def curl(self, url: str, *arguments: str) -> str:
        """Return the body of an answer that is a refusal."""
        command = ["curl", "-s", "-o", "-", "-w", "\n%{http_code}", *arguments, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=self.folder)
        body, _, status = done.stdout.rpartition("\n")
        assert int(status) >= 400, f"{status} for {url}"
        return body

    def node(self, code: str, **task: Any) -> Any:
        """Return what a script of Node printed as JSON; `url` is the task's URL."""
        return self._run_node(_BASE + code + "\nprocess.stdout.write(JSON.stringify(result))", task)

    def sdk(self, code: str, **task: Any) -> Any:
        """Return what a script with the JavaScript SDK told."""
        own = {
            "endpoint": self.server.endpoint, "region": self.server.region,
            "accessKey": self.server.access_key, "secretKey": self.server.secret_key, "bucket": self.bucket,
        }  # fmt: skip
        return self._run_node(_SDK + code + "\ntell(result)", own | task)

    def _run_node(self, code: str, task: dict[str, Any]) -> Any:
        done = subprocess.run(
            ["node", "--input-type=module", "-e", code], cwd=JS, input=json.dumps(task),
            capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def through_nginx(self, location: str, ask: Callable[[str], Pasted]) -> Pasted:
        """Return what somebody pastes who asks the server by way of nginx, whose endpoint `ask` gets."""
        with nginx_before(self.server, self.folder, location) as endpoint:
            return ask(endpoint)


Run = Callable[[Box], Pasted | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way in which people break a presigned URL."""

    name: str
    title: str
    made_by: str
    cause: Cause
    run: Run


WAYS: Final[dict[str, Way]] = {}


def way(title: str, *, by: str, cause: Cause) -> Callable[[Run], Run]:
    """Return a decorator that lists a way under the name of its function."""

    def listed(run: Run) -> Run:
        name = run.__name__.replace("_", "-")
        assert name not in WAYS, name
        WAYS[name] = Way(name=name, title=title, made_by=by, cause=cause, run=run)
        return run

    return listed
