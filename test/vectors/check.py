#!/usr/bin/env python3
"""Checks the vectors in the folders good and bad beside this file.

A second implementation of the formats of docs/SPEC.md, written from that text: plain Python and its
standard library, no code in common with the first. It is slow, it is not constant-time, and it is
for nothing but checking vectors.

    python3 check.py            all files; exit status 1 if one is not as it says
"""
import base64
import functools
import json
import pathlib
import string
import sys
import unicodedata
import zlib

# ---------------------------------------------------------------- SM3 (GB/T 32905)

M32 = 0xFFFFFFFF


def rol(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & M32


@functools.lru_cache(maxsize=None)
def sm3(data):
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    data = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    for at in range(0, len(data), 64):
        w = [int.from_bytes(data[at + 4 * i:at + 4 * i + 4], "big") for i in range(16)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rol(w[j - 3], 15)
            w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            t = 0x79CC4519 if j < 16 else 0x7A879D8A
            ss1 = rol((rol(a, 12) + e + rol(t, j)) & M32, 7)
            ss2 = ss1 ^ rol(a, 12)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & M32 & g)
            tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & M32
            tt2 = (gg + h + ss1 + w[j]) & M32
            a, b, c, d = tt1, a, rol(b, 9), c
            e, f, g, h = tt2 ^ rol(tt2, 9) ^ rol(tt2, 17), e, rol(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in v)


# ---------------------------------------------------------------- SM2 (GB/T 32918, sm2p256v1)

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


def double(p):
    x, y, z = p
    if y == 0 or z == 0:
        return (1, 1, 0)
    s = 4 * x * y * y % P
    m = (3 * x * x + A * pow(z, 4, P)) % P
    x2 = (m * m - 2 * s) % P
    return (x2, (m * (s - x2) - 8 * pow(y, 4, P)) % P, 2 * y * z % P)


def add(p, q):
    if p[2] == 0:
        return q
    if q[2] == 0:
        return p
    x1, y1, z1 = p
    x2, y2, z2 = q
    u1, u2 = x1 * z2 * z2 % P, x2 * z1 * z1 % P
    s1, s2 = y1 * pow(z2, 3, P) % P, y2 * pow(z1, 3, P) % P
    if u1 == u2:
        return double(p) if s1 == s2 else (1, 1, 0)
    h, r = (u2 - u1) % P, (s2 - s1) % P
    h2 = h * h % P
    h3, v = h2 * h % P, u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return (x3, (r * (v - x3) - s1 * h3) % P, h * z1 * z2 % P)


def times(k, p):
    out = (1, 1, 0)
    for bit in bin(k)[2:]:
        out = double(out)
        if bit == "1":
            out = add(out, p)
    return out


def affine(p):
    if p[2] == 0:
        return None
    z = pow(p[2], -1, P)
    return p[0] * z * z % P, p[1] * z * z * z % P


def point(xy):
    """x || y as a point, or None if it is none of the curve."""
    if len(xy) != 64:
        return None
    x, y = int.from_bytes(xy[:32], "big"), int.from_bytes(xy[32:], "big")
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P != 0:
        return None
    return (x, y, 1)


def kid(xy):
    return sm3(SPKI + xy)


@functools.lru_cache(maxsize=None)
def verify(xy, message, signature):
    q = point(xy)
    if q is None or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    z = sm3(b"\x00\x80" + b"1234567812345678" + b"".join(c.to_bytes(32, "big") for c in (A, B, GX, GY)) + xy)
    e = int.from_bytes(sm3(z + message), "big")
    at = affine(add(times(s, (GX, GY, 1)), times((r + s) % N, q)))
    return at is not None and (e + at[0]) % N == r


# ---------------------------------------------------------------- SM2 decryption, SM4-GCM (GB/T 32918.4, GB/T 32907, RFC 8998)

SBOX = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa441326498606999c4250f491ef987a33540b43edcfac62e4b31ca9c908e895"
    "80df94fa758f3fa64707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d351e240e5e6358d1a225227c3b01217887"
    "d40046579fd327524c3602e7a0c4c89eeabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e31df6e22e8266ca60"
    "c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b518d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0"
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948")
FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)


def sm4_round(x, key, linear):
    b = int.from_bytes(bytes(SBOX[c] for c in (x[1] ^ x[2] ^ x[3] ^ key).to_bytes(4, "big")), "big")
    return x[1:] + (x[0] ^ linear(b),)


@functools.lru_cache(maxsize=None)
def sm4(key, block):
    """One block, encrypted."""
    k = tuple(int.from_bytes(key[i:i + 4], "big") ^ FK[i // 4] for i in range(0, 16, 4))
    x = tuple(int.from_bytes(block[i:i + 4], "big") for i in range(0, 16, 4))
    for i in range(32):
        constant = int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4)), "big")
        k = sm4_round(k, constant, lambda b: b ^ rol(b, 13) ^ rol(b, 23))
        x = sm4_round(x, k[3], lambda b: b ^ rol(b, 2) ^ rol(b, 10) ^ rol(b, 18) ^ rol(b, 24))
    return b"".join(w.to_bytes(4, "big") for w in reversed(x))


