"""An S3 bucket on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import free_port

_KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def bucket() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Its URL, its server's address, and the environment of whoever uses it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
        region_name=_KEYS["AWS_DEFAULT_REGION"],
    )
    client.create_bucket(Bucket="understudy-ray")
    client.close()
    try:
        yield "s3://understudy-ray/some", endpoint, _KEYS
    finally:
        server.stop()
