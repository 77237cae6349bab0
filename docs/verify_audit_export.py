#!/usr/bin/env python3
"""Verify an export of NEXA's audit log, offline: python verify_audit_export.py EXPORT --key KID:KEY [--kept EARLIER]
[--archive FILE].

For whoever does not want to take NEXA's word for it. Needs Python 3.11 and nothing else, but for the signatures of
seals, which need the package `cryptography`. What it shows:

  * every entry is as it was written: its link holds a digest of its values, address and reason;
  * no entry was removed, added or moved: each link holds the one before, up to the head;
  * nobody rewrote the whole chain before an hourly seal: a seal is signed with a key that is not in the database. Get
    the key (--key) from NEXA's operator by another way than the export, or compare it with what you were given before;
  * nobody rewrote or cut a chain since an export you kept (--kept, may be repeated): its heads and seals must be found
    again in this one. Keep your exports: a rewriting with all seals removed can be seen in no other way. Where entries
    expired, what you kept of them is looked for in the archive that was made of them (--archive, may be repeated: the
    .gz as it was written; the export holds its digest). Ask NEXA's operator for it.

EXPORT is an .ndjson or .csv file, or a .gz of one, from /api/audit/export. A filtered export shows that each of its
entries is as it was written, not that none is missing. Exit code 0: all verifies; 1: something is wrong; 2: usage;
3: nothing is wrong with what could be checked, but something you kept could not be.
"""

import argparse
import base64
import csv
import gzip
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta

NO_ORGANIZATION = "00000000-0000-0000-0000-000000000000"
MOST_FAULTS = 100
GENESIS = hashlib.sha256(b"nexa audit chain").digest()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Number(str):
    """A number with exactly the digits it was written with: 1.10 is not 1.1 in a digest."""


def jsonb(value):
    """The text PostgreSQL gives a jsonb value: keys by length, then by their bytes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, Number)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(map(jsonb, value)) + "]"
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return "{" + ", ".join(f"{jsonb(key)}: {jsonb(value[key])}" for key in keys) + "}"


def parsed(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def micros(at):
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(microseconds=1)


def signed_text(*parts):
    return json.dumps(parts, ensure_ascii=False).encode()


class Lines:
    """The file's lines, each digested when the next one is asked for: the last says what all before it digest to."""

    def __init__(self, file):
        self.file, self.digest, self.number, self.last = file, hashlib.sha256(), 0, b""

    def __iter__(self):
        for line in self.file:
            self.digest.update(self.last)
            self.last, self.number = line, self.number + 1
            yield line.decode()


def records(lines, is_csv):
    """Every record as a dictionary, nothing as None."""
    if not is_csv:
        for line in lines:
            yield parsed(line)
        return
    csv.field_size_limit(sys.maxsize)
    for row in csv.DictReader(lines):
        cells = {name: (cell or None) for name, cell in row.items()}
        for name in ("action", "resource_type", "old_values", "new_values", "reason", "user_agent", "actor_scope"):
            if (cells.get(name) or "").startswith("'"):
                cells[name] = cells[name][1:]
        for name in ("old_values", "new_values", "note"):
            if cells.get(name) is not None:
                cells[name] = parsed(cells[name])
        yield cells


class Chain:
    """One organization's chain as far as it has been read."""

    def __init__(self, identifier, head):
        note = head.get("note") or {}
        self.identifier = identifier
        self.name = note.get("organization") or ("no organization" if identifier == NO_ORGANIZATION else identifier)
        self.head = (int(head["sequence"]), head["hash"])
        self.last, self.hash = 0, GENESIS
        self.seals, self.seal_before, self.stubs = {}, None, {}
        self.seen = {0: GENESIS.hex()}  # links that were kept too, and what they are here
        self.unchecked = set()  # links that were kept and are not here
        self.entries = self.gaps = self.sealed = 0
        self.erased = {}  # entries without values: whether a record of an erasure, further on, names them


