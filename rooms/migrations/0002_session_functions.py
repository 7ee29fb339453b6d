from django.db import migrations

NOOP = migrations.RunSQL.noop


class Migration(migrations.Migration):
    dependencies = [("rooms", "0001_initial"), ("payments", "0002_ledger_functions")]

    # These rows change often, in columns no index holds: room in the page keeps the updates heap-only.
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)",
            reverse_sql=NOOP,
        )
        for table in ("rooms_session", "rooms_room")
    ]
