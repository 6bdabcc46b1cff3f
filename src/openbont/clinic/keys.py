"""Keys of an encrypted database.

passphrase -> Argon2id -> wrapping key -> AES key wrap (RFC 3394) -> the database's own random key

The wrapped key lies beside the database, in a small text file. The recovery key is the database's
key itself, as it is printed: it opens the database even where that file is lost.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbont.clinic.disk import write_private
from openbont.errors import BadInput, Damaged

KEY_BYTES, SALT_BYTES, CHECK_BYTES = 32, 16, 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of a passphrase costs (RFC 9106, second recommended choice)."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


def new_key() -> bytes:
    """A random key."""
    return secrets.token_bytes(KEY_BYTES)


def key_file(database: Path) -> Path:
    """Where the wrapped key of a database lies."""
    return database.with_name(f"{database.name}.key")


def keep_key(file: Path, key: bytes, passphrase: str, cost: Cost | None = None) -> None:
    """Wrap `key` by `passphrase` into `file`, in one step."""
    from cryptography.hazmat.primitives.keywrap import aes_key_wrap

    cost, salt = cost or Cost(), secrets.token_bytes(SALT_BYTES)
    wrapped = aes_key_wrap(_wrapping_key(passphrase, salt, cost), key)
    data = {
        "about": "key of an OpenBoNT database, wrapped: keep it beside the database",
        "kdf": "argon2id",
        "passes": cost.passes,
        "memory_kib": cost.memory_kib,
        "lanes": cost.lanes,
        "salt": salt.hex(),
        "wrapped": wrapped.hex(),
    }
    write_private(file, (json.dumps(data, indent=2) + "\n").encode())


def open_key(file: Path, secret: str) -> bytes:
    """The key that a passphrase, or the recovery key, opens."""
    if (key := key_of(secret)) is not None:
        return key
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

    data = _kept(file)
    try:
        cost = Cost(data["passes"], data["memory_kib"], data["lanes"])
        wrapping = _wrapping_key(secret, bytes.fromhex(data["salt"]), cost)
        return aes_key_unwrap(wrapping, bytes.fromhex(data["wrapped"]))
    except InvalidUnwrap:
        way_out = "type it again, or give the recovery key instead"
        raise BadInput(str(file), "the passphrase does not open it", way_out) from None
    except (KeyError, TypeError, ValueError):
        raise _unreadable(file) from None


def _kept(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        way_out = "put it back from a backup, or give the recovery key instead"
        raise BadInput(str(file), "the file with the wrapped key is not there", way_out) from None
    except (OSError, ValueError):
        raise _unreadable(file) from None
    return data if isinstance(data, dict) else {}


def _unreadable(file: Path) -> Damaged:
    way_out = "put it back from a backup, or give the recovery key instead"
    return Damaged(str(file), "the wrapped key cannot be read", way_out)


def _wrapping_key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )


# ---- the recovery key: 14 groups of 4 letters and digits, the last of them a checksum


def recovery_key(key: bytes) -> str:
    """`key` as it is printed and kept in a safe place."""
    text = base64.b32encode(key + _check(key)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def key_of(secret: str) -> bytes | None:
    """The key, where `secret` is a recovery key without a slip."""
    try:
        data = base64.b32decode("".join(secret.upper().replace("-", " ").split()))
    except ValueError:
        return None
    key, check = data[:KEY_BYTES], data[KEY_BYTES:]
    return key if len(key) == KEY_BYTES and check == _check(key) else None


def _check(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:CHECK_BYTES]
