#!/usr/bin/env python3
"""restored_rows.py BEFORE AFTER: the rows of ca.db that were made again from the ledger are those that were lost,
but for what no leaf has. Each table and each column is compared; one that is new must be thought of here."""
import ctypes
import sqlite3
import sys

zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_createDCtx.restype = ctypes.c_void_p
zstd.ZSTD_decompress_usingDict.restype = ctypes.c_size_t
zstd.ZSTD_decompress_usingDict.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                           ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
context = zstd.ZSTD_createDCtx()

EMPTY = b""
# column -> what a restored row may have instead
LOST = {
    ("request", "transaction_id"): lambda row: None,
    ("request", "requester"): lambda row: None,
    ("request", "evidence"): lambda row: EMPTY,
    ("request", "tbs"): lambda row: None,  # of what was given up
    ("request", "confirm"): lambda row: 0,
    ("request", "created"): None,  # the time of the leaf, which is that or later
    ("request", "leaf"): None,
    ("request", "message_time"): lambda row: None if row["renews"] is None else row["message_time"],
    ("request", "phrase"): None,
    ("request", "fail_info"): None,
    ("certificate", "request"): None,  # its place among those that were made again
    ("registration", "state"): lambda row: 1 if row["state"] == 0 and row["used"] < row["certificates"] else None,
    ("registration", "leaf"): None,
    ("confirmation", "rid"): lambda row: row["request"],
    ("confirmation", "evidence"): lambda row: EMPTY,
    ("confirmation", "leaf"): None,
    ("revocation_request", "evidence"): lambda row: EMPTY,
    ("pending", "transaction_id"): lambda row: row["rid"],
    ("pending", "requester"): lambda row: EMPTY,
    ("pending", "spki_sha256"): lambda row: bytes(32),
    ("pending", "evidence"): lambda row: EMPTY,
    ("pending", "expires"): lambda row: row["created"] + 1,
    ("pending", "open"): lambda row: 0,  # refused
    ("crl", "der"): lambda row: EMPTY,
    ("crl", "entries"): None,
}
KEYS = {
    "registration": "id", "public_key": "sha256", "request": "rid", "certificate": "(SELECT serial FROM request WHERE rowid = request)", "revocation": "serial",
    "confirmation": "request", "crl": "number", "setting": "name", "pending": "rid", "approval": "leaf",
    "revocation_request": "rid", "again": "rid", "queue_head": "hash", "leaf": "idx", "completed": "idx",
    "leaf_subject": "idx", "checkpoint": None, "sqlite_sequence": None,
    "scrub": None, "journal": None, "attempted": None,  # made anew
    "dictionary": None,
}


def unpacked(db, value):
    """What db/store/packed.h says."""
    if not isinstance(value, bytes) or value[:1] != b"\0" or len(value) == 32:  # hashes, too, begin with 0
        return value
    dictionary = db.execute("SELECT octets FROM dictionary WHERE id = ?", (int.from_bytes(value[1:4], "big"),)).fetchone()
    frame = b"\x28\xb5\x2f\xfd" + value[4:]
    dictionary = dictionary[0] if dictionary else b""
    out = ctypes.create_string_buffer(131072)
    n = zstd.ZSTD_decompress_usingDict(context, out, len(out), frame, len(frame), dictionary, len(dictionary))
    return out.raw[:n] if n <= len(out) else value


def rows(db, table, key):
    db.row_factory = sqlite3.Row
    return {row["key_"]: {column: unpacked(db, row[column]) for column in row.keys()}
            for row in db.execute(f"SELECT {key} AS key_, * FROM {table}")}


before, after = (sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) for path in sys.argv[1:3])
tables = [row[0] for row in before.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
faults = []
compared = 0
for table in sorted(tables):
    if table not in KEYS:
        faults.append(f"table {table}: not thought of here")
        continue
    if KEYS[table] is None:
        continue
    old, new = rows(before, table, KEYS[table]), rows(after, table, KEYS[table])
    for key, row in old.items():
        if key not in new:
            faults.append(f"{table} {key!r} did not come back")
            continue
        for column in row.keys():
            compared += 1
            if row[column] == new[key][column]:
                continue
            lost = LOST.get((table, column), False)
            if lost is False or (lost is not None and new[key][column] != lost(row)):
                faults.append(f"{table}.{column} of {key!r} was {row[column]!r:.60} and is {new[key][column]!r:.60}")
print("\n".join(faults) or f"{compared} values in {len(tables)} tables")
sys.exit(1 if faults else 0)