def ghash(h, data):
    """GHASH of whole blocks (NIST SP 800-38D)."""
    h, y = int.from_bytes(h, "big"), 0
    for at in range(0, len(data), 16):
        x, v, y = y ^ int.from_bytes(data[at:at + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def gcm_open(key, nonce, sealed, aad):
    """The plaintext, or None if the tag does not fit."""
    ciphertext, tag = sealed[:-16], sealed[-16:]

    def fill(b):
        return b + bytes(-len(b) % 16)

    def stream(n):
        return sm4(key, nonce + n.to_bytes(4, "big"))

    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    mac = ghash(sm4(key, bytes(16)), fill(aad) + fill(ciphertext) + lengths)
    if bytes(x ^ y for x, y in zip(mac, stream(1))) != tag:
        return None
    return bytes(c ^ stream(2 + i // 16)[i % 16] for i, c in enumerate(ciphertext))


def der_item(b, tag):
    """The contents of the item that b begins with, and what follows; lengths below 256, in their shortest form."""
    if len(b) < 2 or b[0] != tag:
        return None
    at, n = 2, b[1]
    if n == 0x81 and len(b) > 2 and b[2] >= 0x80:
        at, n = 3, b[2]
    elif n >= 0x80:
        return None
    return (b[at:at + n], b[at + n:]) if len(b) >= at + n else None


def sm2_decrypt(d, ciphertext):
    """The plaintext of DER SEQUENCE {x, y, C3, C2} (GM/T 0009), or None."""
    whole = der_item(ciphertext, 0x30)
    if whole is None or whole[1]:
        return None
    rest, parts = whole[0], []
    for tag in (2, 2, 4, 4):
        item = der_item(rest, tag)
        if item is None:
            return None
        rest = item[1]
        parts.append(item[0])
    if rest:
        return None
    for n in parts[:2]:  # positive, without a zero more than it takes
        if not n or n[0] >= 0x80 or (n[0] == 0 and (len(n) == 1 or n[1] < 0x80)) or len(n.lstrip(b"\0")) > 32:
            return None
    q = point(b"".join(int.from_bytes(n, "big").to_bytes(32, "big") for n in parts[:2]))
    if q is None:
        return None
    x2, y2 = (c.to_bytes(32, "big") for c in affine(times(d, q)))
    mask = b"".join(sm3(x2 + y2 + i.to_bytes(4, "big")) for i in range(1, 2 + len(parts[3]) // 32))
    plain = bytes(x ^ y for x, y in zip(parts[3], mask))
    return plain if sm3(x2 + plain + y2) == parts[2] else None


# ---------------------------------------------------------------- deterministic CBOR (RFC 8949, 4.2.1)


class Refused(Exception):
    """Something is not as it must be; the code says what."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Malformed(Exception):
    """Bytes that are not the one encoding of anything."""


def head(major, n):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def encode(v):
    if v is None:
        return b"\xf6"
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    return head(4, len(v)) + b"".join(encode(x) for x in v)


def decode_item(b, at, depth=0):
    if at >= len(b) or depth > 8:
        raise Malformed
    first, at = b[at], at + 1
    if first == 0xF6:
        return None, at
    major, info = first >> 5, first & 31
    if major > 4:
        raise Malformed
    n = info
    if info >= 24:
        if info > 27:
            raise Malformed
        size = 1 << (info - 24)
        if at + size > len(b):
            raise Malformed
        n, at = int.from_bytes(b[at:at + size], "big"), at + size
        if n < (24 if size == 1 else 1 << 4 * size):
            raise Malformed  # longer than needed
    if major == 0:
        return n, at
    if major == 1:
        return -1 - n, at
    if major in (2, 3):
        if at + n > len(b):
            raise Malformed
        s, at = b[at:at + n], at + n
        if major == 2:
            return s, at
        try:
            return s.decode(), at
        except UnicodeDecodeError:
            raise Malformed from None
    if n > 8192:
        raise Malformed
    out = []
    for _ in range(n):
        item, at = decode_item(b, at, depth + 1)
        out.append(item)
    return out, at


def decode(b):
    v, at = decode_item(b, 0)
    if at != len(b):
        raise Malformed
    return v


# ---------------------------------------------------------------- statements

LATE = 1 << 40


class Form(Exception):
    """A payload does not have the form of its kind."""


class Bounds(Exception):
    """A payload has that form, but a value out of its bounds."""


def form(ok):
    if not ok:
        raise Form


def bound(ok):
    if not ok:
        raise Bounds


def is_uint(v):
    form(isinstance(v, int) and v >= 0)


def is_bytes(v, size=None):
    form(isinstance(v, bytes) and (size is None or len(v) == size))


def is_array(v, size=None):
    form(isinstance(v, list) and (size is None or len(v) == size))


# Each of these returns a pair of functions: the form of an item, and its bounds.

def uint(most=LATE - 1, least=0):
    return is_uint, lambda v: bound(least <= v <= most)


def fixed(size):
    return lambda v: is_bytes(v, size), lambda v: None


def blob(most, least=0):
    return lambda v: is_bytes(v), lambda v: bound(least <= len(v) <= most)


def text(most, least=0):
    def check(v):
        bound(least <= len(v.encode()) <= most)
        bound(not any(unicodedata.category(c) == "Cc" for c in v))
    return lambda v: form(isinstance(v, str)), check


def chars(allowed, most, least):
    return lambda v: form(isinstance(v, str)), lambda v: bound(least <= len(v) <= most and all(c in allowed for c in v))


def one_of(*values):
    return lambda v: form(isinstance(v, str)), lambda v: bound(v in values)


def array(*items):
    def f(v):
        is_array(v, len(items))
        for item, x in zip(items, v):
            item[0](x)

    def b(v):
        for item, x in zip(items, v):
            item[1](x)
    return f, b


def list_of(item, most):
    def f(v):
        is_array(v)
        for x in v:
            item[0](x)

    def b(v):
        bound(len(v) <= most)
        for x in v:
            item[1](x)
    return f, b


def ascending(inner):
    def b(v):
        inner[1](v)
        bound(all(x < y for x, y in zip(v, v[1:])))
    return inner[0], b


def or_null(item):
    return lambda v: v is None or item[0](v), lambda v: v is None or item[1](v)


def both(item, check):
    def b(v):
        item[1](v)
        check(v)
    return item[0], b


ID = chars("abcdefghijklmnopqrstuvwxyz0123456789-", 32, 1)
HASH = fixed(32)
TIME = uint()
SEQUENCE = uint(least=1)
SEQUENCE32 = uint(most=2**32 - 1, least=1)
VERSION = uint(most=2**31 - 1, least=1)
DAY = (lambda v: form(isinstance(v, int)), lambda v: bound(-354285 <= v <= 2932896))
KEY = (lambda v: is_bytes(v, 64), lambda v: bound(point(v) is not None))
PURPOSES = uint(most=31, least=1)
DIGITS6 = chars("0123456789", 6, 6)
NAME = text(200, 1)
USCC = chars("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 18, 18)
UNIT = array(ID, DIGITS6, NAME, NAME)
UNITS = both(list_of(UNIT, 64), lambda v: bound(len({u[0] for u in v}) == len(v)))
PROFILE = array(ID, USCC, NAME, NAME, UNITS, ascending(list_of(ID, 256)))
PATH = both(blob(12 * 32), lambda v: bound(len(v) % 32 == 0))
PLACE = array(HASH, uint(most=4095), HASH, PATH)


def check_status(v):
    bound((v[4] == 1) == (v[10] is None))
    if v[3] is not None:
        bound(v[3][0] == v[2])
    bound(v[9] is None or v[3] is not None)


def check_key(v):
    _, _, action, key_id, xy, purposes, start, end, disowned, _ = v
    bound(not disowned or action == "compromise")
    if action != "enrol":
        bound(xy == b"" and purposes == 0 and start is None and end is None)
        return
    bound(point(xy) is not None and kid(xy) == key_id and 1 <= purposes <= 31)
    bound(start is None or end is None or start <= end)


FIELD = both(chars(string.ascii_letters + string.digits, 64, 1), lambda v: bound(v[0] not in string.digits))
FIELDS = ascending(list_of(FIELD, 202))
MEANS = one_of("holder-key", "counter", "platform", "delegate")


def check_request(v):
    bound((v[4] is None) != (v[5] is None) and (v[9] is None or v[4] is not None) and v[8])
    within(12, 13, 30 * 86400)(v)


def check_answer(v):
    _, _, _, outcome, _, _, bases, grant, use, fields, presentation, _ = v
    released = outcome == "released"
    bound((use > 0) == (grant is not None))
    bound(released == bool(fields) == (presentation is not None) == (bool(bases) or grant is not None))


def within(first, last, most):
    return lambda v: bound(v[first] <= v[last] <= v[first] + most)


KINDS = {
    "genesis": both(array(NAME, PROFILE, KEY, PURPOSES, TIME, fixed(16)), lambda v: bound(v[3] & 16 != 0)),
    "head": array(HASH, ID, ID, ID, VERSION, HASH, uint(most=4096, least=1), TIME),
    "status": both(array(HASH, ID, HASH, or_null(PLACE), SEQUENCE32, ID, ID, DAY, HASH, or_null(PLACE), or_null(HASH), TIME), check_status),
    "restriction": both(array(HASH, ID, PLACE, SEQUENCE32, one_of("restrict", "release"), fixed(16), HASH, DAY, or_null(HASH), TIME),
                        lambda v: bound((v[3] == 1) == (v[8] is None))),
    "department": array(HASH, PROFILE, one_of("active", "suspended"), SEQUENCE, TIME),
    "key": both(array(HASH, ID, one_of("enrol", "retire", "compromise"), HASH, blob(LATE), uint(most=255), or_null(TIME), or_null(TIME),
                      ascending(list_of(HASH, 1000)), TIME), check_key),
    "type": array(HASH, ID, VERSION, blob(256 << 10, 1), TIME),
    "checkpoint": array(HASH, ID, ID, uint(), HASH, TIME),
    "consent": array(HASH, ID, HASH, one_of("give", "withdraw"), TIME),
    "heartbeat": array(HASH, SEQUENCE, TIME),
    "binding": both(array(HASH, ID, HASH, KEY, TIME, TIME), within(4, 5, 400 * 86400)),
    "proof": both(array(HASH, HASH, text(200), blob(64), TIME, TIME), within(4, 5, 86400)),
    "snapshot": array(HASH, TIME, HASH, TIME, HASH, TIME),
    "grant": both(array(HASH, ID, HASH, ID, ID, ID, FIELDS, uint(most=1000, least=1), TIME, TIME, MEANS, HASH, fixed(16), TIME),
                  lambda v: (bound(v[6]), within(8, 9, 400 * 86400)(v))),
    "withdrawal": array(HASH, ID, HASH, MEANS, HASH, TIME),
    "request": both(array(HASH, ID, ID, ID, or_null(HASH), or_null(HASH), ID, text(200), FIELDS, or_null(HASH), KEY, fixed(16), TIME, TIME), check_request),
    "answer": both(array(HASH, ID, HASH, one_of("released", "refused"), ID, HASH, ascending(list_of(ID, 16)), or_null(HASH),
                         uint(most=1000), FIELDS, or_null(HASH), TIME), check_answer),
    "policy": array(HASH, VERSION, blob(256 << 10, 1), TIME),
}

ALGORITHM = encode(-65537)


def protected(kind, key_id):
    return b"\xa3\x01" + ALGORITHM + b"\x04" + encode(key_id) + b"\x10" + encode("application/vnd.credledger." + kind + "+cbor")


def to_be_signed(kind, key_id, payload):
    return encode(["Signature1", protected(kind, key_id), b"", payload])


def check_payload(kind, payload):
    try:
        v = decode(payload)
        KINDS[kind][0](v)
    except (Malformed, Form):
        raise Refused("statement-malformed") from None
    try:
        KINDS[kind][1](v)
    except Bounds:
        raise Refused("statement-invalid") from None
    return v


def parse_statement(b):
    """Returns kind, kid, payload, signature."""
    if len(b) > 320 << 10:
        raise Refused("statement-too-large")
    try:
        if b[:2] != b"\xd2\x84":
            raise Malformed
        header, at = decode_item(b, 2)
        if b[at:at + 1] != b"\xa0" or not isinstance(header, bytes):
            raise Malformed
        payload, at = decode_item(b, at + 1)
        signature, at = decode_item(b, at)
        start = b"\xa3\x01" + ALGORITHM + b"\x04\x58\x20"
        if (at != len(b) or not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != 64
                or not header.startswith(start) or header[len(start) + 32:len(start) + 33] != b"\x10"):
            raise Malformed
        typ = decode(header[len(start) + 33:])
        if not isinstance(typ, str):
            raise Malformed
    except Malformed:
        raise Refused("statement-malformed") from None
    key_id = header[len(start):len(start) + 32]
    for kind in KINDS:
        if typ == "application/vnd.credledger." + kind + "+cbor":
            check_payload(kind, payload)
            return kind, key_id, payload, signature
    raise Refused("statement-wrong-kind")


# ---------------------------------------------------------------- trees

def leaf_hash(data):
    return sm3(b"\x00" + data)


def node_hash(left, right):
    return sm3(b"\x01" + left + right)


def split(n):
    return 1 << (n - 1).bit_length() - 1


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def tree_path(leaves, index):
    if len(leaves) == 1:
        return b""
    k = split(len(leaves))
    if index < k:
        return tree_path(leaves[:k], index) + tree_root(leaves[k:])
    return tree_path(leaves[k:], index - k) + tree_root(leaves[:k])


def path_root(leaf, index, size, path):
    """The root, or None if index, size and length of the path do not fit."""
    if not index < size <= 4096:
        return None

    def climb(index, size, path):
        if size == 1:
            return leaf if path == b"" else None
        if len(path) < 32:
            return None
        k, sibling, rest = split(size), path[-32:], path[:-32]
        if index < k:
            left = climb(index, k, rest)
            return left and node_hash(left, sibling)
        right = climb(index - k, size - k, rest)
        return right and node_hash(sibling, right)
    return climb(index, size, path)


def multiproof_root(size, known, proof):
    """The root of a tree of which the leaves in known, by index, are known; None if the proof does not fit."""
    hashes = [proof[i:i + 32] for i in range(0, len(proof), 32)]

    def walk(start, end):
        if not any(start <= i < end for i in known):
            if not hashes:
                raise IndexError
            return hashes.pop(0)
        if end - start == 1:
            return known[start]
        middle = start + split(end - start)
        left = walk(start, middle)
        return node_hash(left, walk(middle, end))
    try:
        root = walk(0, size)
    except IndexError:
        return None
    return None if hashes or any(i >= size for i in known) else root


# ---------------------------------------------------------------- presentations

def is_id(v):
    form(isinstance(v, str) and len(v.encode()) <= 32)


def is_number(v, most, least=0):
    form(isinstance(v, int) and least <= v <= most)


def is_hashes(v, most):
    is_bytes(v)
    form(len(v) % 32 == 0 and len(v) <= most * 32)


def check_presentation(v):
    is_array(v, 8)
    form(v[0] == 1)
    is_array(v[1], 7)
    is_id(v[1][0])
    is_number(v[1][1], 2**31 - 1)
    is_id(v[1][2])
    is_number(v[1][3], LATE - 1)
    for day in v[1][4:6]:
        if day is not None:
            is_number(day, 2932896, -354285)
    if v[1][6] is not None:
        is_bytes(v[1][6], 32)
    is_array(v[2])
    form(len(v[2]) <= 256)
    before = -1
    for field in v[2]:
        is_array(field, 3)
        is_number(field[0], 255, before + 1)
        before = field[0]
        is_bytes(field[1], 16)
        if isinstance(field[2], list):
            form(len(field[2]) <= 4096 and all(isinstance(x, str) for x in field[2]))
        else:
            form(field[2] is None or isinstance(field[2], str))
    is_hashes(v[3], 256)
    is_array(v[4], 6)
    is_bytes(v[4][0], 32)
    is_id(v[4][1])
    is_number(v[4][2], 4096)
    is_number(v[4][3], LATE - 1)
    is_bytes(v[4][4], 32)
    is_bytes(v[4][5], 64)
    is_number(v[5], 4095)
    is_hashes(v[6], 12)
    if v[7] is not None:
        is_array(v[7], 10)
        for index, size in ((0, 64), (3, 32), (4, 64), (9, 64)):
            is_bytes(v[7][index], size)
        for index in (1, 2, 7, 8):
            is_number(v[7][index], LATE - 1)
        form(isinstance(v[7][5], str) and len(v[7][5].encode()) <= 200)
        is_bytes(v[7][6])
        form(len(v[7][6]) <= 64)


def parse_presentation(b):
    if len(b) > 64 << 10:
        raise Refused("presentation-too-large")
    try:
        v = decode(b)
        check_presentation(v)
    except (Malformed, Form):
        raise Refused("presentation-malformed") from None
    return v


def open_presentation(v, typ, version, dictionary):
    """Returns fields root, digest, and the payload of the head, as items."""
    (t, tv, issuer, issued, start, end, predecessor), fields, proof, head_parts, index, path = v[1:7]
    if (t, tv) != (typ, version):
        raise Refused("type-mismatch")
    if any(i >= len(dictionary) for i, _, _ in fields):
        raise Refused("presentation-inconsistent")
    known = {i: leaf_hash(encode([salt, dictionary[i], value])) for i, salt, value in fields}
    fields_root = multiproof_root(len(dictionary), known, proof)
    if fields_root is None:
        raise Refused("presentation-inconsistent")
    digest = leaf_hash(encode([1, t, tv, issuer, fields_root, issued, start, end, predecessor]))
    ledger, unit, size, signed = head_parts[:4]
    root = path_root(digest, index, size, path)
    if root is None:
        raise Refused("presentation-inconsistent")
    return fields_root, digest, [ledger, issuer, unit, t, tv, root, size, signed]


def check_part(kind, items, key_id, signature, keys):
    payload = encode(items)
    check_payload(kind, payload)
    if key_id not in keys:
        raise Refused("unknown-key")
    if not verify(keys[key_id], to_be_signed(kind, key_id, payload), signature):
        raise Refused("signature-invalid")
    return payload


def check_whole(f, keys):
    """Checks a presentation as the file says; returns the stage that failed and its code, or what follows from it."""
    stage = "parse"
    try:
        v = parse_presentation(unhex(f["presentation"]))
        stage = "open"
        fields_root, digest, head_items = open_presentation(v, f["type"], f["typeVersion"], f["dictionary"])
        stage = "ledger"
        if v[4][0] != unhex(f["ledger"]):
            raise Refused("unknown-ledger")
        stage = "head"
        known = {kid(keys[label]): keys[label] for label in f["issuers"]}
        out = {"fieldsRoot": fields_root, "digest": digest, "root": head_items[5],
               "headPayload": check_part("head", head_items, v[4][4], v[4][5], known)}
        if v[7] is not None:
            xy, start, end, key_id, signature, audience, nonce, issued, until, proof_signature = v[7]
            stage = "binding"
            binding = check_part("binding", [v[4][0], v[1][2], digest, xy, start, end], key_id, signature, known)
            stage = "proof"
            shown = sm3(encode(v[:7] + [None]))
            proof = check_part("proof", [v[4][0], shown, audience, nonce, issued, until], kid(xy), proof_signature, {kid(xy): xy})
            out["holder"] = {"bindingPayload": binding, "shown": shown, "proofPayload": proof}
        out["disclosed"] = [{"key": f["dictionary"][i], "value": value} for i, _, value in v[2]]
        return "", "ok", out
    except Refused as e:
        return stage, e.code, None


# ---------------------------------------------------------------- codes

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"


def decode_code(code):
    """Returns the presentation in a code, parsed, and its bytes."""
    code = code.strip()
    for mark in "#＃":
        if mark in code:
            code = code.split(mark, 1)[1]
            break
    values = []
    for c in code:
        if "！" <= c <= "～":
            c = chr(ord(c) - 0xFEE0)
        if "a" <= c <= "z":
            c = c.upper()
        if c not in ALPHABET:
            raise Refused("code-malformed")
        values.append(ALPHABET.index(c))
    if not 0 < len(values) <= 8192 or len(values) % 3 == 1:
        raise Refused("code-malformed")
    packed = b""
    for i in range(0, len(values), 3):
        n, size = 0, len(values[i:i + 3]) - 1
        for x in values[i:i + 3]:
            n = n * 43 + x
        if n >= 1 << 8 * size:
            raise Refused("code-malformed")
        packed += n.to_bytes(size, "big")
    z = zlib.decompressobj()
    try:
        b = z.decompress(packed, (64 << 10) + 1)
    except zlib.error:
        raise Refused("code-malformed") from None
    if len(b) > 64 << 10:
        raise Refused("presentation-too-large")
    if not z.eof or z.unused_data:
        raise Refused("code-malformed")
    return parse_presentation(b), b


# ---------------------------------------------------------------- access log

ASKED = text(200)
ID_OR_EMPTY = both(text(32), lambda v: v == "" or ID[1](v))
ENTRY = array((lambda v: form(v == 2), lambda v: None), TIME, fixed(16), ASKED, ASKED, ASKED, ASKED, ASKED, ASKED, ID_OR_EMPTY,
              ID_OR_EMPTY, HASH, HASH, list_of(text(64, 1), 202), ID, list_of(text(64, 1), 17), DAY, uint(), TIME, ID_OR_EMPTY)


def parse_entry(b):
    if len(b) > 16 << 10:
        raise Refused("entry-too-large")
    try:
        v = decode(b)
        ENTRY[0](v)
    except (Malformed, Form):
        raise Refused("entry-malformed") from None
    try:
        ENTRY[1](v)
    except Bounds:
        raise Refused("entry-invalid") from None
    asked, outcome, overall = v[9], v[14], v[19]
    if (asked != "") != (outcome in ("released", "refused", "unanswered")) or asked and overall:
        raise Refused("entry-invalid")
    return v


def log_root(leaves):
    return tree_root(leaves) if leaves else sm3(b"")


def includes(leaf, index, size, path, root):
    """Whether a path leads from a leaf to a root; the path is a list, from the leaf up."""
    if not index < size < LATE:
        return False
    path = list(path)

    def climb(index, size):
        if size == 1:
            return leaf
        k, above = split(size), path.pop()
        return node_hash(climb(index, k), above) if index < k else node_hash(above, climb(index - k, size - k))
    try:
        return climb(index, size) == root and not path
    except IndexError:
        return False


def consistent(first, second, proof, first_root, second_root):
    """Whether a proof shows that a log is the beginning of another."""
    if not first <= second < LATE:
        return False
    if first in (0, second):
        return not proof and first_root == (second_root if first == second else sm3(b""))
    proof = list(proof)

    def grow(m, n, whole):  # the roots of the first m and of all n leaves of a subtree
        if m == n:
            return (first_root if whole else proof.pop(),) * 2
        k, above = split(n), proof.pop()
        if m <= k:
            old, new = grow(m, k, whole)
            return old, node_hash(new, above)
        old, new = grow(m - k, n - k, False)
        return node_hash(above, old), node_hash(above, new)
    try:
        return grow(first, second, True) == (first_root, second_root) and not proof
    except IndexError:
        return False


# ---------------------------------------------------------------- receipts

class Members(list):
    """The members of a JSON object, as pairs: a name may be there twice."""


def members(v, *names):
    if not isinstance(v, Members) or sorted(name for name, _ in v) != sorted(names):
        raise Refused("receipt-malformed")
    return dict(v)


def unbase64(v):
    try:
        b = base64.b64decode(v, validate=True)
    except (TypeError, ValueError):
        raise Refused("receipt-malformed") from None
    if not isinstance(v, str) or base64.b64encode(b).decode() != v:
        raise Refused("receipt-malformed")
    return b


def no_constant(_):
    raise ValueError


class Number:
    """An integer of a JSON text, as it is written there."""

    def __init__(self, text):
        self.text = text


def parse_receipt(text):
    """Returns the parts of a receipt file; of the checkpoint kid, payload and signature."""
    if len(text.encode()) > 128 << 10:
        raise Refused("receipt-too-large")
    try:
        whole = json.loads(text, object_pairs_hook=Members, parse_constant=no_constant, parse_int=Number)
    except ValueError:
        raise Refused("receipt-malformed") from None
    f = members(whole, "entry", "salt", "presentation", "proof", "readable")
    proof = members(f["proof"], "checkpoint", "index", "path", "readable")
    entry, salt = unbase64(f["entry"]), unbase64(f["salt"])
    try:
        items = parse_entry(entry)
        checkpoint = parse_statement(unbase64(proof["checkpoint"]))
    except Refused:
        raise Refused("receipt-malformed") from None
    index = proof["index"].text if isinstance(proof["index"], Number) else ""
    if len(salt) != 16 or checkpoint[0] != "checkpoint" or not index.isdigit() or int(index) >= LATE - 1 or not isinstance(proof["path"], list) \
            or isinstance(proof["path"], Members) or len(proof["path"]) > 40:
        raise Refused("receipt-malformed")
    return entry, items, salt, hash_text(f["presentation"]), checkpoint[1:], int(index), [hash_text(h) for h in proof["path"]]


def hash_text(v):
    try:
        b = unhex(v)
    except (TypeError, ValueError):
        b = b""
    if len(b) != 32:
        raise Refused("receipt-malformed")
    return b


def judge_receipt(parts, ledger, keys, checkpoints):
    """Returns anchored or unanchored and why, as the ledger is known."""
    entry, items, salt, shown, (key_id, payload, signature), index, path = parts
    its_ledger, department, log, size, root, at = decode(payload)
    for wrong, code in ((its_ledger != ledger, "ledger-unknown"),
                        (leaf_hash(encode([salt, shown])) != items[12], "entry-differs"),
                        (not includes(leaf_hash(entry), index, size, path, root), "entry-not-in-log"),
                        (key_id not in keys, "key-unknown")):
        if wrong:
            raise Refused(code)
    key = keys[key_id]
    known = checkpoints.get((department, log, size))
    for wrong, code in ((key["department"] != department, "key-department"), (not key["purposes"] & 4, "key-purpose"),
                        (not verify(key["point"], to_be_signed("checkpoint", key_id, payload), signature), "signature-invalid"),
                        (key["notBefore"] is not None and at < key["notBefore"], "key-not-yet-valid"),
                        (key["notAfter"] is not None and at > key["notAfter"], "key-expired"),
                        (known not in (None, root), "checkpoint-differs"),
                        (known is None and key["state"] == "compromised", "key-compromised")):
        if wrong:
            raise Refused(code)
    return ("unanchored", "checkpoint-not-in-view") if known is None else ("anchored", None)


# ---------------------------------------------------------------- snapshots

COLUMN = blob(LATE)
INDEX = uint(most=2**32 - 1)
CHANGES = array(COLUMN, COLUMN)
CONTENTS = array(
    uint(), COLUMN,
    list_of(array(PROFILE, one_of("active", "suspended")), 1 << 20),
    list_of(array(ID, KEY, PURPOSES, or_null(TIME), or_null(TIME), one_of("active", "retired", "compromised")), 1 << 20),
    list_of(COLUMN, 1 << 20),
    list_of(array(ID, ID, uint(), HASH, uint(), INDEX, uint()), 1 << 20),
    list_of(array(ID, ID, ID, VERSION, HASH), 1 << 20),
    array(COLUMN, COLUMN, COLUMN),
    array(COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, CHANGES),
    array(COLUMN, COLUMN, COLUMN, CHANGES, COLUMN),
    COLUMN,
    array(COLUMN, COLUMN, COLUMN, COLUMN))
STATES = ("active", "suspended", "superseded", "revoked")


def inflate_stored(b, length):
    """Inflates one Zstandard frame whose blocks are all stored: the vectors have no others."""
    if b[:5] != b"\x28\xb5\x2f\xfd\xa0":
        raise Refused("snapshot-damaged")
    out, at, last = b"", 9, 0
    while not last:
        block, at = int.from_bytes(b[at:at + 3], "little"), at + 3
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        if kind != 0 or at + size > len(b) or len(out) + size > length:
            raise Refused("snapshot-damaged")
        out, at = out + b[at:at + size], at + size
    if at != len(b):
        raise Refused("snapshot-damaged")
    return out


def column(b):
    """Returns the numbers of a column."""
    out, n, shift = [], 0, 0
    for i, group in enumerate(b):
        n |= (group & 127) << shift
        shift += 7
        if group < 128:
            bound(n < 1 << 64 and (group > 0 or shift == 7))
            out.append(n)
            n, shift = 0, 0
    bound(shift == 0)
    return out


def unfold(n):
    return -(n + 1) // 2 if n % 2 else n // 2


def strictly(items):
    bound(all(a < b for a, b in zip(items, items[1:])))
    return items


def names_of(upper, lower):
    upper = column(upper)
    bound(len(lower) == 6 * len(upper) and all(n < 1 << 16 for n in upper))
    out, last = [], 0
    for i, n in enumerate(upper):
        last += n << 48 | int.from_bytes(lower[6 * i:6 * i + 6], "big")
        out.append(last)
    bound(last < 1 << 64)
    return strictly(out)


def changes_of(pair, counts, base):
    """Returns the changes of each batch or licence, of which the numbers are given."""
    states, days = column(pair[0]), [base + unfold(n) for n in column(pair[1])]
    bound(len(states) == len(days) == sum(counts) and all(s < len(STATES) for s in states))
    bound(all(-354285 <= d <= 2932896 for d in days))
    out, at = [], 0
    for n in counts:
        out.append([{"state": STATES[states[i]], "day": days[i]} for i in range(at, at + n)])
        at += n
    return out


def open_snapshot(b, ledger, trusted, seen, least):
    """Returns what the snapshot says: a function of a licence, and one of a binding."""
    try:
        parts = decode(b)
        is_array(parts, 2)
        is_bytes(parts[0])
        is_bytes(parts[1])
        kind, key_id, payload, signature = parse_statement(parts[0])
        form(kind == "snapshot")
    except (Malformed, Form, Refused):
        raise Refused("snapshot-malformed") from None
    its_ledger, height, block, heartbeat, content, length = decode(payload)
    if its_ledger != ledger:
        raise Refused("snapshot-other-ledger")
    if key_id not in trusted or not verify(trusted[key_id], to_be_signed(kind, key_id, payload), signature):
        raise Refused("snapshot-untrusted")
    if height < least or seen is not None and height < seen[0] - 1:
        raise Refused("snapshot-rolled-back")
    if seen is not None and height == seen[0] - 1 and block != seen[1]:
        raise Refused("snapshot-forked")
    raw = inflate_stored(parts[1], length)
    if len(raw) != length or sm3(raw) != content:
        raise Refused("snapshot-damaged")
    try:
        v = decode(raw)
        CONTENTS[0](v)
        form(v[0] == 1)
    except (Malformed, Form):
        raise Refused("snapshot-malformed") from None
    try:
        CONTENTS[1](v)
        return read_contents(v, ledger, height, block, heartbeat, key_id)
    except Bounds:
        raise Refused("snapshot-inconsistent") from None


def read_contents(v, ledger, height, block, heartbeat, signer):
    _, genesis, departments, keys, types, checkpoints, heads, beats, anchors, licences, withdrawn, random = v
    there = strictly([profile[0] for profile, _ in departments])
    strictly([kid(k[1]) for k in keys])
    by_id = {kid(k[1]): k for k in keys}
    for k in keys:
        bound(k[0] in there and (k[3] is None or k[4] is None or k[3] <= k[4]))

    try:
        kind, first, payload, signature = parse_statement(genesis)
    except Refused:
        raise Bounds from None
    bound(kind == "genesis" and sm3(payload) == ledger)
    founding = decode(payload)
    authority = founding[1][0]
    bound(kid(founding[2]) == first and verify(founding[2], to_be_signed(kind, first, payload), signature))
    bound(first in by_id and by_id[first][0] == authority)
    k = by_id.get(signer)
    if k is None or k[0] != authority or not k[2] & 4 or k[5] != "active" or k[4] is not None and heartbeat > k[4]:
        raise Refused("snapshot-signer")

    versions, before = {}, ""
    for definition in types:
        t = json.loads(definition)
        bound(t["id"] >= before and t["version"] == versions.get(t["id"], 0) + 1)
        versions[t["id"]], before = t["version"], t["id"]
    for issuer, _, typ, version, key_id in heads:
        bound(key_id in by_id and by_id[key_id][0] == issuer and by_id[key_id][2] & 1 and version <= versions.get(typ, 0))
    strictly(heads)

    table, last = [], (0, 0, 0)
    sequences, times_, blocks = map(column, beats)
    bound(len(sequences) == len(times_) == len(blocks))
    for gap, late, more in zip(sequences, times_, blocks):
        beat = (last[0] + gap, last[1] + 60 * gap + unfold(late), last[2] + more)
        bound(gap > 0 and (not table or beat[1] > last[1]) and 0 <= beat[1] < LATE and beat[0] < LATE and beat[2] <= height)
        table.append(beat)
        last = beat
    bound(last[1] == heartbeat)
    needed = {len(table) - 1} if table else set()

    def place(at, n):
        """The heartbeats before and after something at a block, of which n stand before it."""
        bound(n <= len(table) and at <= height)
        earlier = table[n - 1] if n > 0 else (0, 0, 0)
        later = table[n] if n < len(table) else None
        bound(earlier[2] <= at and (later is None or at <= later[2] and later[0] == earlier[0] + 1))
        needed.update([n - 1] * (n > 0) + [n] * (later is not None))
        return earlier, later

    column_of = [column(c) for c in anchors[:7]]
    n = len(column_of[0])
    bound(all(len(c) == n for c in column_of) and len(random[0]) == 32 * n and len(random[1]) == 64 * n)
    base = (heartbeat + 8 * 3600) // 86400
    of_batches = changes_of(anchors[7], [flags // 2 for flags in column_of[6]], base)
    found, used, number, at, index = {}, set(), 0, 0, -1
    for i in range(n):
        more, gap, place_in_block, head_number, size, late, flags = (c[i] for c in column_of)
        number += more
        bound(number <= len(table))
        earlier = table[number - 1] if number else (0, 0, 0)
        same = i > 0 and gap == 0 and at >= earlier[2]
        at = max(at, earlier[2]) + gap
        index = place_in_block + (index + 1 if same else 0)
        earlier, later = place(at, number)
        bound(index < 1 << 32 and head_number < len(heads) and 1 <= size <= 4096 and 0 <= earlier[1] + unfold(late) < LATE)
        issuer, _, typ, _, _ = heads[head_number]
        used.add(head_number)
        root = random[0][32 * i:32 * i + 32]
        bound((issuer, root) not in found)
        found[issuer, root] = (typ, {"anchored": True, "disowned": flags % 2 == 1, "block": at, "index": index, "before": earlier[0],
                                     "after": later[0] if later else 0, "rootChanges": of_batches[i]})
    bound(len(used) == len(heads))
    for department, log, _, _, at, _, number in checkpoints:
        bound(department in there)
        place(at, number)
    strictly([c[:2] for c in checkpoints])
    bound(len(needed) == len(table))

    names = names_of(licences[0], random[2])
    changed, restricted = column(licences[1]), column(licences[2])
    bound(len(changed) == len(restricted) == len(names) and all(a + b > 0 for a, b in zip(changed, restricted)))
    days = [base + unfold(d) for d in column(licences[4])]
    bound(len(days) == sum(restricted) and all(-354285 <= d <= 2932896 for d in days))
    exceptions, at = {}, 0
    for name, list_, count in zip(names, changes_of(licences[3], changed, base), restricted):
        exceptions[name] = (list_, days[at:at + count])
        at += count
    bindings = names_of(withdrawn, random[3])

    def name_of(*parts):
        return int.from_bytes(sm3(encode([block, *parts]))[:8], "big")

    def licence(issuer, root, digest):
        none = {"anchored": False, "disowned": False, "block": 0, "index": 0, "before": 0, "after": 0, "rootChanges": []}
        if (issuer, root) not in found:
            return dict(none, changes=[], restrictions=[])
        typ, anchor = found[issuer, root]
        changes, restrictions = exceptions.get(name_of(issuer, typ, digest), ([], []))
        return dict(anchor, changes=changes, restrictions=restrictions)

    return licence, lambda department, binding: name_of(department, binding) in bindings


# ---------------------------------------------------------------- the files

# ---------------------------------------------------------------- envelopes

TYPE_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789+./-"


def parse_envelope(b):
    if len(b) > 16778240:
        raise Refused("envelope-too-large")
    try:
        v = decode(b)
    except Malformed:
        raise Refused("envelope-malformed") from None
    ok = (isinstance(v, list) and len(v) == 5 and v[0] == 1 and isinstance(v[1], bytes) and len(v[1]) == 32
          and isinstance(v[2], str) and 1 <= len(v[2]) <= 64 and all(c in TYPE_LETTERS for c in v[2])
          and isinstance(v[3], bytes) and 1 <= len(v[3]) <= 160 and isinstance(v[4], bytes) and 17 <= len(v[4]) <= 16777232)
    if not ok:
        raise Refused("envelope-malformed")
    return v


def open_envelope(b, v, xy, d):
    """What is sealed, and the secret that it is sealed with."""
    if kid(xy) != v[1]:
        raise Refused("envelope-other-key")
    secret = sm2_decrypt(d, v[3])
    contents = None
    if secret is not None and len(secret) == 28:
        contents = gcm_open(secret[:16], secret[16:], v[4], b[:len(b) - len(encode(v[4]))])
    if contents is None:
        raise Refused("envelope-altered")
    return contents, secret


# ---------------------------------------------------------------- evidence of releases

SKEW = 120


def signed_by(ledger, keys, signed, department, purpose, at):
    """Refuses a statement that no key of the department for this purpose signed at that time."""
    kind, key_id, payload, signature = signed
    if decode(payload)[0] != ledger:
        raise Refused("other-ledger")
    if key_id not in keys:
        raise Refused("key-unknown")
    key = keys[key_id]
    for wrong, code in ((key["department"] != department, "key-department"), (not key["purposes"] & purpose, "key-purpose"),
                        (not verify(key["point"], to_be_signed(kind, key_id, payload), signature), "signature-invalid"),
                        (key["state"] == "compromised", "key-compromised"),
                        (key["notBefore"] is not None and at < key["notBefore"], "key-not-yet-valid"),
                        (key["notAfter"] is not None and at > key["notAfter"], "key-expired")):
        if wrong:
            raise Refused(code)


def parse_as(kind, b):
    signed = parse_statement(b)
    if signed[0] != kind:
        raise Refused("statement-wrong-kind")
    return signed, decode(signed[2])


def parse_subject(b, commitment):
    try:
        v = decode(b)
    except Malformed:
        raise Refused("subject-malformed") from None
    ok = isinstance(v, list) and len(v) == 3 and isinstance(v[0], bytes) and len(v[0]) == 16 and all(
        isinstance(x, str) and 1 <= len(x.encode()) <= most for x, most in ((v[1], 64), (v[2], 512)))
    if not ok or not (v[1].isascii() and v[1].isalnum() and v[1][0].isalpha()):
        raise Refused("subject-malformed")
    if leaf_hash(b) != commitment:
        raise Refused("subject-differs")
    return v


def parse_evidence(b):
    if len(b) > 135168:
        raise Refused("evidence-too-large")
    try:
        v = decode(b)
    except Malformed:
        raise Refused("evidence-malformed") from None
    most = (None, 16384, 16384, 16384, 16384, 65536)
    ok = isinstance(v, list) and len(v) == 6 and v[0] == 1 and all(
        isinstance(x, bytes) and 1 <= len(x) <= most[i] or x is None and i > 2 for i, x in enumerate(v) if i > 0)
    if not ok:
        raise Refused("evidence-malformed")
    return v


def check_grant(b, binding, ledger, keys):
    """Digest and items of a grant by whom it says."""
    signed, g = parse_as("grant", b)
    _, issuer, licence, _, _, _, _, _, _, _, means, evidence, _, at = g
    if means != "holder-key":
        if binding is not None:
            raise Refused("binding-differs")
        signed_by(ledger, keys, signed, issuer, 8, at)
        return sm3(signed[2]), g
    if g[0] != ledger:
        raise Refused("other-ledger")
    if binding is None:
        raise Refused("binding-missing")
    bound_by, bound_to = parse_as("binding", binding)
    if sm3(bound_by[2]) != evidence or bound_to[1] != issuer or bound_to[2] != licence:
        raise Refused("binding-differs")
    signed_by(ledger, keys, bound_by, issuer, 1, bound_to[4])
    kind, key_id, payload, signature = signed
    for wrong, code in ((kid(bound_to[3]) != key_id or not verify(bound_to[3], to_be_signed(kind, key_id, payload), signature), "signature-invalid"),
                        (at + SKEW < bound_to[4], "binding-not-yet-valid"), (at > bound_to[5], "binding-expired")):
        if wrong:
            raise Refused(code)
    return sm3(payload), g


def check_evidence_parts(parts, ledger, keys, consents):
    """Digest of the request, digest of the grant or None, outcome, whether the grant is withdrawn."""
    _, request, answer, grant, binding, presentation = parts
    signed, r = parse_as("request", request)
    signed_by(ledger, keys, signed, r[1], 8, r[12])
    digest = sm3(signed[2])
    signed, a = parse_as("answer", answer)
    signed_by(ledger, keys, signed, a[1], 8, a[11])
    _, issuer, to, outcome, _, _, bases, under, use, fields, shown, at = a
    for wrong, code in ((to != digest or issuer != r[2], "answer-differs"), (outcome == "released" and fields != r[8], "answer-fields"),
                        (under is not None and under != r[9], "grant-differs"), (grant is None and under is not None, "grant-missing"),
                        (grant is None and binding is not None, "binding-differs")):
        if wrong:
            raise Refused(code)
    name, withdrawn = None, False
    if grant is not None:
        name, g = check_grant(grant, binding, ledger, keys)
        if r[9] != name:
            raise Refused("grant-differs")
        state = consents.get((g[1], name))
        withdrawn = state == "withdraw"
        beyond = [x for x in fields if x not in g[6]]
        for wrong, code in ((r[2] != g[1], "grant-other-issuer"), (r[1] != g[4], "grant-other-agency"),
                            (r[4] != g[2] or r[3] != g[3], "grant-other-licence"), (r[6] != g[5], "grant-other-matter"),
                            (state is None, "grant-not-given"), (at < g[8], "grant-not-yet-valid"), (at > g[9], "grant-expired"),
                            (use > g[7], "grant-used-up"), (beyond == fields or beyond and not bases, "grant-fields")):
            if under is not None and wrong:
                raise Refused(code)
    if presentation is not None and sm3(presentation) != shown:
        raise Refused("presentation-differs")
    return digest, name, outcome, withdrawn


def unhex(text):
    b = bytes.fromhex(text)
    if b.hex() != text:
        raise ValueError("not lower-case hexadecimal digits")
    return b


class Checker:
    def __init__(self, folder):
        self.folder = folder
        self.problems = []
        self.keys = {}
        self.scalars = {}
        for k in self.read("good/keys.json")["keys"]:
            self.keys[k["label"]] = unhex(k["point"])
            self.scalars[k["label"]] = int(k["scalar"], 16)

    def read(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def expect(self, what, got, want):
        if isinstance(got, bytes):
            got = got.hex()
        if got != want:
            self.problems.append("%s: %s is %r, want %r" % (self.name, what, got, want))

    def outcome(self, f, stage, code):
        self.expect("stage and outcome", ("" if code == "ok" else stage, code), (f["stage"], f["expect"]))

    def file(self, name):
        self.name = name
        f = self.read(name)
        getattr(self, "check_" + f["kind"])(f)

    def check_keys(self, f):
        for k in f["keys"]:
            xy = unhex(k["point"])
            x, y = affine(times(int(k["scalar"], 16), (GX, GY, 1)))
            self.expect("point", x.to_bytes(32, "big") + y.to_bytes(32, "big"), k["point"])
            self.expect("scalar", sm3(b"credledger test key " + k["label"].encode()), k["scalar"])
            self.expect("spki", SPKI + xy, k["spki"])
            self.expect("kid", kid(xy), k["kid"])

    def check_signatures(self, f):
        for s in f["signatures"]:
            self.expect("a signature", verify(self.keys[s["key"]], unhex(s["message"]), unhex(s["signature"])), True)

    def check_signature(self, f):
        ok = verify(self.keys[f["key"]], unhex(f["message"]), unhex(f["signature"]))
        self.outcome(f, "verify", "ok" if ok else "signature-invalid")

    def check_leaves(self, f):
        for leaf in f["leaves"]:
            encoded = encode([unhex(leaf["salt"]), leaf["key"], leaf["value"]])
            self.expect("encoded", encoded, leaf["encoded"])
            self.expect("hash", leaf_hash(encoded), leaf["hash"])

    def check_trees(self, f):
        for t in f["trees"]:
            leaves = [unhex(x) for x in t["leaves"]]
            self.expect("root", tree_root(leaves), t["root"])
            for i, leaf in enumerate(leaves):
                self.expect("path", tree_path(leaves, i), t["paths"][i])
                self.expect("root of path", path_root(leaf, i, len(leaves), unhex(t["paths"][i])), t["root"])

    def check_path(self, f):
        ok = path_root(unhex(f["leaf"]), f["index"], f["size"], unhex(f["path"])) == unhex(f["root"])
        self.outcome(f, "path", "ok" if ok else "refused")

    def check_records(self, f):
        for r in f["records"]:
            predecessor = None if r["predecessor"] is None else unhex(r["predecessor"])
            encoded = encode([1, r["type"], r["typeVersion"], r["issuer"], unhex(r["fields"]), r["issuedAt"],
                              r["validFrom"], r["validUntil"], predecessor])
            self.expect("encoded", encoded, r["encoded"])
            self.expect("digest", leaf_hash(encoded), r["digest"])

    def check_statement(self, f):
        stage = "parse"
        try:
            kind, key_id, payload, signature = parse_statement(unhex(f["statement"]))
            stage = "verify"
            xy, signed = self.keys[f["signer"]], to_be_signed(kind, key_id, payload)
            if kid(xy) != key_id or not verify(xy, signed, signature):
                raise Refused("signature-invalid")
        except Refused as e:
            self.outcome(f, stage, e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("typ", "application/vnd.credledger." + kind + "+cbor", f["typ"])
        self.expect("kid", key_id, f["kid"])
        self.expect("payload", payload, f["payload"])
        self.expect("to be signed", signed, f["toBeSigned"])

    def check_presentation(self, f):
        stage, code, out = check_whole(f, self.keys)
        self.outcome(f, stage, code)
        if out is None:
            return
        for name in ("fieldsRoot", "digest", "root", "headPayload"):
            self.expect(name, out[name], f[name])
        self.expect("disclosed", out["disclosed"], f.get("disclosed", []))
        holder = {name: value.hex() for name, value in out.get("holder", {}).items()}
        self.expect("holder", holder, f.get("holder", {}))

    def check_code(self, f):
        try:
            _, b = decode_code(f["code"])
        except Refused as e:
            self.outcome(f, "decode", e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("presentation", b, f["presentation"])

    def check_entry(self, f):
        b = unhex(f["entry"])
        try:
            v = parse_entry(b)
        except Refused as e:
            self.outcome(f, "parse", e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("encoded again", encode(v), f["entry"])
        self.expect("leaf", leaf_hash(b), f["leaf"])
        salt = unhex(f["salt"])
        self.expect("licence", leaf_hash(encode([salt, f.get("issuer", ""), unhex(f["digest"])])), v[11].hex())
        self.expect("presentation", leaf_hash(encode([salt, unhex(f["presentation"])])), v[12].hex())
        if "request" in f:
            self.expect("call", v[2].hex(), f["request"][:32])

    def check_log(self, f):
        leaves = [unhex(h) for h in f["leaves"]]
        roots = [log_root(leaves[:size]) for size in range(len(leaves) + 1)]
        self.expect("roots", [h.hex() for h in roots], f["roots"])
        for p in f["inclusion"]:
            ok = includes(leaves[p["index"]], p["index"], p["size"], [unhex(h) for h in p["path"]], roots[p["size"]])
            self.expect("path of %d in %d" % (p["index"], p["size"]), ok, True)
        for p in f["consistency"]:
            ok = consistent(p["first"], p["second"], [unhex(h) for h in p["proof"]], roots[p["first"]], roots[p["second"]])
            self.expect("proof from %d to %d" % (p["first"], p["second"]), ok, True)

    def check_inclusion(self, f):
        ok = includes(unhex(f["leaf"]), f["index"], f["size"], [unhex(h) for h in f["path"]], unhex(f["root"]))
        self.outcome(f, "inclusion", "ok" if ok else "refused")

    def check_consistency(self, f):
        ok = consistent(f["first"], f["second"], [unhex(h) for h in f["proof"]], unhex(f["firstRoot"]), unhex(f["secondRoot"]))
        self.outcome(f, "consistency", "ok" if ok else "refused")

    def check_receipt(self, f):
        keys = {kid(self.keys[k["key"]]): dict(k, point=self.keys[k["key"]]) for k in f["keys"]}
        checkpoints = {(c["department"], c["log"], c["size"]): unhex(c["root"]) for c in f["checkpoints"]}
        stage = "parse"
        try:
            parts = parse_receipt(f["file"])
            stage = "verify"
            outcome, why = judge_receipt(parts, unhex(f["ledger"]), keys, checkpoints)
        except Refused as e:
            self.outcome(f, stage, e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("outcome", (outcome, why), (f["outcome"], f.get("why")))

    def check_snapshot(self, f):
        seen = None
        if f["seen"]:
            count, block = f["seen"].split(":")
            seen = (int(count), unhex(block))
        trusted = {kid(self.keys[label]): self.keys[label] for label in f["keys"]}
        try:
            licence, is_withdrawn = open_snapshot(unhex(f["file"]), unhex(f["ledger"]), trusted, seen, f["minHeight"])
        except Refused as e:
            self.outcome(f, "open", e.code)
            return
        self.outcome(f, "", "ok")
        for want in f["licences"]:
            got = licence(want["issuer"], unhex(want["root"]), unhex(want["digest"]))
            for name in got:
                self.expect("%s of %s" % (name, want["digest"]), got[name], want[name] or type(got[name])())
        for want in f["withdrawn"]:
            self.expect("withdrawal of %s" % want["binding"], is_withdrawn(want["department"], unhex(want["binding"])), want["withdrawn"])

    def check_envelope(self, f):
        b, stage = unhex(f["envelope"]), "parse"
        try:
            v = parse_envelope(b)
            stage = "open"
            contents, secret = open_envelope(b, v, self.keys[f["recipient"]], self.scalars[f["recipient"]])
        except Refused as e:
            self.outcome(f, stage, e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("encoded again", encode(v), f["envelope"])
        self.expect("type", v[2], f["type"])
        self.expect("key", v[3], f["key"])
        self.expect("secret", secret, f["secret"])
        self.expect("contents", contents, f["contents"])

    def check_subject(self, f):
        try:
            v = parse_subject(unhex(f["subject"]), unhex(f["commitment"]))
        except Refused as e:
            self.outcome(f, "parse", e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("encoded again", encode(v), f["subject"])
        self.expect("salt", v[0], f["salt"])
        self.expect("key and value", (v[1], v[2]), (f["key"], f["value"]))

    def check_evidence(self, f):
        keys = {kid(self.keys[k["key"]]): dict(k, point=self.keys[k["key"]]) for k in f["keys"]}
        consents = {(c["department"], unhex(c["digest"])): c["action"] for c in f["consents"]}
        stage = "parse"
        try:
            parts = parse_evidence(unhex(f["file"]))
            stage = "check"
            request, grant, outcome, withdrawn = check_evidence_parts(parts, unhex(f["ledger"]), keys, consents)
        except Refused as e:
            self.outcome(f, stage, e.code)
            return
        self.outcome(f, "", "ok")
        self.expect("encoded again", encode(parts), f["file"])
        self.expect("request", request, f["request"])
        self.expect("grant", grant or b"", f.get("grant", ""))
        self.expect("outcome", (outcome, withdrawn), (f["outcome"], f.get("withdrawn", False)))


def main():
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    same = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert sm4(same, same).hex() == "681edf34d206965e86b3e94f536e4246"
    folder = pathlib.Path(__file__).resolve().parent
    checker, count = Checker(folder), 0
    for sub in ("good", "bad"):
        for path in sorted((folder / sub).iterdir()):
            checker.file(sub + "/" + path.name)
            count += 1
    for problem in checker.problems:
        print(problem)
    print("%d files, %d problems" % (count, len(checker.problems)))
    sys.exit(1 if checker.problems or count == 0 else 0)


if __name__ == "__main__":
    main()
