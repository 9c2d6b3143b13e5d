"""Small models, their cards, and an S3 service that really answers on a port."""

from __future__ import annotations

import threading
import uuid

import boto3
import numpy as np
import pytest
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, fingerprint
from leadlab.models.matrix import matrix
from leadlab.registry import Card, Registry

AT = "2026-01-01T00:00:00Z"


def card(**change):
    parts = {
        "intended_use": "Order the calls of a morning.",
        "data": "Leads made up for a test.",
        "metrics": "None that count.",
        "limits": "Everything else.",
        "fairness": "No groups to compare.",
    }
    return Card(**{**parts, **change})


def fitted(seed=0, rounds=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 2)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    model = ConversionModel(rounds=rounds, min_child_weight=1, max_depth=2, seed=seed).fit(X, y)
    return model, About(fingerprint=fingerprint(matrix(X), y), metrics={"roc_auc": 0.5 + seed / 10})


@pytest.fixture(scope="session")
def model():
    return fitted()


@pytest.fixture(scope="session")
def s3_server():
    """A service of one step for check and write, as S3 itself is; moto takes two."""
    one_at_a_time = threading.Lock()
    put = S3Response.put_object

    def put_in_one_step(self):
        with one_at_a_time:
            return put(self)

    S3Response.put_object = put_in_one_step
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    S3Response.put_object = put


@pytest.fixture
def s3_env(s3_server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "not-a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return s3_server


@pytest.fixture
def bucket(s3_env):
    name = f"b-{uuid.uuid4().hex}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture(params=["folder", "s3"])
def address(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "registry")
    return f"s3://{request.getfixturevalue('bucket')}/some/prefix"


@pytest.fixture
def registry(address):
    return Registry(address)


@pytest.fixture
def folder(tmp_path):
    return Registry(tmp_path / "registry")


def filled(registry, model, versions=3, name="hot"):
    for _ in range(versions):
        registry.register(name, model[0], model[1], card=card(), created_at=AT)
    return registry
