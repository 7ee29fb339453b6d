from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_adjustment_key_spaces")]

    operations = [
        # The demo's crowd got its money without adjustments.
        migrations.RunSQL(
            """
            INSERT INTO payments_adjustment (public_id, kind, user_id, token_id, amount_minor, reason, actor_id,
                request_key, transfer_id, created_at)
            SELECT gen_random_uuid(), t.code, w.owner_id, t.token_id, t.amount_minor, 'seed_demo',
                (SELECT id FROM accounts_user WHERE username = 'demo_master'), t.idempotency_key, t.id, t.created_at
            FROM payments_transfer t JOIN payments_account w ON w.id = t.credit_account_id
            WHERE t.code = 'deposit' AND t.idempotency_key = 'seed_demo:crowd:' || w.owner_id
                AND NOT EXISTS (SELECT 1 FROM payments_adjustment a WHERE a.transfer_id = t.id)
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
