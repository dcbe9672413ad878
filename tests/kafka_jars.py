"""Apache Kafka's jars for tests, fetched by Maven once.

`tests/kafka/pom.xml` pins them; they stay in `.kafka/` at the project's root. `python -m tests.kafka_jars` only fetches
them.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
POM = ROOT / "tests" / "kafka" / "pom.xml"
CACHE = ROOT / ".kafka"


class KafkaUnavailable(RuntimeError):
    """Kafka could not be fetched, started or stopped; the message says what to do or shows the log's end."""


def pinned_version(pom: Path = POM) -> str:
    """The Kafka version that `pom` pins, for example `4.4.0`."""
    version = ElementTree.parse(pom).findtext("{*}properties/{*}kafka.version")
    if not version:
        raise KafkaUnavailable(f"{pom} has no property kafka.version")
    return version


def kafka_jars(cache: Path = CACHE, pom: Path = POM) -> Path:
    """The folder with Kafka's jars, fetched by Maven if `cache` does not hold this pom's yet.

    Safe to call from several test runs at once: the folder appears whole or not at all.
    Raises KafkaUnavailable if Maven is missing or fails.
    """
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:8]
    jars = cache / f"{pinned_version(pom)}-{digest}"
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            "Apache Kafka's jars are fetched by Maven: install `mvn`, or leave `-m kafka` out"
        )
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache))
    try:
        command = [maven, "-q", "-B", "-Dstyle.color=never", "-f", str(pom), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
        fetched = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if fetched.returncode != 0:
            raise KafkaUnavailable(f"Maven could not fetch Kafka's jars:\n{fetched.stdout}{fetched.stderr}")
        # Another run may have been faster; its folder is as good as ours.
        with contextlib.suppress(OSError):
            fresh.rename(jars)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return jars


if __name__ == "__main__":
    print(f"Apache Kafka {pinned_version()} is in {kafka_jars()}")
