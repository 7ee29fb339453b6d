"""Checks of the transfers and the audit trail against their seals (building blocks of `manage.py verify_ledger`).

A seal that does not fit means tampering with the database, so a finding concerns every token.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.sealing import GENESIS_DIGEST, Chain
from payments.audit import FINDINGS_MAX, Check, Finding, check_by_sql
from payments.seals import CHAINS


@dataclass(frozen=True, kw_only=True)
class KeyCheck(Check):
    """Every seal was made with a key that the database does not have."""

    chain: Chain

    def run(self) -> Iterator[Finding]:
        for number, (seal_id, what) in enumerate(self.chain.forged()):
            if number == FINDINGS_MAX:
                return
            yield Finding(invariant=self.invariant, where=f"{_seal(self.chain)} {seal_id}", what=what)


def _seal(chain: Chain) -> str:
    return "seal" if chain.name == "ledger" else f"{chain.name} seal"


def _checks(chain: Chain, *numbers: str) -> tuple[Check, ...]:
    continues, content, keyed = numbers
    seals, table, noun, seal = chain.seals._meta.db_table, chain.table, chain.noun, _seal(chain)
    first, last = chain.column("first_id"), chain.column("last_id")
    facts = chain.facts(version="s.version", previous="s.previous_digest", first=f"s.{first}", last=f"s.{last}")
    return (
        check_by_sql(
            continues,
            f"every {seal} continues the one before, from the first {noun} on",
            f"""SELECT '{seal} ' || id,
                    format('begins at {noun} %s after digest %s…, the seal before it ended at %s with %s…',
                    first, left(previous_digest, 12), last_before, left(digest_before, 12))
               FROM (SELECT s.id, s.{first} AS first, s.previous_digest,
                        lag(s.{last}, 1, 0::bigint) OVER w AS last_before,
                        lag(digest, 1, '{GENESIS_DIGEST}') OVER w AS digest_before
                    FROM {seals} s WINDOW w AS (ORDER BY s.{first})) x
               WHERE first <> last_before + 1 OR previous_digest <> digest_before ORDER BY first""",
            is_money=True,
        ),
        check_by_sql(
            content,
            f"the sealed {chain.noun_plural} are those there: none was changed, removed or slipped in",
            f"""WITH wrong AS MATERIALIZED (
                   SELECT s.id, s.{first} AS first, s.{last} AS last, s.gaps
                   FROM {seals} s CROSS JOIN LATERAL ({facts}) f
                   WHERE (f.count, f.digest, f.gaps) IS DISTINCT FROM
                       (s.count, CASE s.version WHEN 1 THEN s.digest ELSE s.content_digest END::text, s.gaps)
               ), hole AS (
                   SELECT w.id, w.gaps[n][1] AS first, w.gaps[n][2] AS last
                   FROM wrong w CROSS JOIN LATERAL generate_subscripts(w.gaps, 1) AS n
               ), named AS (
                   SELECT w.id, i.id AS item, 'was removed after it was sealed' AS what
                   FROM wrong w CROSS JOIN LATERAL generate_series(w.first, w.last) AS i (id)
                   WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = i.id)
                       AND NOT EXISTS (SELECT 1 FROM hole h WHERE h.id = w.id AND i.id BETWEEN h.first AND h.last)
                   UNION ALL
                   SELECT h.id, t.id, 'was slipped into a sealed range'
                   FROM hole h JOIN {table} t ON t.id BETWEEN h.first AND h.last
               )
               SELECT x.name, x.what FROM (
                   SELECT id, item, '{noun} ' || item AS name, format('%s ({seal} %s)', what, id) AS what FROM named
                   UNION ALL
                   SELECT id, 0, '{seal} ' || id,
                       format('{chain.noun_plural} %s to %s do not give the sealed digest', first, last)
                   FROM wrong w WHERE NOT EXISTS (SELECT 1 FROM named n WHERE n.id = w.id)
                   UNION ALL
                   SELECT 0, id, '{noun} ' || id, 'stands before the first id' FROM {table} WHERE id < 1
               ) x ORDER BY x.id, x.item""",
            is_money=True,
        ),
        KeyCheck(invariant=keyed, title=f"every {seal} was made with a key of SEAL_KEYS", is_money=True, chain=chain),
    )


_LEDGER, _TRAIL = CHAINS
SEAL_CHECKS = (*_checks(_LEDGER, "S1", "S2", "S3"), *_checks(_TRAIL, "T1", "T2", "T3"))
