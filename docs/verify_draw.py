#!/usr/bin/env python3
"""Check a session's draw proof without trusting who ran it. Needs only Python 3.8; reads no network.

    python3 verify_draw.py proof.json            (or: … | python3 verify_draw.py -)

The proof is what GET /api/v1/game-rooms/sessions/{id}/proof answers once the session has ended. To catch a result that
was changed after joining closed, compare `commit` and `roster` with what you noted while the session ran.
Exit code 0: everything follows from the seed. 1: something does not, each named. 2: the file is no finished proof,
or the draw did not decide the ranks.
"""

import hashlib
import hmac
import json
import sys

D = "gameplatform-draw-v1"


def sha256(*parts):
    return hashlib.sha256("|".join((D, *parts)).encode()).hexdigest()


def prizes(pool, shares):
    """Largest remainder: units left over go to the largest remainders, ties to the better rank."""
    cuts = [divmod(pool * share, sum(shares)) for share in shares]
    left = pool - sum(whole for whole, _ in cuts)
    lucky = sorted(range(len(shares)), key=lambda rank: (-cuts[rank][1], rank))[:left]
    return [whole + (rank in lucky) for rank, (whole, _) in enumerate(cuts)]


def problems(proof):
    """Everything in the proof that does not follow from its seed and its entries."""
    session, entries = proof["session"], proof["entries"]
    seed, ids = bytes.fromhex(proof["seed"]), [entry["id"] for entry in entries]
    if len(set(ids)) != len(ids):
        yield "roster: an entry is listed twice"
    if sha256("commit", session, seed.hex()) != proof["commit"]:
        yield "seed: it is not the one committed to when the session opened"
    roster = sha256("roster", session, str(len(ids)), ",".join(sorted(ids)))
    if roster != proof["roster"]:
        yield "roster: the entries are not the ones fixed when joining closed"
    key = hmac.new(seed, "|".join((D, "key", session, roster, proof["beacon"])).encode(), hashlib.sha256)
    if key.hexdigest() != proof["key"]:
        yield "key: it does not follow from seed, roster and beacon"
    tickets = {i: hmac.new(key.digest(), i.encode(), hashlib.sha256).hexdigest() for i in ids}
    for entry in entries:
        if entry["ticket"] != tickets[entry["id"]]:
            yield f"ticket: that of entry {entry['id']} does not follow from the key"
    order = sorted(ids, key=lambda i: (tickets[i], i))
    if proof["status"] != "ended":
        return
    ranked = sorted(entries, key=lambda entry: entry["rank"])
    if [entry["rank"] for entry in ranked] != list(range(1, len(ids) + 1)):
        yield f"order: the ranks are not 1 to {len(ids)}"
    if proof["result_mode"] == "draw" and [entry["id"] for entry in ranked] != order:
        yield "order: the ranks do not follow the tickets"
    if proof["pool_minor"] != proof["entry_fee_minor"] * len(ids):
        yield "prize: the pool is not the fees of all entries"
    shares = proof["prize_shares_bp"]
    due = prizes(proof["pool_minor"], shares) + [0] * (len(ids) - len(shares))
    for entry, prize in zip(ranked, due):
        if entry["prize_minor"] != prize:
            yield f"prize: rank {entry['rank']} got {entry['prize_minor']} units, {prize} are due"


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    try:
        with sys.stdin if sys.argv[1] == "-" else open(sys.argv[1]) as file:
            proof = json.load(file)
        proof = proof.get("data", proof)
        if proof["version"] != D or not proof["seed"]:
            raise ValueError("the session has not ended, or its draw is of another version")
        if proof["result_mode"] != "draw":
            print(f"NOT DRAWN  the ranks of session {proof['session']} were decided by {proof['result_mode']}")
            return 2
        found = list(problems(proof))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"not a finished proof: {type(error).__name__} {error}")
        return 2
    for problem in found:
        print("WRONG  " + problem)
    if not found:
        print(f"RIGHT  {len(proof['entries'])} entries of session {proof['session']} were drawn as published")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
