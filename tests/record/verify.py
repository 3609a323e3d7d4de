"""Verifies a record of Portcullis by its documentation (docs/record.md) alone, with nothing of its code.

    python3 verify.py CHECKPOINTS FILE...

The files are those of one or more chains, in any order. Says what it has proved, or the first thing that is wrong (exit 1).
The signatures are checked where the package `cryptography` is there; otherwise that is said.
"""
import base64, hashlib, json, os, sys

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None


def sha(data):
    return hashlib.sha256(data).digest()


def fail(words):
    print("WRONG:", words)
    sys.exit(1)


def blocks_of(path):
    """Yields (chain, number, prev, hash, lines) for each footer; `lines` are the hashes above it."""
    lines = []
    for line in open(path, "rb"):
        kind = b""
        if line.startswith(b'{"v":1,"type":"record.') and line.endswith(b"}\n"):
            kind = line[22:].split(b'"')[0]
        if kind == b"block":
            said = json.loads(line)
            leaves = base64.b64decode(said["leaves"]) if "leaves" in said else None
            told = b"".join(leaf[:8] for leaf in lines)
            # A footer at the very beginning is of lines at the end of the file before.
            if lines and leaves is not None and leaves != told:
                fail(f"{path}: the lines of block {said['number']} are not those of its footer")
            yield said["chain"], said["number"], bytes.fromhex(said["prev"]), bytes.fromhex(said["hash"]), lines
            lines = []
        elif kind == b"hash":
            lines.append(bytes.fromhex(json.loads(line)["hash"]))
        elif line.endswith(b"\n"):
            lines.append(sha(line))
    if lines:
        print(f"{os.path.basename(path)}: {len(lines)} lines at the end are in no block yet")


def chains_of(paths):
    chains = {}
    for path in paths:
        for chain, number, prev, own, lines in blocks_of(path):
            if sha(prev + b"".join(lines)) != own:
                fail(f"{path}: block {number} has not the hash that it says")
            if number in chains.setdefault(chain, {}):
                fail(f"{path}: block {number} of {chain} is there twice")
            chains[chain][number] = (prev, own, len(lines))
    for chain, blocks in chains.items():
        numbers = sorted(blocks)
        for before, after in zip(numbers, numbers[1:]):
            if after != before + 1:
                fail(f"{chain}: blocks {before + 1} to {after - 1} are gone")
            if blocks[after][0] != blocks[before][1]:
                fail(f"{chain}: block {after} is not behind block {before}")
    return chains


def notes_of(path):
    parts = [part.strip("\n") for part in open(path, encoding="utf-8", errors="replace").read().split("\n\n")]
    parts = [part for part in parts if part]
    for text, signed in zip(parts, parts[1:]):
        if signed.startswith("\u2014 ") and not text.startswith("\u2014 "):
            name, signature = signed[2:].split(" ")
            yield text + "\n", name, base64.b64decode(signature)


class Key:
    def __init__(self, text):
        self.name, self.id, key = text.split("+", 2)
        raw = base64.b64decode(key)
        if raw[0] != 1 or sha(self.name.encode() + b"\n" + raw)[:4].hex() != self.id:
            fail(f"{text} is no key")
        self.raw = raw[1:]

    def signed(self, text, name, signature):
        if (name, signature[:4].hex()) != (self.name, self.id):
            return False
        if Ed25519PublicKey:
            try:
                Ed25519PublicKey.from_public_bytes(self.raw).verify(signature[4:], text.encode())
            except Exception:
                fail(f"a signature of {self.name} is not of its text:\n{text}")
        return True


def checkpoints_of(path):
    keys, found, seen = {}, [], {}
    for text, name, signature in notes_of(path):
        lines = text.splitlines()
        origin = lines[0]
        if lines[1].startswith("key "):
            key = Key(lines[1][4:])
            by = keys[origin][-1] if origin in keys else key
            if not by.signed(text, name, signature):
                fail(f"the word for key {key.id} is not signed by key {by.id}")
            keys.setdefault(origin, []).append(key)
            continue
        if origin not in keys or not keys[origin][-1].signed(text, name, signature):
            fail(f"checkpoint {lines[1]} is not signed by the key of its time")
        below = "".join(line + "\n" for line in lines[3:])
        if base64.b64decode(lines[2]) != sha(below.encode()):
            fail(f"checkpoint {lines[1]} has not the root of what stands below")
        after = [line.split(" ") for line in lines if line.startswith("after ")]
        last = seen.get(origin)
        expected = [["after", str(last[0]), sha(last[1].encode()).hex()]] if last else []
        if after != expected:
            fail(f"before checkpoint {lines[1]} another one is gone")
        seen[origin] = (int(lines[1]), text)
        found += [line.split(" ")[1:4] for line in lines if line.startswith("head ")]
    return found


def main(log, *paths):
    signed, chains = checkpoints_of(log), chains_of(paths)
    for chain, blocks in sorted(chains.items()):
        proved = 0
        for name, number, own in signed:
            if name == chain and int(number) in blocks:
                if blocks[int(number)][1].hex() != own:
                    fail(f"{chain}: block {number} is not the one that was signed")
                proved = max(proved, int(number))
            elif name == chain and int(number) > max(blocks) and "--part" not in sys.argv:
                fail(f"{chain}: block {number} was signed, and is gone")
        lines = sum(count for number, (_, _, count) in blocks.items() if number <= proved)
        print(f"{chain}: {lines} lines proved, up to block {proved} of {max(blocks)}")
    print("signatures checked" if Ed25519PublicKey else "signatures NOT checked: no package `cryptography`")


main(*[argument for argument in sys.argv[1:] if argument != "--part"])