class Verifier:
    """Reads one export; ``faults`` are the sentences that say what is wrong where."""

    def __init__(self, keys=None, kept=(), check_signatures=True, archives=(), is_archive=False):
        self.keys, self.kept, self.check_signatures, self.archives = keys, kept, check_signatures, archives
        self.faults, self.more, self.chains, self.anchors = [], 0, {}, {}
        self.is_archive = is_archive
        self.is_filtered, self.organization, self.ended, self.written = False, None, False, 0
        self.chain = None

    def read(self, path):
        opened = gzip.open if path.endswith(".gz") else open
        with opened(path, "rb") as file:
            self.lines = Lines(file)
            try:
                for record in records(self.lines, ".csv" in path[-7:]):
                    self.take(record)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EOFError, OSError) as error:
                self.fault(f"this cannot be read ({type(error).__name__}: {error})")
        self.close_chain()
        if not self.ended:
            self.fault("the file ends early; it was cut, or its export was interrupted")
        if self.is_archive:  # which only an export gives its place in the chain
            with open(path, "rb") as file:
                self.file_digest = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            self.take_in_archives()
            self.compare_with_kept()
        return self

    def fault(self, what, sequence=None, entry=None):
        places = [f"line {self.lines.number}"]
        places += [self.chain.name] if self.chain else []
        places += [f"link {sequence}"] if sequence is not None else []
        places += [f"entry {entry}"] if entry else []
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{', '.join(places)}: {what}")
        else:
            self.more += 1

    def take(self, record):
        if self.ended:
            self.fault("there is something after the end")
        kind = record["record"]
        if kind == "export":
            note = record["note"]
            self.is_filtered, self.organization = bool(note["filter"]), note["organization"]
            self.own_keys = note["keys"]
        elif kind == "chain":
            self.close_chain()
            if record["chain"] in self.chains:
                self.fault("this chain is in the file twice")
            self.chain = self.chains[record["chain"]] = Chain(record["chain"], record)
            for archive in self.archives:  # whose erasures may be recorded further on
                if record["chain"] in archive.chains:
                    self.chain.erased.update(archive.chains[record["chain"]].erased)
        elif kind == "end":
            self.ended = True
            if record["hash"] != self.lines.digest.hexdigest() or int(record["sequence"]) != self.written:
                self.fault("the file was changed after it was written: its digest or count is another")
        else:
            {"seal": self.seal, "archive": self.stub, "entry": self.entry}[kind](record)

    def seal(self, record):
        chain, sequence = self.of(record), int(record["sequence"])
        text = signed_text(
            "nexa audit seal", record["chain"], sequence, record["hash"], micros(record["at"]), record["previous"],
            record["kid"],
        )  # fmt: skip
        if not self.is_signed(text, record):
            self.fault("this seal is not signed with a key you trust", sequence)
            return
        if record["previous"] != chain.seal_before:
            self.fault("a seal is missing before this one", sequence)
        chain.seals[sequence], chain.seal_before = record["hash"], record["signature"]

    def stub(self, record):
        chain, sequence, note = self.of(record), int(record["sequence"]), record["note"]
        first = int(note["first"])
        text = signed_text(
            "nexa audit archive", record["chain"], first, sequence, record["hash"], note["digest"],
            micros(record["at"]), record["kid"],
        )  # fmt: skip
        if not self.is_signed(text, record):
            self.fault("the stub of the entries that expired is not signed with a key you trust", sequence)
        if first != chain.last + 1:
            self.fault("entries are missing before those that expired", first)
        chain.last, chain.hash = sequence, bytes.fromhex(record["hash"])
        chain.seen[sequence] = record["hash"]
        chain.stubs[note["digest"]] = sequence, record["hash"]

    def entry(self, record):
        self.written += 1
        chain, sequence, identifier = self.of(record), int(record["sequence"]), record["id"]
        before = chain.hash
        if sequence != chain.last + 1:
            if not self.is_filtered:
                self.fault("links are missing before this one, or it is out of place", sequence, identifier)
            chain.gaps += 1
            before = bytes.fromhex(record.get("previous") or "")
        elif self.is_filtered and sequence > 1 and record.get("previous") not in (None, before.hex()):
            self.fault("this link does not follow the one before", sequence, identifier)
        stated, digest = record["hash"], record["digest"]
        if identifier is None:
            self.fault("the entry of this link is gone", sequence)
        else:
            self.check_values(chain, record, sequence, digest)
            link = [
                Number(sequence), identifier, Number(micros(record["at"])), record["organization_id"],
                record["user_id"], record["action"], record["resource_type"], record["resource_id"],
                record["request_id"], record["actor_scope"], digest,
            ]  # fmt: skip
            owner = record["organization_id"] or NO_ORGANIZATION
            if hashlib.sha256(before + jsonb(link).encode()).hexdigest() != stated or owner != record["chain"]:
                self.fault("the entry or its place was changed", sequence, identifier)
        if chain.seals.get(sequence, stated) != stated:
            self.fault("the seal of this link is for another history", sequence, identifier)
        chain.sealed += sequence in chain.seals
        self.remember(record["chain"], chain, sequence, stated)
        chain.entries, chain.last, chain.hash = chain.entries + 1, sequence, bytes.fromhex(stated)

    def check_values(self, chain, record, sequence, digest):
        values = [record[name] for name in ("old_values", "new_values", "ip_address", "user_agent", "reason")]
        if not record["salt"] and not any(value is not None for value in values):
            chain.erased[record["id"]] = sequence  # values and salt went, the digest in the link stays
        elif hashlib.sha256(bytes.fromhex(record["salt"] or "") + jsonb(values).encode()).hexdigest() != digest:
            self.fault("the values, address or reason were changed", sequence, record["id"])
        elif record["action"] == "user.erased":
            for named in (record["new_values"] or {}).get("erased_entries", ()):
                if named in chain.erased:
                    chain.erased[named] = None

    def of(self, record):
        if self.chain is None or self.chains.get(record["chain"]) is not self.chain:
            raise ValueError("a record stands outside of its chain")
        return self.chain

    def close_chain(self):
        """What can be said only when a chain is whole: that it reaches its head and every seal."""
        chain = self.chain
        if chain is None:
            return
        if not self.is_filtered:
            for identifier, sequence in chain.erased.items():
                if sequence is not None and not self.is_archive:
                    self.fault("this entry is empty, and no erasure of a person accounts for it", sequence, identifier)
            if (chain.last, chain.hash.hex()) != (chain.head[0], chain.head[1]):
                self.fault("the chain does not end at its head: its tail was cut or rewritten", chain.head[0])
            if not chain.head[0] and chain.identifier != NO_ORGANIZATION:
                self.fault("this organization's chain is gone: that it was made is an entry already")
            for sequence in chain.seals:
                if sequence > chain.last:
                    self.fault("a sealed link is beyond the end: the tail was cut", sequence)
        self.chain = None

    def remember(self, identifier, chain, sequence, stated):
        if any(sequence in earlier.anchors.get(identifier, {}) for earlier in self.kept):
            chain.seen[sequence] = stated

    def take_in_archives(self):
        """An archive is the file whose digest a stub holds, and ends where that stub says."""
        for archive in self.archives:
            for identifier, found in archive.chains.items():
                self.chain = self.chains.get(identifier)
                stub = self.chain.stubs.get(archive.file_digest) if self.chain else None
                if stub is None:
                    self.fault(f"an archive of {found.name} is not one that this export names")
                elif (found.last, found.hash.hex()) != stub:
                    self.fault("the archive of the entries that expired is of another history", stub[0])
                else:
                    self.chain.seen.update(found.seen)
        self.chain = None

    def compare_with_kept(self):
        """Heads and seals of exports that were kept outside must be found again."""
        for identifier, chain in self.chains.items():
            self.anchors[identifier] = {**chain.seals, chain.head[0]: chain.head[1]}
        for earlier in self.kept:
            for identifier, anchors in earlier.anchors.items():
                chain = self.chain = self.chains.get(identifier)
                if chain is None:
                    if self.organization in (None, identifier):
                        self.fault(f"the chain of {earlier.chains[identifier].name}, which you kept, is gone")
                    continue
                for sequence, hashed in sorted(anchors.items()):
                    if sequence > chain.head[0]:
                        self.fault("the chain was longer in an export you kept: its tail was cut", sequence)
                    elif sequence not in chain.seen:
                        chain.unchecked.add(sequence)
                    elif chain.seen[sequence] != hashed:
                        self.fault("this link was another in an export you kept: the chain was rewritten", sequence)
        self.chain = None

    def is_signed(self, text, record):
        if not self.check_signatures:
            return True
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = (self.own_keys if self.keys is None else self.keys).get(record["kid"])
        if key is None:
            return False
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
            public.verify(bytes.fromhex(record["signature"]), text)
        except (InvalidSignature, ValueError):
            return False
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export")
    parser.add_argument("--key", action="append", metavar="KID:KEY", help="a public key of NEXA's that you trust")
    parser.add_argument("--kept", action="append", default=[], metavar="EARLIER", help="an export you kept")
    parser.add_argument(
        "--archive", action="append", default=[], metavar="FILE", help="what was made of expired entries, oldest first"
    )
    parser.add_argument("--without-signatures", action="store_true", help="where cryptography cannot be installed")
    asked = parser.parse_args()
    if not asked.without_signatures:
        try:
            import cryptography  # noqa: F401
        except ImportError:
            print("Signatures need: pip install cryptography. Without it: --without-signatures", file=sys.stderr)
            return 2
    keys = dict(key.split(":", 1) for key in asked.key) if asked.key else None
    kept, archives, faults, unchecked = [], [], [], 0
    for path in asked.kept:
        earlier = Verifier(keys, (), not asked.without_signatures).read(path)
        faults += [f"{path}: {fault}" for fault in earlier.faults]
        kept.append(earlier)
    for path in asked.archive:
        archive = Verifier(keys, kept, not asked.without_signatures, tuple(archives), is_archive=True).read(path)
        faults += [f"{path}: {fault}" for fault in archive.faults]
        archives.append(archive)
    found = Verifier(keys, kept, not asked.without_signatures, archives).read(asked.export)
    faults += found.faults
    for fault in faults:
        print(fault)
    for chain in found.chains.values():
        parts = [f"{chain.entries:,} entries", f"{len(chain.seals)} seals"]
        parts += [f"{len(chain.erased)} erased"] if chain.erased else []
        parts += [f"{chain.gaps} gaps, as the export is filtered"] if chain.gaps and found.is_filtered else []
        print(f"{chain.name}: {', '.join(parts)}, up to link {chain.last:,} of {chain.head[0]:,}")
        if chain.unchecked:
            where = "are not in this filtered export" if found.is_filtered else "lie in entries that expired"
            what = "compare a whole one" if found.is_filtered else "give their archive (--archive)"
            print(f"{chain.name}: {len(chain.unchecked):,} links you kept {where}; {what}")
            unchecked += len(chain.unchecked)
    if keys is None and any(chain.seals for chain in found.chains.values()):
        print("Note: the seals were checked with the keys that are in the export itself. Name yours with --key.")
    if not found.is_filtered and any(not chain.seals for chain in found.chains.values()):
        print("Note: a chain has no seal yet. Only an export you kept (--kept) shows a rewriting of the whole chain.")
    if faults:
        print(f"{len(faults) + found.more} faults.")
        return 1
    if unchecked:
        print("Nothing is wrong with what could be checked, but not everything you kept could be.")
        return 3
    print("It verifies.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
