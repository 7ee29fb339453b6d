from django.db import migrations

NOOP = migrations.RunSQL.noop


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        # A transfer joins two accounts of its own token.
        *(
            migrations.RunSQL(
                f"ALTER TABLE payments_transfer ADD CONSTRAINT transfer_{side}_account_same_token"
                f" FOREIGN KEY ({side}_account_id, token_id) REFERENCES payments_account (id, token_id)",
                reverse_sql=NOOP,
            )
            for side in ("debit", "credit")
        ),
        # Balances change often and are never indexed: room in the page keeps those updates HOT, early vacuum keeps
        # them short.
        migrations.RunSQL(
            "ALTER TABLE payments_account SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)",
            reverse_sql=NOOP,
        ),
    ]
