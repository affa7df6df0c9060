"""Templates are compiled once in a process, however many applications it makes."""

from __future__ import annotations

from jinja2.bccache import Bucket, BytecodeCache

_compiled: dict[str, bytes] = {}


class InThisProcess(BytecodeCache):
    """Keeps what Jinja made of a template's text; another text has another checksum."""

    def load_bytecode(self, bucket: Bucket) -> None:
        if (known := _compiled.get(f"{bucket.key} {bucket.checksum}")) is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        _compiled[f"{bucket.key} {bucket.checksum}"] = bucket.bytecode_to_string()
